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
from collections.abc import Iterator

from auditlib.conventions import compose_calls
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_DETACHES = frozenset({"-d", "--detach"})
_WAITS = frozenset({"--wait", "--exit-code-from", "--abort-on-container-exit"})
_ASKS = regex(
    r"\bcurl\b|\bwget\b|\bnc\b|health|smoke|verif|check|wait|test|inspect|\blogs\b|\bexec\b|\bhttpie?\b|\bhttps?://|probe|status",
    re.I,
)
"""What may ask whether the services are well, or shows somebody that they aren't."""


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script that deploys, of an action for SSH or a file, that starts services and asks nothing after that."""
    for job in inventory.jobs:
        found = [(step.index, up) for step in job.steps if (up := _unasked(step.remote))]
        if found and not _asks_later(inventory, job, found[-1][0]):
            yield _evidence(found[-1][1], f"the job {job.id}", job.id)
    for script in inventory.scripts:
        if compose_calls.deploys_by_name(script.path) and (up := _unasked(script.commands)):
            callers = [job for job in inventory.jobs if _calls(job, script.path)]
            if not any(_asks_later(inventory, job, -1) for job in callers):
                yield _evidence(up, script.path, "script")


def _unasked(commands: tuple[Command, ...]) -> Command | None:
    """The last command that starts services and doesn't wait, if none after it asks how they are."""
    last: Command | None = None
    for command in commands:
        call = compose_calls.of(command.words)
        if call and call.verb == "up":
            detached = _DETACHES & set(call.arguments) and not _WAITS & set(call.arguments)
            last = command if detached else None
        elif _ASKS.search(" ".join(command.words)) and command.words[0] not in ("echo", "printf"):
            last = None
    return last


def _asks_later(inventory: Inventory, job: Job, index: int) -> bool:
    """Whether a later step of a job, or a job that waits for it, may ask."""
    after = [step for step in job.steps if step.index > index]
    after += [step for other in inventory.jobs if other.workflow == job.workflow and job.id in other.needs
              for step in other.steps]  # fmt: skip
    return any(_ASKS.search(f"{step.uses.replace('actions/checkout', '')} {step.name} {step.run}") for step in after)


def _calls(job: Job, path: str) -> bool:
    name = posixpath.basename(path)
    texts = (f"{step.run} {' '.join(pair.value for pair in step.inputs)}" for step in job.steps)
    return any(name in text for text in texts)


def _evidence(up: Command, what: str, subject: str) -> Evidence:
    text = " ".join(up.words)
    return Evidence(
        f"The deployment by {what} starts the services with `{text}`, and nothing asks afterwards whether they work: "
        "one that ends at once, or answers with errors, counts as deployed.",
        up.location,
        subject=subject,
        recommendation="Add `--wait` to `up`, and ask a health route with `curl --fail --retry` afterwards.",
        example=files.into(
            up.location.file,
            f"{text} --wait --wait-timeout 120\ncurl --fail --silent --show-error --retry 10 --retry-connrefused "
            "<the address of a health route>",
        ),
    )
