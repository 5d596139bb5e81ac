"""A deployment is reported as done, and nobody asked whether it works.

`docker compose up -d` succeeds as soon as the containers are started. One that ends a second later, or that answers
each request with an error, is a successful deployment all the same, until a user tells.

Anti-pattern:

    docker compose up -d
    echo "deployed successfully"

Better:

    docker compose up -d --wait --wait-timeout 120
    curl --fail --silent --show-error --retry 10 --retry-connrefused https://shop.example.com/health

Recommendation:

    Give the services health checks, let `up` wait for them, and ask the address that users take.

References:

- https://docs.docker.com/reference/cli/docker/compose/up/
- https://curl.se/docs/manpage.html#--retry
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from auditlib import compose_command
from auditlib.conventions import compose_calls
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.pipeline import deploying
from auditlib.pipeline.deploying import ServerScript
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_WAITS = frozenset({"--wait", "--exit-code-from", "--abort-on-container-exit"})
_ASKS = regex(
    r"\bcurl\b|\bwget\b|\bnc\b|health|smoke|verif|check|wait|test|inspect|\blogs\b|\bexec\b|\bhttpie?\b|\bhttps?://|probe|status",
    re.I,
)
"""What may ask whether the services are well, or shows somebody that they aren't."""


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script that deploys, of an action for SSH or a file, that starts services and asks nothing after that."""
    found: dict[tuple[str, str], tuple[Command, ServerScript]] = {}
    for script in deploying.server_scripts(inventory):
        up = _unasked(script.commands)
        if up and not _asks_later(inventory, script):
            found[up.location.file, script.subject] = up, script  # of a job the last one, after which it ends
    for up, script in found.values():
        yield _evidence(
            up, script, _asked_before(script.commands, up), waits=not compose_calls.leaves_ended(inventory, up)
        )


def _unasked(commands: tuple[Command, ...]) -> Command | None:
    """The last command that starts services and doesn't wait, if none after it asks how they are."""
    last: Command | None = None
    for command in commands:
        call = compose_command.of(command.words)
        if call and call.verb == "up":
            last = command if call.is_in_background and _WAITS.isdisjoint(call.arguments) else None
        elif _ASKS.search(" ".join(command.words)) and command.words[0] not in ("echo", "printf"):
            last = None
    return last


def _asked_before(commands: tuple[Command, ...], last: Command) -> bool:
    """Whether a script asks after an earlier start, so that only what the last one starts is taken on trust."""
    before = commands[: commands.index(last)]
    first = next((index for index, item in enumerate(before) if (call := compose_command.of(item.words))
                  and call.verb == "up"), len(before))  # fmt: skip
    words = (" ".join(item.words) for item in before[first:] if item.words[0] not in ("echo", "printf"))
    return any(map(_ASKS.search, words))


def _asks_later(inventory: Inventory, script: ServerScript) -> bool:
    """Whether a later step of the job that runs a script, or a job that waits for that one, may ask."""
    if script.job and script.step:
        return _ask(script.job.steps[script.step.index + 1 :]) or _asked_by_others(inventory, script.job)
    callers = [job for job in inventory.jobs if _calls(job, script.path)]
    return any(_ask(job.steps) or _asked_by_others(inventory, job) for job in callers)


def _asked_by_others(inventory: Inventory, job: Job) -> bool:
    workflow = next(item for item in inventory.workflows if item.file == job.workflow)
    return any(_ask(other.steps) for other in workflow.jobs if job.id in deploying.all_needed(workflow, other))


def _ask(steps: Sequence[Step]) -> bool:
    texts = (
        " ".join((step.name, step.uses.replace("actions/checkout", ""), step.run, *_on_server(step))) for step in steps
    )
    return any(map(_ASKS.search, texts))


def _on_server(step: Step) -> Iterator[str]:
    return (word for command in step.remote for word in command.words)


def _calls(job: Job, path: str) -> bool:
    name = posixpath.basename(path)
    texts = (f"{step.run} {' '.join(pair.value for pair in step.inputs)}" for step in job.steps)
    return any(name in text for text in texts)


def _evidence(up: Command, script: ServerScript, before: bool, *, waits: bool) -> Evidence:
    text = " ".join(up.words)
    waiting = f"{text} --wait --wait-timeout 120" if waits else text
    started = "what it names" if before else "the services"
    it = "it works, as it does after a start before" if before else "they work"
    return Evidence(
        f"The deployment by {script.called} starts {started} with `{text}`, and nothing asks afterwards "
        f"whether {it}: one that ends at once, or answers with errors, counts as deployed.",
        up.location,
        subject=script.subject,
        severity=Severity.LOW if before else None,
        recommendation="Add `--wait` to `up`, and ask a health route with `curl --fail --retry` afterwards."
        if waits
        else "Ask a health route with `curl --fail --retry` after `up`.",
        example=files.into(
            up.location.file,
            f"{waiting}\ncurl --fail --silent --show-error --retry 10 --retry-connrefused "
            "<the address of a health route>",
        ),
    )
