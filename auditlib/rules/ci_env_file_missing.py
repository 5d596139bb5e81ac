"""A job starts Compose without the environment file that a service needs.

The file lies on developers' machines and is ignored by Git, so the runner doesn't have it: Compose stops with "env file
not found" before any container starts.

Anti-pattern:

    # compose.yaml, in a repository that ignores .env
    api:
      env_file: .env
    # .github/workflows/ci.yml
    - run: docker compose up -d

Better:

    - run: cp .env.example .env
    - run: docker compose up -d

Recommendation:

    Make the file in a step before, from the template or from the secrets of the repository.

References:

- https://docs.docker.com/reference/compose-file/services/#env_file
- https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-secrets
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from auditlib.compose_command import Call
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step
from auditlib.inventory.stack import EnvFileReference, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.paths import normal
from auditlib.phrases import listed
from auditlib.pipeline import composing
from auditlib.pipeline.composing import ComposeCall
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_STARTS = frozenset({"up", "run", "create", "start"})


_GIVEN = "\n  env:\n    ENV_FILE: ${{ secrets.ENV_FILE }}"


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job, once for each file, that starts services whose environment file no step before it makes."""
    if not any(service.env_files for service in inventory.services):
        return
    for job in inventory.jobs:
        workspace = Workspace(inventory, job)
        told: set[str] = set()
        for start in composing.of_job(inventory, workspace):
            for service in _started(inventory, start) if start.certain and not start.command.cannot_fail else ():
                for reference in service.env_files:
                    path = normal(reference.path)
                    if reference.required and path not in told and _lacks(workspace, path, start.step):
                        told.add(path)
                        yield _evidence(inventory, job, start, service, reference)


def _lacks(workspace: Workspace, path: str, step: Step) -> bool:
    """Whether a file is not there, and the step that starts Compose doesn't name it either, to make it first."""
    return workspace.lacks(path, step) and posixpath.basename(path) not in step.run


def _started(inventory: Inventory, start: ComposeCall) -> tuple[Service, ...]:
    """The services that a call starts by name, or all that no profile holds back; those that others wait for come."""
    if start.call.verb not in _STARTS and not _reads_all(start.call):
        return ()
    services = inventory.services_of(start.project.name)
    named = [services[word] for word in start.call.arguments if word in services]
    return tuple(named or (item for item in services.values() if not item.profiles))


def _reads_all(call: Call) -> bool:
    """Whether Compose is asked for the whole configuration, for which it reads the environment files, too."""
    return call.verb == "config" and {"-q", "--quiet"}.issuperset(call.arguments)


def _evidence(
    inventory: Inventory, job: Job, start: ComposeCall, service: Service, reference: EnvFileReference
) -> Evidence:
    path = normal(reference.path)
    template = _template(inventory, path)
    started = _started(inventory, start)
    needing = [item.name for item in started if any(normal(other.path) == path for other in item.env_files)]
    make = f'echo "$ENV_FILE" > {shlex.quote(path)}{_GIVEN}'
    if template:
        make = f"cp {shlex.quote(template)} {shlex.quote(path)}"
    what = f"starts {listed(needing)} with Compose, which needs"
    if _reads_all(start.call):
        what = f"has Compose read {start.project.location.file}, in which {listed(needing, 3)} must have"
    return Evidence(
        f"The job {job.id} {what} {path}; the repository doesn't have it, and no step before makes it: Compose refuses "
        f"{'the file' if _reads_all(start.call) else 'to start'}.",
        start.command.location,
        subject=f"{job.workflow}/{job.id}/{path}",
        service=service.name,
        related=(Related(reference.location, f"{service.name} needs {path} here"),),
        recommendation=f"Let a step before make {path}{f' out of {template}' if template else ' out of a secret'}.",
        example=workflow_lines.step(start.step.workflow, job.id, f"- run: {make}"),
    )


def _template(inventory: Inventory, path: str) -> str:
    """The template of an environment file."""
    return next((file.path for file in inventory.env_files if file.copied_to == path), "")
