"""Debugging is on unless somebody turns it off.

Debug pages show settings, paths and source code to whoever causes an error; Werkzeug's debugger even runs code. What is
on by default is on in production as soon as one variable is forgotten.

Anti-pattern:

    environment:
      DEBUG: ${DEBUG:-true}

Better:

    environment:
      DEBUG: ${DEBUG:-false}
    # and in compose.override.yaml, for development:
      DEBUG: "true"

Recommendation:

    Let debugging default to off everywhere, and turn it on in files for development alone.

References:

- https://docs.djangoproject.com/en/stable/ref/settings/#debug
- https://flask.palletsprojects.com/en/stable/debugging/
- https://cwe.mitre.org/data/definitions/489.html
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.compose.discovery import is_compose_file
from auditlib.conventions import debuggers, environments, programs, published_ports, services, starting, switches
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every switch of debugging by its name, with all the places where it is on."""
    found: defaultdict[str, dict[tuple[str, int], _Place]] = defaultdict(dict)
    told = (*_in_compose(inventory), *_in_files(inventory), *_in_images(inventory), *_in_code(inventory))
    for name, place, text, value in told:
        if not environments.in_development_file(inventory, place.file):
            found[name].setdefault((place.file, place.line), (name, place, text, value))
    for name, places in found.items():
        items = list(places.values())
        yield _evidence(inventory, name, items, known=_is_read_by_framework(inventory, name, items))
    for item in inventory.debug_switches:
        if item.name == _GIN and not environments.is_for_development(item.location.file):
            yield _of_gin(item.location)
        known = (item.location.file, item.location.line) in found.get(item.name, {})
        if item.main and not known and not environments.is_for_development(item.location.file):
            yield _only_when_run(item.name, item.location)
    for service in inventory.distinct_services:
        if not environments.only_for_development(service):
            yield from _waiting_debugger(inventory, service)


_GIN = "gin.SetMode"


def _of_gin(place: Location) -> Evidence:
    return Evidence(
        f"{place.file} sets Gin to debug in every environment, whatever GIN_MODE says: it writes all routes and "
        "warnings to the log, and loads templates anew for each request.",
        place,
        subject=f"{place.file}/{_GIN}",
        recommendation=f"Remove the call from {place.file}, and set GIN_MODE to release where it is deployed.",
        severity=Severity.LOW,
        example=files.into(place.file, "// without gin.SetMode; Compose: GIN_MODE: release"),
    )


_Place = tuple[str, Location, str, str]
"""Name, place, how it is on there, and the value that says so, where one stands there."""
_NO = frozenset({"0", "false", "no", "off"})
"""Values by which another file, such as an overlay for production, turns off what one turns on."""
_BASES = frozenset({"base.py", "common.py", "default.py", "defaults.py", "__init__.py"})
_OFF = {"debug": "release", "true": "false", "True": "False", "TRUE": "FALSE", "on": "off", "yes": "no", "1": "0"}


def _in_compose(inventory: Inventory) -> Iterator[_Place]:
    off = _read_as_off(inventory)
    overlaid = {(service.name, entry.name) for service in inventory.services for entry in service.environment
                if entry.value and not entry.variables and entry.value.text.lower() in _NO}  # fmt: skip
    for service in inventory.services:
        if not environments.only_for_development(service):
            for entry in service.environment:
                value = entry.value.text if entry.value else ""
                on = switches.is_debug_switch(entry.name) and switches.is_on(value)
                if (service.name, entry.name) in overlaid:
                    continue
                if (on or switches.is_debug_mode(entry.name, value)) and entry.location not in off:
                    how = "by default" if entry.variables else "always"
                    yield entry.name, entry.location, f"on {how} in {service.name}", value


def _read_as_off(inventory: Inventory) -> set[Location]:
    """Where Compose turns a switch on in a spelling that the service's code takes for no."""
    off: set[Location] = set()
    for program in programs.programs(inventory) if inventory.switch_comparisons else ():
        mine = [item for item in inventory.switch_comparisons if program.holds(item.location.file)]
        for entry in program.service.environment:
            compared = [item for item in mine if item.variable == entry.name]
            if entry.value and switches.counts_as_off(entry.value.text.strip(), compared):
                off.add(entry.location)
    return off


def _in_files(inventory: Inventory) -> Iterator[_Place]:
    """Environment files in use; the environment of a service that takes one of them has its lines already."""
    for file in inventory.env_files:
        for line in file.lines if not file.template else ():
            value = line.value.text if line.value is not None and switches.is_debug_switch(line.name) else ""
            compared = (item for item in inventory.switch_comparisons if item.variable == line.name)
            if switches.is_on(value) and not switches.counts_as_off(value.strip("\"' "), compared):
                yield line.name, line.location, f"on in {file.path}", value


def _in_images(inventory: Inventory) -> Iterator[_Place]:
    """What the last stage of a Dockerfile turns on, unless Compose says otherwise of a service that is built by it, or
    all that are built by it are for development.
    """
    users: defaultdict[str, list[Service]] = defaultdict(list)
    for service in inventory.services:
        if service.build and (file := services.dockerfile(inventory, service)) is not None:
            users[file.path].append(service)
    for file in inventory.dockerfiles:
        mine = users.get(file.path, [])
        if mine and all(environments.only_for_development(item) for item in mine):
            continue
        given = {entry.name for item in mine for entry in item.environment}
        for item in services.final_stage(file, "")[1]:
            for name, value in item.variables if item.keyword == "ENV" else ():
                on = value is not None and switches.is_debug_switch(name) and switches.is_on(value.text)
                if on and value is not None and name not in given:
                    yield name, item.location, f"on in {file.path}", ""


