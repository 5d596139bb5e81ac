"""A template of an environment file names a variable that nothing uses.

Who sets up an environment looks for a value that nobody needs, and believes that setting it has an effect.

Anti-pattern:

    # .env.example
    POSTGRES_PASSWORD=
    LEGACY_QUEUE_URL=        # neither Compose nor code knows it

Better:

    # .env.example
    POSTGRES_PASSWORD=

Recommendation:

    Remove the variable from the template, or use it.

References:

- https://12factor.net/config
- https://docs.docker.com/compose/how-tos/environment-variables/best-practices/
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from auditlib.conventions import environments, programs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each template one finding for all its variables that no file of the repository names."""
    used = _used(inventory)
    for file in inventory.env_files:
        if file.template and not (_goes_to_an_image(inventory, file) or _is_for_laravel(inventory, file)):
            unused = [line for line in file.lines if line.name and not line.commented and _is_unused(line, used)]
            if unused and len(unused) < len(file.lines):  # all of them: it belongs to code that isn't here
                yield _evidence(file, unused)


def _is_unused(line: EnvLine, used: set[str]) -> bool:
    known = programs.is_read_by_libraries(line.name) or environments.comes_from_the_host(line.name)
    return line.name.lower() not in used and not known and "__" not in line.name


def _used(inventory: Inventory) -> set[str]:
    """Every variable that Compose interpolates, that code reads, or that any other file names, in lower case."""
    names = {item.name for item in inventory.variables}
    entries = (entry for service in inventory.services for entry in service.environment)
    names |= {entry.name for entry in entries if entry.origin == "environment"}
    names |= {name for item in inventory.settings for name in (item.name, *item.aliases)}
    names |= {use.name for workflow in inventory.workflows for use in workflow.secrets}
    return {name.lower() for name in names} | {name for file in inventory.named_variables for name in file.names}


def _is_for_laravel(inventory: Inventory, file: EnvFile) -> bool:
    """Whether the framework reads the file by a configuration of its own, which an application need not repeat."""
    folder = posixpath.dirname(file.path)
    return {posixpath.join(folder, "composer.json"), posixpath.join(folder, "routes/web.php")} <= inventory.file_set


def _goes_to_an_image(inventory: Inventory, file: EnvFile) -> bool:
    """Whether an image that somebody else made may be given the file as it is, so that its variables are read there."""
    references = {item.path for service in inventory.services if not service.build for item in service.env_files}
    return bool(references & {file.path, file.copied_to, posixpath.join(posixpath.dirname(file.path), ".env")})


def _evidence(file: EnvFile, unused: list[EnvLine]) -> Evidence:
    first, *others = unused
    names = list(dict.fromkeys(line.name for line in unused))
    return Evidence(
        f"{file.path} names {counted(len(names), 'variable')} that no Compose file, code, script or workflow uses: "
        f"{listed(names)}.",
        first.location,
        subject=f"{file.path}/unused",
        related=tuple(Related(line.location, f"{line.name} is not used either", member=True) for line in others),
        recommendation=f"Remove {listed(names, limit=4)} from {file.path}, or use "
        f"{'it' if len(names) == 1 else 'them'}.",
        example=f"sed -i '{';'.join(f'{line.location.line}d' for line in unused)}' {shlex.quote(file.path)}",
    )
