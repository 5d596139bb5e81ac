"""A value or configuration names a host that no service answers to.

A name without a dot is looked up among the services of the container's networks. A service that was renamed, moved to
another file or never added leaves a name behind that resolves to nothing, and the connection fails when it is first
used, often long after the start. Read are environment values, addresses in commands, and where log shippers send to;
proxies, scrape targets and data sources of Grafana have rules of their own.

Anti-pattern:

    api:
      environment:
        SMTP_HOST: mailhog  # no service is called so

Better:

    api:
      environment:
        SMTP_HOST: mailpit
    mailpit:
      image: axllent/mailpit:v1.20

Recommendation:

    Correct the name, add the service, or take a variable without default for a host outside the project.

References:

- https://docs.docker.com/compose/how-tos/networking/
"""

from __future__ import annotations

import difflib
import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib import stages
from auditlib.conventions import environments, mounts, peers
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import ConfigAddress
from auditlib.inventory.stack import Endpoint, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.readers.endpoints import endpoints
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_NO_ADDRESS = ("SERVICE_NAME", "APP_HOST", "SERVER_HOST", "BIND_HOST")
"""Names whose bare words say what the service itself is called, or listens on."""
_FOR_BROWSERS = regex(
    r"(?:^|_)(?:ROOT_URL|SITE_URL|EXTERNAL_URL|FRONTEND_URL|NEXTAUTH_URL|APP_URL|CALLBACK_UR[IL]|REDIRECT_UR[IL]|ORIGINS?|"
    r"SERVER_DOMAIN|PUBLIC(?:_\w+)?)$|^(?:VITE|REACT_APP|NEXT_PUBLIC|NUXT_PUBLIC)_"
)
"""Names of addresses under which browsers reach a program, by whatever name the host has for them."""
_SHOWN_BY = regex(r"--?(?:web\.)?(?:external|root|public|base)[-_.]?(?:url|uri)\b")
"""Options of a command that say such an address."""
_WAITS = regex(r"wait-?(?:for|4)\S*|dockerize")
"""Programs whose arguments are addresses (`wait-for-it.sh db:5432 -- …`)."""


class _Use(Struct, frozen=True):
    """One place that names a host: a variable, a command, or the configuration of a log shipper."""

    service: Service
    what: str
    end: Endpoint
    location: Location
    certain: bool = True
    """Whether the word is one for a host and for nothing else."""
    by_default: bool = False
    by_template: bool = False


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project and name one finding for all values and commands that hold it."""
    found: defaultdict[tuple[str, str], dict[Location, _Use]] = defaultdict(dict)
    for use in _in_services(inventory):
        service, end = use.service, use.end
        known = _resolves(inventory, graph, use)
        if peers.could_be_service(end) and not known and not peers.may_be_known(inventory, service, end):
            found[service.project, end.host].setdefault(use.location, use)
    for (_, host), uses in found.items():
        yield _evidence(inventory, host, list(uses.values()))
    yield from _in_configuration(inventory, graph)


def _resolves(inventory: Inventory, graph: DependencyGraph, use: _Use) -> bool:
    """Whether a service answers to a name; one of a template in one of the projects that take a file from it."""
    same = {item.path for item in use.service.env_files} if use.by_template else set[str]()
    sharing = (item for item in inventory.services if same and same & {file.path for file in item.env_files})
    projects = {use.service.project, *(item.project for item in sharing)}
    return any(graph.hosts.resolve(use.end.host, project, use.end.port) for project in projects)


def _in_configuration(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The hosts in the files that services mount; scrape targets, data sources and proxies have rules of their own."""
    others = {item.file for item in inventory.prometheus} | {item.file for item in inventory.datasources}
    others |= {item.file for item in inventory.reverse_proxies}
    named: defaultdict[str, dict[str, ConfigAddress]] = defaultdict(dict)
    for item in inventory.config_addresses:
        if item.location.file not in others:
            named[item.location.file].setdefault(item.end.host, item)
    for file, addresses in named.items():
        users = sorted(
            (service for service in inventory.services if mounts.path_inside(service, file)),
            key=lambda item: (mounts.sees_all(item, file), mounts.path_inside(item, file).count("/")),
        )  # whoever mounts the file itself reads it sooner than who mounts everything
        for item in addresses.values():
            if users and not any(_is_known(inventory, graph, service, item.end) for service in users):
                yield _of_configuration(inventory, users[0], item.end, item.location)


