"""The template offers settings that Compose gives as literals.

What `environment` says counts before `env_file`, and a literal doesn't ask for a variable at all. Who changes the value
in `.env` and starts the stack again sees no effect, and looks for the reason in the program.

Anti-pattern:

    # .env.example
    WORKER_CONCURRENCY=4
    # compose.yaml
    worker:
      env_file: .env
      environment:
        WORKER_CONCURRENCY: "8"

Better:

    worker:
      environment:
        WORKER_CONCURRENCY: ${WORKER_CONCURRENCY:-8}

Recommendation:

    Let Compose fill in the variable, or leave it out of the template.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/envvars-precedence/
- https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, programs, templates
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.inventory.stack import EnvironmentEntry, Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.redaction import is_credential_name
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_PLACES = regex(
    r"(?:HOST|HOSTS|HOSTNAME|PORT|URL|URI|DSN|ADDR|ADDRESS|PATH|DIR|DIRECTORY|FOLDER|ROOT|FILE|SERVER|SERVERS|ENDPOINT|"
    r"BROKERS?|NODES|SOCKET|NAME|USER|DB|DATABASE|CONNECTION|DRIVER|MODE|BACKEND|TYPE|STORE|USE_SSL|SSLMODE)$"
)
"""Names of places, logins and kinds of stores, which differ between the host and a container on purpose."""
_HARDENED = regex(r"DEBUG|DEMO|SEED|TEST|RELOAD|DOCS|^(?:PYTHON|NODE_|APP_|FLASK_|GIN_)")
"""Names of what a deployment fixes on purpose."""
_OUTSIDE = regex(r"\.|host|endpoint")
_LOCAL = regex(r"(?:localhost|127\.|0\.0\.0\.0|\[?::)|.*\.(?:internal|flycast|localhost|local)$")
"""This machine, and the inner networks of platforms, which Compose has no part in."""
_SHOWN = 6


class _Overruled(Struct, frozen=True):
    """A line of a template, and a service that is given a literal for it."""

    line: EnvLine
    service: Service
    entry: EnvironmentEntry


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each template one finding for the settings that the deployed projects overrule by literals everywhere; for
    each project one for the addresses.
    """
    yield from _of_addresses(inventory)
    for file in inventory.env_files:
        if not file.template or templates.is_for_laravel(inventory, file):
            continue
        found: dict[str, list[_Overruled]] = {}
        for project in inventory.deployed_projects:
            known = environments.in_development_file(inventory, project.location.file)
            for item in _overruled(inventory, project, file) if not known and _is_for(inventory, project, file) else ():
                found.setdefault(item.line.name, []).append(item)
        if found:
            yield _evidence(file, found)


def _of_addresses(inventory: Inventory) -> Iterator[Evidence]:
    """For each project the addresses elsewhere that its template asks for, where it is given a service of its own."""
    for project in inventory.deployed_projects:
        for file in inventory.env_files:
            beside = posixpath.dirname(file.path) == posixpath.dirname(project.location.file)
            meant = file.template and beside and templates.goes_with(inventory, file, project)
            found = list(_led_elsewhere(inventory, project, file)) if meant else []
            if found:
                yield _elsewhere_evidence(project, file, found)
                break


class _Elsewhere(Struct, frozen=True):
    """A variable for which a template asks for a host elsewhere, and Compose says a service of its project."""

    service: Service
    line: EnvLine
    elsewhere: str
    entry: EnvironmentEntry
    host: str


def _led_elsewhere(inventory: Inventory, project: Project, file: EnvFile) -> Iterator[_Elsewhere]:
    mine = inventory.services_of(project.name)
    lines = {line.name: line for line in file.lines if line.endpoints and not line.commented}
    for service in mine.values() if lines else ():
        if service.changed_at is not None or environments.only_for_development(service):
            continue
        for entry in service.environment:
            line = lines.get(entry.name)
            passed = entry.variables or entry.origin != "environment"
            if line is None or passed or environments.in_development_file(inventory, entry.location.file):
                continue
            elsewhere, host = line.endpoints[0].host, entry.endpoints[0].host if entry.endpoints else ""
            if host in mine and elsewhere not in mine and _is_elsewhere(elsewhere):
                yield _Elsewhere(service, line, elsewhere, entry, host)


def _is_elsewhere(host: str) -> bool:
    """Whether a host is one of the network, or a placeholder for one; not this machine, and no bare name."""
    return bool(_OUTSIDE.search(host)) and not _LOCAL.match(host)


