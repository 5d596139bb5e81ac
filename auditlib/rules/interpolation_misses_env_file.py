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

import shlex
from collections.abc import Iterator

from auditlib.conventions import env_file_uses
from auditlib.conventions.env_file_uses import Missed
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Variable
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.redaction import is_credential_name
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each base project and file of `env_file` one finding for all variables that only this file would set."""
    for item in env_file_uses.missed(inventory):
        yield _evidence(inventory, item)


def _evidence(inventory: Inventory, item: Missed) -> Evidence:
    project, path, missed = item.project, item.path, item.variables
    first, *others = missed
    names = list(dict.fromkeys(variable.name for variable in missed))
    lines = [
        line for file in inventory.env_files if path in (file.path, file.copied_to)
        for line in file.lines if line.name in names
    ]  # fmt: skip
    file = project.files[0]
    return Evidence(
        f"{file} fills in {listed(names)} from the shell or {env_file_uses.of_compose(project)}, and {path}, where "
        f"{'it is' if len(names) == 1 else 'they are'} to be set, is given to containers alone: {_outcome(missed)}",
        first.location,
        subject=f"{project.name}/{path}",
        service=first.service,
        related=(
            *(Related(other.location, f"{other.name} is filled in here", member=True) for other in others),
            Related(item.reference.location, f"{path} is given to containers"),
            *(Related(line.location, f"{line.name} is to be set here") for line in lines),
        ),
        recommendation=f"Call Compose with `--env-file {path}`, and demand {listed(names, limit=3)} with `:?`.",
        severity=Severity.HIGH if any(map(is_credential_name, names)) else None,
        change=_change(first),
        example=f"{compose_lines.call(inventory, project.name)} --env-file {shlex.quote(path)} up -d",
    )


def _outcome(missed: tuple[Variable, ...]) -> str:
    """What the services get."""
    services = list(dict.fromkeys(variable.service or "" for variable in missed))
    empty = all(variable.source == "unset" for variable in missed)
    value = "nothing" if empty else "the default of the Compose file"
    return f"unless somebody exports it, {listed(services)} {'gets' if len(services) == 1 else 'get'} {value}."


def _change(variable: Variable) -> tuple[str, str]:
    default = variable.default.text if variable.default else ""
    return f"${{{variable.name}{variable.operator}{default}}}", f"${{{variable.name}:?pass it with --env-file}}"
