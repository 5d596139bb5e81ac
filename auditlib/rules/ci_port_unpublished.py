"""A job asks a port of the runner that nothing it starts publishes.

A container's port is the container's own: from the runner it is reached only where Compose publishes it. The loop that
waits for an answer runs out, and the job fails whatever the code is like; or it is left out, and the stack is never
tried.

Anti-pattern:

    # compose.yaml publishes nothing: a proxy of another stack reaches the service
    - run: docker compose up -d api
    - run: curl --fail --retry 10 http://localhost:8080/healthz

Better:

    - run: docker compose up -d --wait api
    - run: docker compose exec -T api curl --fail http://localhost:8080/healthz

Recommendation:

    Ask inside the container, or start the stack with a file that publishes the port.

References:

- https://docs.docker.com/engine/network/#published-ports
- https://docs.docker.com/reference/cli/docker/compose/exec/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.compose.discovery import OVERRIDES
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job
from auditlib.inventory.stack import Port
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import composing
from auditlib.pipeline.composing import ComposeCall
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_ADDRESS = regex(r"^https?://(?:localhost|127\.0\.0\.1):(?P<port>\d{2,5})(?=/|$|\?)")
_HARMLESS = frozenset({
    "curl", "wget", "sleep", "echo", "printf", "exit", "cat", "cp", "mv", "mkdir", "touch", "chmod", "test", "[", "[[",
    "true", "false", "set", "cd", "sed", "grep", "jq", "seq", "export", "break", "continue", "ls", "tee", "date", "git",
    "head", "tail", "pwd", "rm", ":", "openssl",
})  # fmt: skip
"""Programs that listen on no port."""
_OF_DOCKER = frozenset(
    {"build", "buildx", "logs", "ps", "pull", "images", "image", "inspect", "network", "volume", "tag"}
)
_ACTIONS = regex(r"^(?:actions/(?:checkout|cache|upload-artifact|download-artifact)|docker/[\w-]+)@")


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each job that only starts a Compose project, with its first request to a port which that doesn't publish."""
    for job in inventory.jobs:
        asked = list(_requests(job))
        if asked and not job.container and not job.services and _starts_nothing_else(job, asked[0][0]):
            found = composing.of_job(inventory, Workspace(inventory, job))
            calls = [item for item in found if _starts(item) and _is_before(item.command, asked[0][0])]
            if calls and all(item.certain for item in calls):
                yield from _of_job(inventory, job, calls, asked)


def _requests(job: Job) -> Iterator[tuple[Command, str]]:
    """The requests of a job to its own runner whose failure counts, with the port."""
    for step in job.steps:
        for command in step.commands if not step.continue_on_error else ():
            if command.words[:1] in (("curl",), ("wget",)) and not command.cannot_fail:
                found = (_ADDRESS.match(word) for word in command.words)
                yield from ((command, match["port"]) for match in found if match)


def _is_before(command: Command, other: Command) -> bool:
    return command.location.line < other.location.line


def _starts_nothing_else(job: Job, asking: Command) -> bool:
    """Whether all that a job runs before a request is known to listen on no port, Compose apart."""
    steps = [step for step in job.steps if step.location.line <= asking.location.line]
    commands = (item for step in steps for item in step.commands if _is_before(item, asking))
    return all(_ACTIONS.match(step.uses) for step in steps if step.uses) and all(map(_is_harmless, commands))


def _is_harmless(command: Command) -> bool:
    program, *rest = command.words or ("",)
    if compose_command.of(command.words):
        return True
    return program in _HARMLESS or (program == "docker" and rest[:1] != [] and rest[0] in _OF_DOCKER)


def _starts(call: ComposeCall) -> bool:
    found = compose_command.of(call.command.words)
    return found is not None and found.verb in ("up", "start", "run", "create")


def _of_job(
    inventory: Inventory, job: Job, calls: list[ComposeCall], asked: list[tuple[Command, str]]
) -> Iterator[Evidence]:
    files = {file for call in calls for file in (call.files or _found_by_itself(inventory, call))}
    mine = [item for item in inventory.services if item.location.file in files or item.changed_at is not None]
    if not files or any(item.network_mode for item in mine):
        return
    ports = [port for item in inventory.services for port in item.ports]
    named = {file for project in inventory.projects for file in project.files}
    taken = [port for port in ports if port.location.file in files or port.location.file not in named]  # or included
    published = {port.host_port for port in taken}
    lost = [(command, port) for command, port in asked if port not in published]
    if lost and all(port.isdigit() for port in published):
        elsewhere = next(
            (port for port in ports if port.host_port == lost[0][1] and port.location.file not in files), None
        )
        yield _evidence(job, calls[0], lost, sorted(files), elsewhere)


def _found_by_itself(inventory: Inventory, call: ComposeCall) -> list[str]:
    """The file that Compose finds in its folder, and the overrides beside it."""
    base = call.project.location.file
    beside = (posixpath.join(posixpath.dirname(base), name) for name in OVERRIDES)
    return [base, *(file for file in beside if file in inventory.file_set)]


def _evidence(
    job: Job, call: ComposeCall, lost: list[tuple[Command, str]], files: list[str], elsewhere: Port | None
) -> Evidence:
    (first, port), *_ = lost
    names = listed(map(posixpath.basename, files))
    also = (Related(elsewhere.location, f"a file that the job doesn't take publishes {port}"),) if elsewhere else ()
    if elsewhere:
        more = " ".join(f"-f {file}" for file in (*files, elsewhere.location.file))
        advice = f"Start the stack with {elsewhere.location.file} as well, or ask inside the container."
        line = f"- run: docker compose {more} up -d --wait"
    else:
        advice = "Ask inside the container, or publish the port in a file that the job takes as well."
        line = f"- run: docker compose exec -T <the service> {' '.join(first.words)}"
    return Evidence(
        f"The job {job.id} asks port {port} of the runner, and no service of {names} publishes it: nothing answers "
        "there, whatever the code is like.",
        first.location,
        subject=f"{job.workflow}/{job.id}/{port}",
        related=(Related(call.command.location, "what the job starts"), *also),
        recommendation=advice,
        example=workflow_lines.step(job.workflow, job.id, line),
    )