def _elsewhere_evidence(project: Project, file: EnvFile, found: list[_Elsewhere]) -> Evidence:
    first = found[0]
    names = listed(dict.fromkeys(item.entry.name for item in found))
    services = list(dict.fromkeys(item.service.name for item in found))
    hosts = listed(dict.fromkeys(item.host for item in found))
    lines = {item.line.name: item.line for item in found}
    value = first.entry.value
    kept = f"{first.entry.name}:-{value.text}" if value and not value.secret else f"{first.entry.name}:?"
    return Evidence(
        f"{file.path} asks for {names} ({listed(dict.fromkeys(item.elsewhere for item in found))}), and "
        f"{project.location.file} gives {listed(services)} {'a literal' if len(lines) == 1 else 'literals'} instead: "
        f"what the environment file says changes nothing, and {'it goes' if len(services) == 1 else 'they go'} on with "
        f"{hosts}.",
        first.entry.location,
        subject=f"{project.name}/overruled by literals",
        service=first.service.name,
        related=(
            *(Related(line.location, f"{file.path} asks for {name}") for name, line in lines.items()),
            *(
                Related(item.entry.location, f"{item.service.name} is given {item.host}", member=True)
                for item in found[1:]
                if item.entry.location != first.entry.location
            ),
        ),
        recommendation=f"Write `${{{first.entry.name}:-…}}` in {project.location.file}, or leave {names} out of "
        f"{file.path}.",
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        example=compose_lines.of_service(first.service, f"environment:\n  {first.entry.name}: ${{{kept}}}"),
    )


def _is_for(inventory: Inventory, project: Project, file: EnvFile) -> bool:
    """Whether people make the file of a project by a template: Compose's own, or one that it gives to services."""
    mine = inventory.services_of(project.name).values()
    given = {posixpath.normpath(reference.path) for item in mine for reference in item.env_files}
    of_compose = file.copied_to == posixpath.join(posixpath.dirname(project.location.file), ".env")
    return file.copied_to in given or (of_compose and templates.goes_with(inventory, file, project))


def _overruled(inventory: Inventory, project: Project, file: EnvFile) -> Iterator[_Overruled]:
    mine = [item for name in inventory.family(project.name) for item in inventory.services_of(name).values()]
    used = {item.name for item in inventory.variables}
    read = {item.service.key: {name for each in item.settings for name in (each.name, *each.aliases)}
            for item in programs.programs(inventory) if item.service.project == project.name}  # fmt: skip
    for line in file.lines:
        if line.commented or line.name in used or not _is_setting(line):
            continue
        given = [(item, entry) for item in mine for entry in item.environment if entry.name == line.name]
        readers = {key for key, names in read.items() if line.name in names}
        literal = [_Overruled(line, item, entry) for item, entry in given if _is_literal(entry)]
        if literal and len(literal) == len(given) and readers <= {item.service.key for item in literal}:
            yield from literal[:1]


def _is_setting(line: EnvLine) -> bool:
    """Whether a variable is a switch, a number or a word, and neither a place nor a secret."""
    aside = bool(line.endpoints) or is_credential_name(line.name) or environments.names_environment(line.name)
    aside = aside or bool(_PLACES.search(line.name) or _HARDENED.search(line.name))
    return not aside and not environments.comes_from_the_host(line.name)


def _is_literal(entry: EnvironmentEntry) -> bool:
    return entry.origin == "environment" and not entry.variables and entry.value is not None


def _evidence(file: EnvFile, found: dict[str, list[_Overruled]]) -> Evidence:
    every = [item for items in found.values() for item in items]
    first = every[0]
    files = list(dict.fromkeys(item.entry.location.file for item in every))
    names, one = listed(found, _SHOWN), len(every) == 1
    mine = [item for item in every if item.service.key == first.service.key]
    lines = "\n".join(f"  {item.entry.name}: {_filled(item.entry)}" for item in mine)
    return Evidence(
        f"{file.path} offers {names}, and {listed(files, _SHOWN)} {'gives' if len(files) == 1 else 'give'} "
        f"{'a literal' if one else 'literals'} instead: what the environment file says changes nothing there.",
        first.entry.location,
        subject=f"{file.path}/literals",
        service=first.service.name,
        related=(
            *(Related(item.entry.location, f"{item.entry.name} is a literal", member=True) for item in every[1:]),
            *(Related(items[0].line.location, f"{file.path} offers {name}") for name, items in found.items()),
        ),
        recommendation=f"Write `${{{first.entry.name}:-…}}` in {first.entry.location.file}, or leave {names} out of "
        f"{file.path}.",
        example=compose_lines.of_service(first.service, f"environment:\n{lines}"),
    )


def _filled(entry: EnvironmentEntry) -> str:
    kept = f":-{entry.value.text}" if entry.value and not entry.value.secret else ":?set it in .env"
    return f"${{{entry.name}{kept}}}"