def _in_code(inventory: Inventory) -> Iterator[_Place]:
    for setting in inventory.settings:
        literal = setting.default is not None and setting.default_kind == "literal"
        if (
            literal
            and not setting.unused
            and switches.is_debug_switch(setting.name)
            and switches.is_on(str(setting.default))
        ):
            yield setting.name, setting.location, f"on by default in {setting.location.file}", str(setting.default)
    for item in inventory.debug_switches:
        if not item.main and item.name != _GIN and not _is_base(inventory, item.location.file):
            yield item.name, item.location, f"on in {item.location.file}", ""


def _is_base(inventory: Inventory, path: str) -> bool:
    """Whether settings are those on which a module for production, beside them, builds."""
    folder, name = posixpath.split(path)
    beside = (posixpath.join(folder, other) for other in ("production.py", "prod.py"))
    return name in _BASES and any(other in inventory.file_set for other in beside)


_FRAMEWORKS = {"manage.py", "artisan", "bin/console"}
"""Programs of Django, Laravel and Symfony, which read the switch themselves."""


def _is_read_by_framework(inventory: Inventory, name: str, places: list[_Place]) -> bool:
    """Whether a framework acts on the switch: it is one of its own, or stands where the framework is set up."""
    set_up = {(item.location.file, item.location.line) for item in inventory.debug_switches}
    own = name.startswith(("FLASK_", "DJANGO_")) or any((place.file, place.line) in set_up for _, place, _, _ in places)
    return own or any(path.endswith(f"/{end}") or path == end for path in inventory.files for end in _FRAMEWORKS)


def _evidence(inventory: Inventory, name: str, places: list[_Place], *, known: bool) -> Evidence:
    (_, first, text, value), *others = places
    is_field = first in [item.location for item in code_lines.settings_fields(inventory, first.file)]
    effect = "runs with what the code does for debugging: it may log secrets, or show errors and code to callers"
    if known:
        effect = "shows its errors, settings and code to every caller"
    return Evidence(
        f"{name} is {text}: a deployment that doesn't turn it off {effect}.",
        first,
        subject=name,
        confidence=None if known else Confidence.MEDIUM,
        related=tuple(Related(place, said, member=True) for _, place, said, _ in others),
        recommendation=f"Let {name} default to {_OFF.get(value, 'false')} in {first.file}, and set it to "
        f"{value if value in _OFF else 'true'} in a file for development.",
        change=(value, _OFF[value]) if value in _OFF else ("", ""),
        example=""
        if is_field and value in _OFF
        else files.into(first.file, _from_outside(name, first.file, value if value in _OFF else "true")),
    )


def _from_outside(name: str, file: str, on: str = "true") -> str:
    """The switch, off unless the environment turns it on by the word that does so now."""
    if "(" in name:
        return name.replace("=True", f'=os.environ.get("APP_DEBUG") == "{on}"')
    variable = re.sub(r"\W+", "_", name).strip("_").upper()
    if file.endswith(".py"):
        return f'{name} = os.environ.get("{variable}") == "{on}"'
    if file.endswith((".js", ".ts", ".mjs")):
        return f'{name}: process.env.{variable} === "{on}"'
    if "dockerfile" in posixpath.basename(file).lower():
        return f"ENV {variable}=false"
    return f"{variable}: ${{{variable}:-false}}" if is_compose_file(posixpath.basename(file)) else f"{variable}=false"


def _waiting_debugger(inventory: Inventory, service: Service) -> Iterator[Evidence]:
    """The first debugger that a service opens to other hosts, by its command, its image's, or its environment."""
    told = [(" ".join(start.words), start.location) for start in starting.of(inventory, service)]
    told += [(entry.value.text, entry.location) for entry in service.environment if entry.value is not None]
    for text, place in told:
        found = debuggers.opened(text)
        if found and not environments.is_for_development(place.file):
            yield _of_debugger(service, place, *found)
            return


def _of_debugger(service: Service, place: Location, what: str, option: str, port: str) -> Evidence:
    published = any(item.target == port for item in published_ports.public_ports(service))
    reach = "which is published" if published else "which every container of its networks reaches"
    return Evidence(
        f"{service.name} opens the debugger of {what} on port {port}, {reach}: it asks for no password, and runs any "
        "code that it is sent.",
        place,
        subject=f"{service.name}/debugger",
        service=service.name,
        recommendation=f"Start {service.name} without `{option}`, and open the debugger in a file for development.",
        severity=Severity.HIGH if published else None,
        example=f"# compose.override.yaml, for development alone, with `{option}` in the command\n"
        f'services:\n  {service.name}:\n    ports: ["127.0.0.1:{port}:{port}"]',
    )


def _only_when_run(name: str, place: Location) -> Evidence:
    return Evidence(
        f"{name} in {place.file}: where the file itself is started, and not by an application server, debugging is on.",
        place,
        subject=f"{place.file}/{name}",
        recommendation=f"Read the switch from the environment in {place.file}, off by default.",
        example=files.into(place.file, _from_outside(name, place.file)),
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
    )
