"""The template of `.env` offers settings that Compose doesn't pass to the service that reads them.

Compose reads `.env` to fill in `${…}` in its own files; nothing of it reaches a container by itself. Who sets such a
variable believes that it counts, and the service keeps the default of its code: a password, a limit, an address.

Anti-pattern:

    # .env.example
    DB_PASSWORD=
    ADMIN_PASSWORD=
    # compose.yaml
    api:
      environment:
        DB_PASSWORD: ${DB_PASSWORD}  # and nothing passes ADMIN_PASSWORD, which the code reads

Better:

    api:
      environment:
        DB_PASSWORD: ${DB_PASSWORD:?set it in .env}
        ADMIN_PASSWORD: ${ADMIN_PASSWORD:?set it in .env}

Recommendation:

    Pass every variable that the code reads and the template offers, or give the service the file with `env_file`.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
- https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, mounts, programs, services, templates
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine, Setting
from auditlib.inventory.stack import Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.readers.endpoints import endpoints
from auditlib.redaction import is_credential_name
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_BAKED = regex(r"(?:NEXT_PUBLIC|VITE|REACT_APP|NUXT_PUBLIC|EXPO_PUBLIC|GATSBY|VUE_APP)_")
"""Variables that a bundler writes into what it builds, so that a container's environment comes too late."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each service built here one finding for what its code reads, the template offers, and nothing passes."""
    offered = _templates(inventory)
    for group in _by_image(inventory):
        first = group[0]
        template = offered.get(first.service.project)
        if template is None or any(mounts.is_below(template.path, root) for root in first.roots):
            continue
        arguments = set().union(*(_arguments(inventory, item.service) for item in group))
        given = frozenset().union(*(item.given | _filled(inventory, item.service) for item in group))
        lost = [item for item in _lost(first, template, given) if item[0].name not in arguments]
        baked = [item for item in lost if _BAKED.match(item[0].name)]
        if len(lost) > len(baked):
            yield _evidence(group, template, [item for item in lost if item not in baked])
        if baked:
            yield _of_build(first, template, baked)


def _by_image(inventory: Inventory) -> list[list[Program]]:
    """The programs by the image that they run, where no file that is given to one of them may hold anything.

    What one of several gets, the others rather do without: their code is the same, and what they do is not.
    """
    groups: defaultdict[tuple[str, ...], list[Program]] = defaultdict(list)
    for program in programs.programs(inventory):
        if not environments.only_for_development(program.service):
            groups[program.service.project, *services.image_key(program.service)].append(program)
    return [
        mine for mine in groups.values() if not any(item.service.env_files or item.service.secrets for item in mine)
    ]


def _arguments(inventory: Inventory, service: Service) -> set[str]:
    """What a service's build is given, in any file."""
    builds = [item.build for item in inventory.versions(service) if item.build]
    return {name for build in builds for name, _ in build.arguments}


def _filled(inventory: Inventory, service: Service) -> set[str]:
    """The variables that a service gets under another name, or within a value: Spring's own name for a property."""
    entries = (entry for item in inventory.versions(service) for entry in item.environment)
    return {name.upper() for entry in entries for name in entry.variables}


def _templates(inventory: Inventory) -> dict[str, EnvFile]:
    """The template beside each base project's file that is meant for Compose: the file fills in a variable of it, or
    it leads to one of the services, which nothing outside their network can reach by that name."""
    found: dict[str, EnvFile] = {}
    for project in inventory.base_projects:
        family = inventory.family(project.name)
        used = {item.name for item in inventory.variables if item.project in family}
        for file in inventory.env_files:
            beside = posixpath.dirname(file.path) == posixpath.dirname(project.location.file)
            if (
                file.template
                and beside
                and templates.goes_with(inventory, file, project)
                and (used & {line.name for line in file.lines} or _leads_to(inventory, project, file))
            ):
                found.setdefault(project.name, file)
    return found


def _leads_to(inventory: Inventory, project: Project, file: EnvFile) -> bool:
    """Whether a value of the file is the address of a service of the project."""
    hosts = {end.host for line in file.lines if line.value for end in endpoints(line.name, line.value.text) if end.port}
    return not hosts.isdisjoint(inventory.services_of(project.name))


def _lost(program: Program, template: EnvFile, given: frozenset[str]) -> Iterator[tuple[EnvLine, Setting]]:
    """The lines of the template whose variable the code reads under a name that it isn't given."""
    for setting in program.settings:
        names = {name.upper() for name in (setting.name, *setting.aliases)}
        line = next((item for item in template.lines if item.name.upper() in names and not item.commented), None)
        if line is not None and not names & given and not environments.comes_from_the_host(line.name):
            yield line, setting


def _evidence(group: list[Program], template: EnvFile, lost: list[tuple[EnvLine, Setting]]) -> Evidence:
    service, *others = (item.service for item in group)
    lines = {line.name: (line, setting) for line, setting in lost}
    first, _ = lost[0]
    names, readers = listed(lines), listed((service.name, *(item.name for item in others)))
    secret = any(is_credential_name(name) for name in lines)
    return Evidence(
        f"{template.path} offers {names}, which the code of {readers} reads and "
        f"{service.location.file} doesn't "
        f"pass to {'them' if others else 'it'}: what `.env` says changes nothing in the container.",
        first.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(
            *(Related(setting.location, f"{name} is read here") for name, (_, setting) in lines.items()),
            *(
                Related(item.location, f"{item.name} isn't given {'it' if len(lines) == 1 else 'them'}")
                for item in (service, *others)
            ),
        ),
        recommendation=f"Add {listed(lines, limit=4)} to the `environment` of {service.name}.",
        example=compose_lines.of_service(service, _passed(lines)),
        severity=None if secret else Severity.LOW,
    )


def _of_build(program: Program, template: EnvFile, lost: list[tuple[EnvLine, Setting]]) -> Evidence:
    """What the template offers for the build of a page, which gets it as an argument alone."""
    service = program.service
    names = listed(line.name for line, _ in lost)
    arguments = "\n".join(f"    {line.name}: ${{{line.name}:-}}" for line, _ in lost)
    return Evidence(
        f"{template.path} offers {names}, which the code of {service.name} takes up when it is built, and "
        f"{service.location.file} doesn't pass to its build: what `.env` says changes nothing in the image.",
        lost[0][0].location,
        subject=f"{service.project}/{service.name}/build",
        service=service.name,
        related=tuple(Related(setting.location, f"{line.name} is read here") for line, setting in lost),
        recommendation=f"Pass {listed((line.name for line, _ in lost), limit=4)} as `build.args` of {service.name}, "
        "with an `ARG` in its Dockerfile.",
        example=compose_lines.of_service(service, f"build:\n  args:\n{arguments}"),
        severity=Severity.LOW,
    )


def _passed(lines: dict[str, tuple[EnvLine, Setting]]) -> str:
    """The variables as the service gets them: one that may be missing only where the file sets it."""
    demanded = [name for name, (line, setting) in lines.items() if setting.required and line.value and line.value.text]
    told = code_lines.required(demanded).split("\n") if demanded else ["environment:"]
    optional = [f"  {name}:  # as .env says, if it does" for name in lines if name not in demanded]
    return "\n".join([*told, *optional])
