"""A command asks a question, or wants a terminal, where nobody sits.

In a pipeline, in the build of an image and on a host by SSH there is no terminal. The command takes the silence for a
no: it ends with an error, or does nothing and reports a success.

Anti-pattern:

    - run: docker exec -it api ./manage.py migrate
    - run: terraform apply

Better:

    - run: docker exec api ./manage.py migrate
    - run: terraform apply -auto-approve tfplan

Recommendation:

    Give the command the option with which it doesn't ask.

References:

- https://docs.docker.com/reference/cli/docker/container/exec/
- https://developer.hashicorp.com/terraform/cli/commands/apply
- https://docs.docker.com/reference/cli/docker/system/prune/
- https://www.prisma.io/docs/orm/prisma-migrate/workflows/development-and-production
- https://laravel.com/docs/migrations#running-migrations
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import prompts
from auditlib.conventions.prompts import Prompt
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ANSWERED = regex(r"\byes\b[^|\n]{0,20}\||\b(?:echo|printf)\s+(?:-\w+\s+)?[\"']?(?:y|yes|Y)\b[^|\n]{0,10}\||<<|"
                  r"\bscript\s+-|\bexpect\b|\bspawn\b|</dev/|TF_CLI_ARGS|PULUMI_SKIP_CONFIRMATIONS|always_yes|"
                  r"assumeyes", re.I)  # fmt: skip
"""What answers in the place of a person, or makes a terminal."""
_SETTLES = regex(r"TF_CLI_ARGS|PULUMI_SKIP_CONFIRMATIONS|always_yes|assumeyes|\.condarc", re.I)
"""What answers for good, in a variable or a file of settings."""
_OF_CONDA = regex(r"conda|mamba")
"""Actions that set up conda have it answer for itself."""
_LOCAL = frozenset({"local", "development", "dev", "testing"})


class _Call(Struct, frozen=True):
    """A command that runs without anybody: who runs it, as a subject, and the text around it."""

    command: Command
    who: str
    around: str
    live: bool = False


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every such command of a step, of a host that a step deploys to, of a Dockerfile's RUN and of a service."""
    for call in _calls(inventory):
        prompt = prompts.asked(call.command.words, call.live)
        if prompt and not _ANSWERED.search(call.around) and not call.command.caught:
            yield _evidence(call, prompt)


def _calls(inventory: Inventory) -> Iterator[_Call]:
    for workflow in inventory.workflows:
        for job in workflow.jobs:
            yield from _of_job(job, [pair.name for pair in (*workflow.env, *job.env)])
    for found in inventory.dockerfiles:
        settled = " ".join(_SETTLES.findall(" ".join(item.argument for item in found.instructions)))
        for item in found.instructions:
            for command in item.commands if item.keyword == "RUN" else ():
                yield _Call(command, f"The build of {found.path}", f"{item.argument}\n{settled}")
    for service in inventory.distinct_services:
        text = " ".join((*service.entrypoint, *service.command))
        for command in service.commands if not service.has_terminal else ():
            yield _Call(command, f"The container of {service.name}", text, _is_live(service))


def _of_job(job: Job, names: list[str]) -> Iterator[_Call]:
    """The calls of a job's steps; variables, settings and actions of the steps before may answer for them."""
    settled: dict[str, None] = dict.fromkeys(names)
    for step in job.steps:
        inputs = {pair.name: pair.value for pair in step.inputs}
        around = "\n".join((step.run, step.shell, *(pair.name for pair in step.env), *settled))
        who = f"The step {step.name or step.index + 1} of the job {job.id}"
        yield from (_Call(command, who, around) for command in step.commands)
        script = "" if inputs.get("request_pty") == "true" else inputs.get("script", "")
        yield from (_Call(command, who, script, True) for command in step.remote if script)
        settled |= dict.fromkeys(_SETTLES.findall(step.run))
        settled |= {"always_yes": None} if _OF_CONDA.search(step.uses) else {}


def _is_live(service: Service) -> bool:
    """Whether a service may meet production's settings: nothing tells it that it is a developer's."""
    told = (item.value.text.lower() for item in service.environment if item.name == "APP_ENV" and item.value)
    return not _LOCAL.intersection(told)


def _evidence(call: _Call, prompt: Prompt) -> Evidence:
    place = call.command.location
    swallowed = call.command.cannot_fail or prompt.outcome == "removes nothing"
    instead = _instead(" ".join(call.command.words), prompt)
    late = "where files" in prompt.outcome or "production" in prompt.outcome
    return Evidence(
        f"{call.who} runs `{prompt.called}`, which asks, and nobody answers: it {prompt.outcome}."
        if "TTY" not in prompt.outcome
        else f"{call.who} runs `{prompt.called}`, which wants a terminal, and there is none: it {prompt.outcome}.",
        place,
        subject=f"{place.file}/{prompt.called}",
        recommendation=f"Write `{instead[:90]}` in {place.file}.",
        severity=Severity.LOW if swallowed else Severity.MEDIUM if late else None,
        confidence=Confidence.MEDIUM if late else None,
        example=files.into(place.file, instead),
    )


def _instead(text: str, prompt: Prompt) -> str:
    """The command as it asks nothing."""
    if "TTY" in prompt.outcome:
        for option in ("-it", "-ti"):
            text = text.replace(f" {option} ", " -i ", 1)
        return text.replace(" -t ", " ", 1) if " -i " in text else text
    if prompt.option.startswith("migrate"):
        return text.replace("migrate dev", prompt.option)
    return text.replace(prompt.called, f"{prompt.called} {prompt.option}", 1)
