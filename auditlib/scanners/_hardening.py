"""The lines that compose-lint's advice comes to, under the service that it is about."""

from __future__ import annotations

import itertools
import posixpath
import re
import textwrap
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from auditlib import stages
from auditlib.model import Confidence, Severity
from auditlib.patterns import regex
from auditlib.scanners._scanner import Issue

if TYPE_CHECKING:
    from auditlib.inventory import Inventory
    from auditlib.inventory.stack import Mount, Port, Service
    from auditlib.source import Source

_INDENTED = regex(r"\s+\S")
_PUBLIC = ("80:", "443:")
"""Ports of the host that a web server is likely to have for others."""
_OF_PROXIES = ("80", "443", "8080", "8443")
_BOUND = regex(r"127\.0\.0\.1:(?P<port>[\d:/a-z-]+)$", re.M)
_REMOVED = regex(r"^Remove '(?P<line>(?:pid|ipc): host)'")
_IMAGE = regex(r"image: (?P<image>\S+)")
_UNKNOWN_IMAGE = regex(r"'\$\{?\w+[^/}]*\}?'")
"""An image of which only the variable is known."""
_VARIABLE_TAG = regex(r"'[^']*:[\w.-]*\$\{?\w[^/']*'")
"""A tag that is chosen when the image is deployed: a digest behind it would win over each choice."""
_QUOTED = regex(r"'(?P<name>[^']+)'")
_DEVICE = regex(r"(?:device|rule) '(?P<name>[^']+)'")
_BY_RULE = {
    "CL-0013": "volumes:\n  # without {name}, or with that file of it that is read\n  - {name}/<the file>:{target}:ro",
    "CL-0001": "volumes:\n  # without {name}, or with the folders of it that are read\n  - <the folder>:{target}:ro",
    "CL-0005": 'ports:\n  - "127.0.0.1:{name}"  # unless other hosts are to reach it',
    "CL-0020": "environment:\n  {name}: ${{{name}:?set it in .env}}",
    "CL-0021": "environment:\n  {name}: <the address, with ${{PASSWORD:?set it in .env}} for its password>",
}
"""By rule the lines with what its text names in quotes."""
_OF_ONE_VALUE = 12
"""Lines that the words of a command may take."""
_OF_WORDS = """secrets: [<name>]
command: <a script that reads /run/secrets/<name> and hands it on as {name}>"""
_DEFAULT = regex(r"[\s=:\"'-]{1,8}[^\s$]{0,80}\$\{\w+:?-")
"""What follows a name where a variable fills in the value, unless nobody sets it."""
_TARGET = "<where it is read>"
_ACCESS = {
    "CL-0001": "SOCKET", "CL-0002": "PRIVILEGED", "CL-0005": "PORT", "CL-0008": "NETWORK", "CL-0010": "PROCESSES",
    "CL-0013": "FOLDER", "CL-0016": "DEVICE",
}  # fmt: skip
"""What of the host the rules are about, by its name in `host_access`."""
_OF_SERVICE = frozenset({"CL-0001", "CL-0008", "CL-0013", "CL-0016"})
"""The rules whose advice depends on what else the service has."""
_ABSENT = frozenset({"CL-0003", "CL-0006", "CL-0007", "CL-0026"})
"""Rules on what a service lacks; a file that only changes the service needn't say again what its base says."""
_OF_IMAGE = frozenset({"CL-0004", "CL-0019"})
_OF_HOME = frozenset({"CL-0013", "CL-0025"})
_PLAIN_FOLDER = regex(r"/(?:root|home/[^/]+)(?:/[^./][^/]*)+")
"""What somebody keeps in a home directory, as against the keys and settings in its hidden folders."""
_PROXY = """{service}:
  environment:
    DOCKER_HOST: tcp://docker-proxy:2375  # or the option by which {service} is told
docker-proxy:
  # with a network of {service}, if it names any
  image: tecnativa/docker-socket-proxy:<version>
  environment: {{CONTAINERS: 1}}
  volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]"""
_BRIDGED = """{service}:
  # without network_mode; services of the same network ask it as {service}, and only others need
  ports:{ports}"""
_BRIDGED_UNKNOWN = """{service}:
  # without network_mode; services of the same network ask it as {service}, and for others its port
  # goes under `ports`, with 127.0.0.1: before it unless other hosts ask"""


def is_public(rule: str, fix: str) -> bool:
    """Whether the advice closes a port that a web server or a proxy is likely to have for others."""
    bound = _BOUND.search(fix) if rule == "CL-0005" else None
    return bool(bound and bound["port"].startswith(_PUBLIC))


def change(rule: str, fix: str) -> tuple[str, str]:
    """The line at fault and what stands there instead, where the advice says both."""
    if is_public(rule, fix):
        return "", ""
    bound = _BOUND.search(fix) if rule == "CL-0005" else None
    removed = _REMOVED.search(fix)
    return (bound["port"], bound[0]) if bound else (removed["line"], "") if removed else ("", "")


