"""A job, a script or a makefile calls `docker-compose`, which runners and new hosts no longer have.

Compose 1 isn't maintained since July 2023 and was taken off the images of GitHub's runners in August 2024. The step
ends with "command not found", so what follows it in the job is never reached. Docker's packages bring the plugin
alone: a script that calls `docker-compose` fails on a host that was set up after that.

Anti-pattern:

    jobs:
      test:
        runs-on: ubuntu-latest
        steps:
          - run: docker-compose up -d

Better:

    jobs:
      test:
        runs-on: ubuntu-latest
        steps:
          - run: docker compose up -d

Recommendation:

    Write `docker compose`, which the runners have. Its containers are called shop-web-1 in place of shop_web_1.

References:

- https://github.com/actions/runner-images/issues/9692
- https://docs.docker.com/compose/releases/migrate/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import command_texts, deployment
from auditlib.conventions.command_texts import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_HOSTED = regex(r"ubuntu-(?:latest|\d\d\.\d\d)(?:-arm)?")
_NAME = "docker-compose"
_ON_HOSTS = frozenset({"script", "target"})
_INSTALLS = regex(rf"\b(?:install|curl|wget|chmod|ln|brew|apk add)\b[^\n]*\b{_NAME}(?![\w.-]*(?:\.ya?ml|plugin|v2))\b")
_MADE = regex(
    rf"(?:install|curl|wget|ln|alias|chmod|cp|mv|tee|echo|command -v|which|type|hash|PATH)\b[^\n]*\b{_NAME}\b|"
    rf"\b{_NAME}\(\)|\|\| *docker compose\b"
)
"""What may bring the old command into a job, or chooses between the two."""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job on a runner of GitHub that calls it, by itself or by way of a make target, and doesn't install it; one
    finding for the scripts, makefiles and servers' commands that call it.
    """
    told: set[Location] = set()
    for found in _of_jobs(inventory):
        told.add(found.location)
        yield found
    uses = [use for use in command_texts.uses(inventory, (_NAME,)) if use.command.location not in told]
    kept = [use for use in uses if use.text.kind in _ON_HOSTS and not _chooses(use)]
    if kept and not any(use.text.kind == "step" for use in uses) and not _is_installed(inventory):
        yield _on_hosts(inventory, kept)


def _of_jobs(inventory: Inventory) -> Iterator[Evidence]:
    """The jobs on runners of GitHub."""
    everything = pipeline.of(inventory, inventory.workflows)
    targets = {" ".join(command.words): command for manifest in inventory.manifests for target in manifest.targets
               for command in target.commands if _calls(command)}  # fmt: skip
    for job in inventory.jobs:
        if job.container or not _HOSTED.fullmatch(job.runs_on) or _may_install(job):
            continue
        own = [command for step in job.steps for command in step.commands if _calls(command)]
        called = [(targets[run.text], run.location) for run in everything.of_job(job) if run.text in targets]
        if own:
            yield _evidence(job, own[0], [command.location for command in own[1:]])
        elif called:
            command, caller = called[0]
            yield _evidence(job, command, [], caller)


def _chooses(use: Use) -> bool:
    """Whether a text knows the new command as well, or asks which of both is there."""
    words = [" ".join(command.words) for command in use.text.commands]
    asks = any(text.startswith(("command -v", "which", "type", "hash")) and _NAME in text for text in words)
    defines = any(command.function == _NAME for command in use.text.commands)
    return asks or defines or any(text.startswith("docker compose") for text in words)


def _is_installed(inventory: Inventory) -> bool:
    """Whether a command of the repository, or one that a document tells, brings the old command to a host."""
    told = (item.text for item in deployment.documented_commands(inventory))
    own = (" ".join(item.words) for item in deployment.commands(inventory) if any(_NAME in word for word in item.words))
    return any(_NAME in text and _INSTALLS.search(text) for text in (*own, *told))


def _on_hosts(inventory: Inventory, uses: list[Use]) -> Evidence:
    first, *others = uses
    text = " ".join(first.command.words)
    new = next((item for item in command_texts.uses(inventory, ("docker",)) if item.command.words[1:2] == ("compose",)),
               None)  # fmt: skip
    places = list(dict.fromkeys(use.text.path for use in uses))
    but = f", and {new.text.called} calls `docker compose`: a host may have one of both alone" if new else ""
    return Evidence(
        f"{listed(places)} {'calls' if len(places) == 1 else 'call'} `{_NAME}`, which is Compose 1 and not maintained "
        f"since July 2023: a host that is set up by Docker's packages has no such command{but}.",
        first.command.location,
        subject="hosts",
        related=(
            *((Related(new.command.location, "calls `docker compose`"),) if new else ()),
            *(Related(use.command.location, f"calls `{_NAME}` too", member=True) for use in others),
        ),
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        recommendation="Write `docker compose` in place of `docker-compose`.",
        change=(_NAME + " ", "docker compose ") if first.command.words[0] == _NAME else ("", ""),
        example=files.into(first.text.path, text.replace(_NAME, "docker compose", 1)),
    )


def _calls(command: Command) -> bool:
    """Whether a command is Compose 1, and its failure counts."""
    return command.words[:1] == (_NAME,) and not (command.cannot_fail or command.conditional)


def _may_install(job: Job) -> bool:
    """Whether a step brings the command, or asks whether it is there."""
    return any("compose" in step.uses or _MADE.search(step.run) for step in job.steps)


def _evidence(job: Job, command: Command, others: list[Location], caller: Location | None = None) -> Evidence:
    text = " ".join(command.words)
    return Evidence(
        f"The job {job.id} calls `{text[:80]}` on {job.runs_on}, whose image has had no `{_NAME}` since August 2024: "
        "the step fails.",
        command.location,
        subject=f"{job.workflow}/{job.id}",
        related=(
            *((Related(caller, f"the job {job.id} calls the target here"),) if caller else ()),
            *(Related(place, f"calls `{_NAME}` too", member=True) for place in others),
        ),
        recommendation="Write `docker compose` in place of `docker-compose`.",
        change=(_NAME + " ", "docker compose "),
        example=files.into(command.location.file, text.replace(_NAME, "docker compose", 1)),
    )
