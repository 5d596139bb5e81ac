"""Compose fills in variables that stand in another environment file.

`${…}` is filled in from the shell, from `.env` beside the Compose file, or from what `--env-file` names. A file under
`env_file` only reaches the containers. Who writes the password there changes the application's, and the database is set
up with the default.

Anti-pattern:

    db:
      environment:
        POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-app}   # filled in from the shell or .env
    api:
      env_file: .env.prod                              # POSTGRES_PASSWORD=… stands here

Better:

    docker compose --env-file .env.prod up -d

Recommendation:

    Pass the file with `--env-file` wherever Compose is called, and demand the variables with `:?`.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#ways-to-set-variables-with-interpolation
- https://docs.docker.com/reference/cli/docker/compose/#options
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import stages
from auditlib.conventions import env_file_uses, env_readers, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvFileReference, Project, Variable
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.redaction import is_credential_name
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each base project and file of `env_file` one finding for all variables that only this file would set."""
    by_project: dict[str, list[Variable]] = {}
    for item in inventory.variables:
        if item.operator in (":-", "-", "") and item.source in ("default", "unset") and item.service:
            by_project.setdefault(item.project, []).append(item)
    for project in inventory.base_projects:
        used = by_project.get(project.name, []) if not environments.is_for_development(project.files[0]) else []
        for path, reference in (_files(inventory, project) if used else {}).items():
            names = set(env_readers.of_file(inventory, path)) - _in_own_file(inventory, project, path)
            missed = [item for item in used if item.name in names]
            if missed and not env_file_uses.is_read_by_commands(inventory, path):
                yield _evidence(inventory, project, path, reference, missed)


def _files(inventory: Inventory, project: Project) -> dict[str, EnvFileReference]:
    """The environment files that services are given and that Compose doesn't read by itself."""
    found: dict[str, EnvFileReference] = {}
    for service in inventory.services_of(project.name).values():
        for item in service.env_files:
            if posixpath.normpath(item.path) != _own(project):
                found.setdefault(posixpath.normpath(item.path), item)
    return found


def _own(project: Project) -> str:
    return posixpath.join(posixpath.dirname(project.files[0]), ".env")


def _in_own_file(inventory: Inventory, project: Project, path: str) -> set[str]:
    """What the `.env` beside the Compose file sets, or its template; one for development sets nothing in production."""
    if stages.names_production(path) and stages.names_production(project.files[0]):
        return set()
    return set(env_readers.of_file(inventory, _own(project)))


def _evidence(
    inventory: Inventory, project: Project, path: str, reference: EnvFileReference, missed: list[Variable]
) -> Evidence:
    first, *others = missed
    names = list(dict.fromkeys(item.name for item in missed))
    services = listed(item.service or "" for item in missed)
    lines = [
        line for file in inventory.env_files if path in (file.path, file.copied_to)
        for line in file.lines if line.name in names
    ]  # fmt: skip
    file = project.files[0]
    name = posixpath.basename(path)
    return Evidence(
        f"{file} fills in {listed(names)} from the shell or {_own(project)}, and {path}, where they are to be set, is "
        f"given to containers alone: unless somebody exports them, {services} "
        f"{'gets' if len({item.service for item in missed}) == 1 else 'get'} the default of the Compose file.",
        first.location,
        subject=f"{project.name}/{path}",
        service=first.service,
        related=(
            *(Related(item.location, f"{item.name} is filled in here", member=True) for item in others),
            Related(reference.location, f"{path} is given to containers"),
            *(Related(line.location, f"{line.name} is to be set here") for line in lines),
        ),
        recommendation=f"Call Compose with `--env-file {name}`, and demand {listed(names, limit=3)} with `:?`.",
        severity=Severity.HIGH if any(is_credential_name(item) for item in names) else None,
        change=_change(first),
        example=f"docker compose -f {posixpath.basename(file)} --env-file {name} up -d",
    )


def _change(variable: Variable) -> tuple[str, str]:
    default = variable.default.text if variable.default else ""
    return f"${{{variable.name}{variable.operator}{default}}}", f"${{{variable.name}:?pass it with --env-file}}"