def example(rule: str, service: str, message: str, fix: str) -> str:
    """The lines of the advice, or what is to be written where it says so in words."""
    if is_public(rule, fix):
        return ""
    if rule == "CL-0001" and "socket mounted" in message:
        return _PROXY.format(service=service)
    name = match["name"] if (match := _QUOTED.search(message)) else ""
    image = _IMAGE.search(fix)
    lines = own_lines(fix)
    if not lines and image:
        lines = f"image: {image['image'].replace('<version>', '<the version that runs today>')}"
    if rule == "CL-0007" and lines.rstrip().endswith("/run"):
        lines = f"{lines.rstrip()}\n  - <each other folder that it writes to, such as /var/cache/nginx>"
    if not lines and rule == "CL-0013" and posixpath.splitext(name.partition(":")[0])[1]:
        lines = f"# without the mount of {name}, unless nothing but this file will do"
    if not lines and name.startswith("-") and rule == "CL-0020":
        lines = _OF_WORDS.format(name=name)
    if not lines and name and rule in _BY_RULE:
        lines = _BY_RULE[rule].format(name=name, service=service, target=_TARGET)
    return f"{service}:\n{textwrap.indent(lines, '  ')}" if lines else ""


def adapted(issues: list[Issue], inventory: Inventory, source: Source) -> list[Issue]:
    """The issues with advice in the terms of the service: its program, devices and ports, where it mounts a folder."""
    issues = [_of_credential(issue, source) for issue in _holding(issues, inventory)]
    by_place = {((item.changed_at or item.location).file, item.name): item for item in inventory.services}
    taken: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
    for issue in issues:
        if issue.rule == "CL-0016" and (name := _DEVICE.search(issue.message)):
            taken[issue.location.file, issue.service].add(_plain(name["name"]))
    return [
        _editable(_adapted(issue, by_place[place], taken[place], inventory), source)
        if (place := (issue.location.file, issue.service or "")) in by_place
        else _editable(issue, source)
        for issue in issues
    ]


def _of_credential(issue: Issue, source: Source) -> Issue:
    """An issue about a literal: milder in a file for development, and in other words where it is only a default."""
    if issue.rule != "CL-0020":
        return issue
    lines = source.glance(issue.location.file).split("\n")[issue.location.line - 1 :][:_OF_ONE_VALUE]
    name = match["name"] if (match := _QUOTED.search(issue.message)) else ""
    _, stands, after = "\n".join(lines).partition(name) if name else ("", "", "")
    told = issue.message
    if stands and _DEFAULT.match(after):
        told = told.replace(
            "with a literal value", "with a default that stands in the file, where nobody sets the variable"
        )
    aside = stages.is_for_development(issue.location.file)
    return replace(issue, message=told, severity=Severity.LOW if aside else issue.severity)


def _editable(issue: Issue, source: Source) -> Issue:
    """The issue without an edit whose line the file doesn't have, as a variable stands there."""
    stands = issue.change[0] in source.glance(issue.location.file)
    return issue if stands else replace(issue, change=("", ""))


def _holding(issues: Iterable[Issue], inventory: Inventory) -> list[Issue]:
    """The issues that hold in view of the service's other files, and of the folder that is really mounted."""
    changed, limited = _changed(inventory), _limited(inventory)
    made = _made(inventory)
    entries = {(port.location.file, port.location.line, port.host_port) for port in _entries(inventory)}
    return [
        issue
        for issue in issues
        if not (issue.rule in _ABSENT and (issue.location.file, issue.service) in changed)
        and not (issue.rule == "CL-0026" and (issue.location.file, issue.service) in limited)
        and not (issue.rule in _OF_IMAGE and (issue.location.file, issue.service) in made)
        and not (issue.rule in _OF_IMAGE and _UNKNOWN_IMAGE.search(issue.message))
        and not (issue.rule == "CL-0019" and _VARIABLE_TAG.search(issue.message))
        and not (issue.rule in _OF_HOME and _PLAIN_FOLDER.fullmatch(_named(issue)))
        and not (issue.rule == "CL-0005" and (issue.location.file, issue.location.line, _host_port(issue)) in entries)
    ]


def _changed(inventory: Inventory) -> set[tuple[str, str | None]]:
    """The services that a file only changes, each by that file: another file of its project defines them."""
    files = {project.name: project.files for project in inventory.projects}
    return {
        (file, service.name)
        for service in inventory.services
        for file in files.get(service.project, ())
        if file != service.location.file
    }


def _limited(inventory: Inventory) -> set[tuple[str, str | None]]:
    """The services, each by the file that defines it, that need no limit there: another file that goes with it sets
    one, or they are for development.
    """
    from auditlib.conventions import environments  # when the scanners have been started

    return {
        (service.location.file, service.name)
        for service in inventory.services
        if service.memory_limit or service.cpu_limit or environments.is_for_developers(inventory, service)
    }


def _made(inventory: Inventory) -> set[tuple[str, str | None]]:
    """The services whose image is built here, or on the host, so that no registry gives it."""
    built = {(service.project, service.image) for service in inventory.services if service.build}
    return {
        (service.image_location.file, service.name)
        for service in inventory.services
        if service.build or (service.project, service.image) in built or service.image.endswith(":local")
    }