def _is_known(inventory: Inventory, graph: DependencyGraph, service: Service, end: Endpoint) -> bool:
    resolved = graph.hosts.resolve(end.host, service.project, end.port)
    return bool(resolved) or not peers.could_be_service(end) or peers.may_be_known(inventory, service, end)


def _of_configuration(inventory: Inventory, service: Service, end: Endpoint, place: Location) -> Evidence:
    return Evidence(
        f"{place.file}, which {service.name} reads, leads to {end.host}:{end.port}, which is neither a service nor an "
        "alias of the project.",
        place,
        subject=f"{place.file}/{end.host}",
        service=service.name,
        related=(Related(service.location, f"{service.name} mounts the file"),),
        recommendation=f"Correct the address in {place.file}, or add a service {end.host}.",
        severity=Severity.LOW if environments.is_for_development(place.file) else None,
        confidence=Confidence.MEDIUM,
        change=_meant(inventory, service, end.host),
        example=compose_lines.new_service(inventory, end.host, [service]),
    )


def _in_services(inventory: Inventory) -> Iterator[_Use]:
    for service in inventory.services:
        for entry in service.environment:
            name = entry.name.upper()
            if not name.endswith(_NO_ADDRESS) and not _FOR_BROWSERS.search(name):
                for end in entry.endpoints:
                    yield _Use(service, entry.name, end, entry.location, bool(end.scheme), bool(entry.variables))
        yield from _in_templates(inventory, service)
        place = service.command_location or service.location
        shown = " ".join(word for word in service.command if _SHOWN_BY.match(word))
        asked = (item for item in service.command_endpoints if item.scheme and f"//{item.host}" not in shown)
        for end in (*asked, *_awaited(service)):
            yield _Use(service, "the command", end, place)


def _in_templates(inventory: Inventory, service: Service) -> Iterator[_Use]:
    """What a service is given once somebody has made its environment file from the template that the repository has."""
    lacking = {posixpath.normpath(item.path) for item in service.env_files} - inventory.file_set
    told = {entry.name for entry in service.environment}
    for file in inventory.env_files if lacking else ():
        for line in file.lines if file.template and file.copied_to in lacking else ():
            if not line.commented and line.name not in told and not line.name.upper().endswith(_NO_ADDRESS):
                for end in line.endpoints:
                    yield _Use(service, line.name, end, line.location, bool(end.scheme), by_template=True)


def _awaited(service: Service) -> Iterator[Endpoint]:
    """What a command waits for before it starts; what it then starts has other words."""
    for command in service.commands:
        words = list(command.words[: command.words.index("--")] if "--" in command.words else command.words)
        programs = [word for word in words if _WAITS.fullmatch(posixpath.basename(word))]
        for word in words[words.index(programs[0]) + 1 :] if programs else ():
            yield from (end for end in endpoints("", word) if end.port and not end.scheme)


def _evidence(inventory: Inventory, host: str, uses: list[_Use]) -> Evidence:
    first, *others = uses
    certain = any(use.certain for use in uses)
    doubt = "" if certain else ", if it is meant as a host"
    return Evidence(
        f"{_named(first)} leads {_circumstance(first)}to {host}, which is neither a "
        f"service nor an alias of the project{doubt}.",
        first.location,
        subject=f"{first.service.name}/{host}",
        service=first.service.name,
        related=tuple(Related(use.location, f"{_named(use)} names it too", member=True) for use in others),
        recommendation=f"Correct {first.what}, or add a service {host}.",
        severity=_severity(first),
        confidence=None if certain and not first.by_template else Confidence.MEDIUM,
        change=_meant(inventory, first.service, host),
        example=compose_lines.new_service(inventory, host, [first.service]),
    )


def _severity(use: _Use) -> Severity | None:
    """What a template says of a web address is often of a part that can be left out."""
    file = stages.without_template_word(use.location.file) if use.by_template else use.location.file
    optional = use.by_template and use.end.scheme in ("", "http", "https")
    return Severity.LOW if optional or environments.is_for_development(file) else None


def _circumstance(use: _Use) -> str:
    return "as the template has it " if use.by_template else "by default " if use.by_default else ""


def _meant(inventory: Inventory, service: Service, host: str) -> tuple[str, str]:
    """The only service whose name is nearly the same."""
    near = difflib.get_close_matches(host, list(inventory.services_of(service.project)), n=2, cutoff=0.8)
    return (host, near[0]) if len(near) == 1 else ("", "")


def _named(use: _Use) -> str:
    text = f"{use.what} of {use.service.name}"
    return text[0].upper() + text[1:] if use.what.startswith("the ") else text
