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
from itertools import pairwise

from msgspec import Struct

from auditlib.conventions.command_words import core
from auditlib.conventions.workspaces import Workspace, normal
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.inventory.stack import EnvFileReference, Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_STARTS = frozenset({"up", "run", "create", "start"})
_MAY_MAKE_FILES = frozenset(
    {"make", "just", "task", "npm", "yarn", "pnpm", "bash", "sh", "python", "python3", "source", "."}
)
"""Programs whose work isn't followed here; a job that runs one before may have the file."""


class _Start(Struct, frozen=True):
    """A command that starts services of Compose, with the services that it starts by name."""

    step: Step
    command: Command
    services: tuple[Service, ...]


_GIVEN = "\n  env:\n    ENV_FILE: ${{ secrets.ENV_FILE }}"


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job, once for each file, that starts services whose environment file no step before it makes."""
    if not any(service.env_files for service in inventory.services):
        return
    for job in inventory.jobs:
        workspace = Workspace(inventory, job)
        told: set[str] = set()
        for start in _starts(inventory, workspace):
            for service in start.services:
                for reference in service.env_files:
                    path = normal(reference.path)
                    if reference.required and path not in told and _lacks(workspace, path, start.step):
                        told.add(path)
                        yield _evidence(inventory, job, start, service, reference)


def _lacks(workspace: Workspace, path: str, step: Step) -> bool:
    """Whether a file is not there, and the step that starts Compose doesn't name it either, to make it first."""
    return workspace.lacks(path, step) and posixpath.basename(path) not in step.run


def _starts(inventory: Inventory, workspace: Workspace) -> Iterator[_Start]:
    """The commands that start services, up to the first that may make files in ways that aren't followed."""
    for step in workspace.job.steps:
        if step.uses.startswith("./"):
            return
        for command in step.commands:
            words = core(list(command.words))
            if words and (posixpath.basename(words[0]) in _MAY_MAKE_FILES or words[0].startswith("./")):
                return
            rest = (
                words[2:]
                if words[:2] == ["docker", "compose"]
                else words[1:]
                if words[:1] == ["docker-compose"]
                else []
            )
            verb = next((index for index, word in enumerate(rest) if word in _STARTS), None)
            if verb is not None and not command.cannot_fail:
                project = _project(inventory, workspace.folder(step, command), rest[:verb])
                yield _Start(step, command, _started(inventory, project, rest[verb + 1 :]) if project else ())


def _project(inventory: Inventory, folder: str, options: list[str]) -> Project | None:
    """The base project that options name, or that stands in the folder; none where the options say more than files."""
    files = [value for option, value in pairwise(options) if option in ("-f", "--file")]
    if len(options) != 2 * len(files):
        return None
    wanted = {normal(posixpath.join(folder, file)) for file in files}
    found = [
        project
        for project in inventory.base_projects
        if (wanted <= set(project.files) if wanted else normal(posixpath.dirname(project.location.file)) == folder)
    ]
    return found[0] if len(found) == 1 else None


def _started(inventory: Inventory, project: Project, arguments: list[str]) -> tuple[Service, ...]:
    """The services that are named, or all that no profile holds back; those that others wait for come with them."""
    services = inventory.services_of(project.name)
    named = [services[word] for word in arguments if word in services]
    return tuple(named or (item for item in services.values() if not item.profiles))


def _evidence(inventory: Inventory, job: Job, start: _Start, service: Service, reference: EnvFileReference) -> Evidence:
    path = normal(reference.path)
    template = _template(inventory, path)
    needing = [item.name for item in start.services if any(normal(other.path) == path for other in item.env_files)]
    make = f'echo "$ENV_FILE" > {shlex.quote(path)}{_GIVEN}'
    if template:
        make = f"cp {shlex.quote(template)} {shlex.quote(path)}"
    return Evidence(
        f"The job {job.id} starts {listed(needing)} with Compose, which needs {path}; the repository doesn't have it, "
        "and no step before makes it: Compose refuses to start.",
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