def _entries(inventory: Inventory) -> Iterable[Port]:
    """The ports by which the public is to come in: 80 and 443 of what is no store, console or monitoring program, and
    all of a reverse proxy's that web servers usually have."""
    from auditlib.conventions import proxies, services  # when the scanners have been started

    passing = {item.name for config in inventory.reverse_proxies for item in proxies.runners(inventory, config)}
    inner = services.DATASTORES | services.AUXILIARY | services.OBSERVABILITY
    for service in inventory.services:
        found = services.product(inventory, service)
        if found is None or found.kind not in inner:
            entries = _OF_PROXIES if service.name in passing else ("80", "443")
            yield from (port for port in service.ports if port.host_port in entries)


def _host_port(issue: Issue) -> str:
    """Of a port that an issue's text quotes the one of the host."""
    return match["name"].rpartition(":")[0].rpartition(":")[2] if (match := _QUOTED.search(issue.message)) else ""


def _named(issue: Issue) -> str:
    """The path that an issue's text quotes, without where it is mounted."""
    return match["name"].partition(":")[0] if (match := _QUOTED.search(issue.message)) else ""


def _adapted(issue: Issue, service: Service, taken: Collection[str], inventory: Inventory) -> Issue:
    known = _of_program(issue, service)
    if known is not None or issue.rule not in _OF_SERVICE:
        return known or issue
    return replace(issue, example=_own(issue, service, taken, inventory))


def _of_program(issue: Issue, service: Service) -> Issue | None:
    """The issue by what is known of the program that the service runs; None where nothing is."""
    from auditlib.conventions import host_access  # when the scanners have been started

    access = _ACCESS.get(issue.rule)
    found = host_access.need(service, host_access.Access[access], _mount(issue, service)) if access else None
    if found is None:
        return None
    program, need = found
    return replace(
        issue,
        program=program.name,
        recommendation=need.advice,
        severity=min(issue.severity, need.severity or issue.severity),
        confidence=Confidence.MEDIUM if need.user else issue.confidence,
        references=(program.manual, *issue.references),
        example=need.example.format(service=service.name),
        change=("", ""),
    )


def _mount(issue: Issue, service: Service) -> Mount | None:
    """The mount that an issue is about."""
    source = _named(issue)
    return next((item for item in service.mounts if item.source.rstrip("/") == source.rstrip("/")), None)


def _own(issue: Issue, service: Service, taken: Collection[str], inventory: Inventory) -> str:
    if issue.rule == "CL-0008":
        return _bridged(service, inventory)
    return _remaining(issue, service, taken) if issue.rule == "CL-0016" else _narrowed(issue, service)


def _narrowed(issue: Issue, service: Service) -> str:
    """The lines with the place at which the service mounts the folder that the issue is about."""
    mount = _mount(issue, service)
    return issue.example.replace(_TARGET, posixpath.join(mount.target, "<the same>")) if mount else issue.example


def _bridged(service: Service, inventory: Inventory) -> str:
    """The service on a network of its own, with the ports that its files or its image tell."""
    from auditlib.conventions import host_access, listening  # when the scanners have been started

    scraped = host_access.need(service, host_access.Access.PORT)
    address = "<the address that Prometheus scrapes>" if scraped else "127.0.0.1"
    ports = service.expose or tuple(listening.to_ask(inventory, service)) or _known(service)
    published = "".join(f'\n    - "{address}:{port.partition("/")[0]}:{port}"' for port in ports)
    return (_BRIDGED if ports else _BRIDGED_UNKNOWN).format(service=service.name, ports=published)


def _known(service: Service) -> tuple[str, ...]:
    from auditlib.conventions import exporters

    found = exporters.of_host(service.name, "")
    return tuple(found.ports) if found else ()


def _remaining(issue: Issue, service: Service, taken: Collection[str]) -> str:
    """The devices, or the rules for devices, that stay when what an intruder could use is gone."""
    of_rules = "device cgroup rule" in issue.message
    key, given = ("device_cgroup_rules", service.device_rules) if of_rules else ("devices", service.devices)
    left = [entry for entry in given if _plain(entry) not in taken]
    if not left:
        return f"{service.name}:\n  # without {key}, as nothing else stands there"
    return f"{service.name}:\n  {key}:" + "".join(f'\n    - "{entry}"' for entry in left)


def _plain(entry: str) -> str:
    """A device of the host, or a rule without what it allows, however it is spelled."""
    return posixpath.normpath(entry.partition(":")[0]) if entry.startswith("/") else " ".join(entry.split()[:2])


def own_lines(fix: str) -> str:
    """The lines of YAML below the first sentence; what follows them is for `compose-lint --explain`."""
    _, *rest = fix.split("\n")
    lines = textwrap.dedent("\n".join(itertools.takewhile(_INDENTED.match, rest)))
    return lines.replace("<SPECIFIC_CAP>", "<what it fails without, if anything>")
