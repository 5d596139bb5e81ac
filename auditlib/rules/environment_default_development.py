"""Without a word the software runs as in development.

The variable that names the environment defaults to development. A deployment that forgets to set it runs with what
development allows: open CORS, debug pages, verbose errors, relaxed cookies. A default should be the safe side.

Anti-pattern:

    environment:
      ENVIRONMENT: ${ENVIRONMENT:-development}

Better:

    environment:
      ENVIRONMENT: ${ENVIRONMENT:?production, staging or development}

Recommendation:

    Demand the variable, or let it default to production; set development where development happens, in
    `compose.override.yaml` or in the developers' `.env`.

References:

- https://12factor.net/config
- https://docs.docker.com/compose/how-tos/production/
- https://cwe.mitre.org/data/definitions/1188.html
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, image_folders, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service, Variable
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import counted
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OF_FRAMEWORKS = frozenset({"ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT", "RAILS_ENV"})
"""What the framework itself decides by, whatever the code does: errors with their code, caches, checks."""

_OF_LIBRARIES = frozenset({"NODE_ENV", "APP_ENV", "FLASK_ENV", "RACK_ENV", "GIN_MODE"})
"""What libraries decide by where they are used."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every environment-like variable whose default, in Compose or in code, names development."""
    places: defaultdict[str, dict[Location, str]] = defaultdict(dict)
    for name, location, text, where in (*_in_compose(inventory), *_in_code(inventory)):
        meant = environments.names_environment(name) and environments.is_development(text)
        if meant and not environments.is_for_development(location.file):
            places[name].setdefault(location, f"{where} defaults to `{text}`")
    for name, found in places.items():
        if not _is_decided_without(inventory, name) and not _is_told(inventory, name):
            yield _evidence(inventory, name, found)


def _is_decided_without(inventory: Inventory, name: str) -> bool:
    """Whether all that decides by the variable reads it by itself, without the default that stands elsewhere."""
    bare = {_spot(item.location) for item in inventory.settings if item.name == name and item.default is None}
    deciding = [item for item in inventory.environment_branches if item.variable.upper() == name.upper()]
    return bool(deciding) and all(_spot(item.location) in bare for item in deciding)


def _is_told(inventory: Inventory, name: str) -> bool:
    """Whether no code was seen to decide by it, and a template has people set it to something else or Compose doesn't
    know it: a label that goes into logs and traces may say what it will.
    """
    deciding = any(item.variable.upper() == name.upper() for item in inventory.environment_branches)
    deciding = deciding or name.upper() in _OF_FRAMEWORKS
    libraries = name.upper() in _OF_LIBRARIES
    filled = any(item.name == name for item in inventory.variables)
    return not deciding and (_has_template(inventory, name) or not (libraries or filled))


def _has_template(inventory: Inventory, name: str) -> bool:
    """Whether a template sets the variable to something else than development."""
    lines = (line for file in inventory.env_files if file.template for line in file.lines if line.name == name)
    return any(line.value and not environments.is_development(line.value.text) for line in lines)


def _comes_by_file(inventory: Inventory, name: str) -> bool:
    """Whether services get the variable, if at all, by a file that Compose itself doesn't read."""
    filled = any(item.name == name for item in inventory.variables)
    given = any(entry.name == name for item in inventory.services for entry in item.environment)
    return not filled and not given and any(item.env_files for item in inventory.services)


def _is_fixed(inventory: Inventory, name: str) -> bool:
    """Whether Compose gives the variable a value of its own wherever it gives it, so that nobody is to choose one."""
    given = [entry for item in inventory.services for entry in item.environment if entry.name == name]
    return bool(given) and all(
        entry.value is not None and not entry.variables and not environments.is_development(entry.value.text)
        for entry in given
    )


def _spot(place: Location) -> tuple[str, int]:
    return place.file, place.line


def _in_compose(inventory: Inventory) -> Iterator[tuple[str, Location, str, str]]:
    """The defaults of variables, apart from those that choose the stage of a Dockerfile."""
    for item in inventory.variables:
        chooses_stage = item.target.endswith(".build.target")
        if item.operator in (":-", "-") and item.default is not None and not chooses_stage:
            yield item.name, item.location, item.default.text, item.service or "Compose"


