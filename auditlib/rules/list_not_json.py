"""A list for pydantic isn't written as JSON.

pydantic reads lists and mappings from the environment as JSON. One separated by commas ends the program at its start
with an error, before any validator of the field sees it.

Anti-pattern:

    # settings.py
    class Settings(BaseSettings):
        allowed_hosts: list[str]
    # .env
    ALLOWED_HOSTS=shop.acme.io,api.acme.io

Better:

    ALLOWED_HOSTS=["shop.acme.io","api.acme.io"]

Recommendation:

    Write the value as JSON, or take `Annotated[list[str], NoDecode]` with a validator that splits it.

References:

- https://docs.pydantic.dev/latest/concepts/pydantic_settings/#parsing-environment-variable-values
"""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import mounts, programs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, Setting
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.redaction import Value
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SCALAR = regex(r"-?\d+(?:\.\d+)?|true|false|null")
"""What is JSON, and no list; whoever writes it may mean one."""


class _Given(Struct, frozen=True):
    """A place where a variable is given something else than JSON, and by whom: a service, or a file."""

    name: str
    value: str
    location: Location
    service: Service | None = None
    variable: str = ""
    """The variable of Compose whose default the value is."""

    @property
    def giver(self) -> str:
        """What people call who gives it."""
        return self.service.name if self.service else self.location.file


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every such setting with the places of Compose and environment files that give it something else than JSON."""
    wanted: dict[str, Setting] = {}
    for item in inventory.settings:
        for name in (item.name, *item.aliases) if item.wants_json else ():
            wanted.setdefault(name.upper(), item)
    for item in inventory.settings:
        if not item.wants_json:  # the variable may be meant for that reader
            wanted.pop(item.name.upper(), None)
    found: defaultdict[str, dict[Location, _Given]] = defaultdict(dict)
    for given in _given(inventory, wanted):
        found[given.name].setdefault(given.location, given)
    for name, places in found.items():
        yield _evidence(list(places.values()), wanted[name])


def _given(inventory: Inventory, wanted: dict[str, Setting]) -> Iterator[_Given]:
    for program in programs.programs(inventory) if wanted else ():
        for entry in program.service.environment:
            setting = wanted.get(entry.name.upper())
            text = _no_json(entry.value) if setting and program.holds(setting.location.file) else ""
            own = entry.origin == "environment"
            if text:
                variable = entry.variables[0] if len(entry.variables) == 1 else ""
                yield _Given(entry.name.upper(), text, entry.location, program.service if own else None, variable)
    for file in inventory.env_files:
        for line in file.lines:
            setting = wanted.get(line.name.upper())
            read = setting is not None and _reaches(inventory, file, setting) and not line.commented
            text = _no_json(line.value) if read else ""
            if text:
                yield _Given(line.name.upper(), text, line.location)


def _reaches(inventory: Inventory, file: EnvFile, setting: Setting) -> bool:
    """Whether a program with the setting may read a file: one above its code, or one that a service is given."""
    if mounts.is_below(setting.location.file, posixpath.dirname(file.path)):
        return True
    made = {file.path, file.copied_to}
    given = (item for item in programs.programs(inventory) if item.holds(setting.location.file))
    return any(not made.isdisjoint(ref.path for ref in item.service.env_files) for item in given)


def _no_json(value: Value | None) -> str:
    """A value that begins neither a list nor a mapping and is no variable's; empty for any other."""
    text = value.text.strip().strip("'\"").strip() if value and not value.secret else ""
    return "" if text[:1] in ("[", "{", "$", "<") or _SCALAR.fullmatch(text) else text


def _json(text: str, setting: Setting) -> str:
    if "dict" in setting.type.lower():
        return '{"<key>":"<value>"}'
    parts = [part.strip() for part in text.split(",")]
    numbers = "int" in setting.type.lower() and all(part.isdecimal() for part in parts)
    return json.dumps(list(map(int, parts)) if numbers else parts, separators=(",", ":"), ensure_ascii=False)


def _lines(given: _Given, wanted: str) -> str:
    if given.service is None:
        return files.into(given.location.file, f"{given.name}={wanted}")
    value = f"${{{given.variable}:-{wanted}}}" if given.variable else wanted
    return compose_lines.of_service(given.service, f"environment:\n  {given.name}: '{value}'")


def _evidence(places: list[_Given], setting: Setting) -> Evidence:
    first, *others = places
    wanted = _json(first.value, setting)
    sure = first.service is None and "<" not in wanted
    by_default = "By default " if first.variable else ""
    return Evidence(
        f"{by_default}{first.giver} gives {first.name}, which {setting.attribute} reads as {setting.type}, and not as "
        "JSON: pydantic ends the program with an error.",
        first.location,
        subject=first.name,
        related=(
            Related(setting.location, "the setting"),
            *(Related(item.location, f"{item.giver} does too", member=True) for item in others),
        ),
        recommendation=f"Write {first.name} in JSON: `{wanted}`.",
        change=(f"={first.value}", f"={wanted}") if sure else ("", ""),
        example=_lines(first, wanted),
    )