def _in_code(inventory: Inventory) -> Iterator[tuple[str, Location, str, str]]:
    """Settings with a default, apart from those that Compose always passes and that every image sets."""
    demanded = {item.name for item in inventory.variables if item.operator in (":?", "?")}
    images = list(_images(inventory))
    for item in inventory.settings:
        if item.default is None or item.default_kind != "literal" or item.name in demanded:
            continue
        holding = [image.sets for image in images if image.may_hold(item.location.file)]
        if not (holding and all(item.name in names for names in holding)):
            yield item.name, item.location, item.default.text, item.attribute or "the code"


class _Image(Struct, frozen=True):
    """An image that isn't for development and runs a program."""

    sets: frozenset[str]
    """The variables that its ENV sets."""
    contexts: tuple[str, ...]
    """The folders that Compose builds it from; none where nobody is seen to build it."""

    def may_hold(self, path: str) -> bool:
        return not self.contexts or any(mounts.is_below(path, folder) for folder in self.contexts)


def _images(inventory: Inventory) -> Iterator[_Image]:
    built: defaultdict[str, list[Service]] = defaultdict(list)
    for service in inventory.services:
        if file := services.dockerfile(inventory, service):
            built[file.path].append(service)
    for file in inventory.dockerfiles:
        base, final = services.final_stage(file)
        if not environments.is_for_development(file.path) and not image_folders.is_file_server(base):
            folders = (posixpath.normpath(item.build.context or ".") for item in built[file.path] if item.build)
            contexts = tuple("" if folder == "." else folder for folder in folders)
            sets = frozenset(name for item in final if item.keyword == "ENV" for name, _ in item.variables)
            yield _Image(sets, contexts)


def _evidence(inventory: Inventory, name: str, places: dict[Location, str]) -> Evidence:
    (location, first), *others = places.items()
    in_compose = location.file.endswith((".yml", ".yaml"))
    in_yaml = all(place.file.endswith((".yml", ".yaml")) for place in places)
    in_code = "" if in_yaml else " and remove the default from the code"
    apart = not in_compose and (_comes_by_file(inventory, name) or _is_fixed(inventory, name))
    branches = {item.location: item for item in inventory.environment_branches if item.variable.upper() == name.upper()}
    number = len({_spot(place) for place in branches})
    return Evidence(
        f"{name} defaults to development ({first}): {_said(name, number)}.",
        location,
        subject=name,
        related=(
            *(Related(place, text) for place, text in others),
            *(
                Related(place, f"decides by {name}: {', '.join(item.targets) or 'a branch'}")
                for place, item in branches.items()
            ),
        ),
        severity=None if (branches and not _has_template(inventory, name)) or in_compose else Severity.LOW,
        confidence=None if number else Confidence.MEDIUM,
        recommendation=f"Remove the default from the code, so that a start without {name} fails."
        if apart
        else f"Write `${{{name}:?set it in .env}}` in Compose{in_code}.",
        change=next((_change(item) for item in inventory.variables if item.location == location), ("", "")),
        example=files.into(location.file, code_lines.in_code(inventory, name, location.file))
        if apart
        else code_lines.required([name]),
    )


def _said(name: str, number: int) -> str:
    """What a deployment without the variable gets, as far as somebody is seen to decide by it."""
    unset = "a deployment that doesn't set it"
    if number:
        decide = f"{counted(number, 'place')} in the code {'decides' if number == 1 else 'decide'} by it"
        return f"{unset} runs as on a developer's machine; {decide}"
    if name.upper() in _OF_FRAMEWORKS:
        return f"{unset} runs as on a developer's machine, as the framework decides by it"
    return f"what decides by it, which no code here was seen to do, takes {unset} for a developer's machine"


def _change(variable: Variable) -> tuple[str, str]:
    default = variable.default.text if variable.default else ""
    return f"${{{variable.name}{variable.operator}{default}}}", f"${{{variable.name}:?set it in .env}}"
