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

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import programs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.redaction import Value
from auditlib.rules._rule import Evidence, rule


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
    found: defaultdict[str, dict[Location, str]] = defaultdict(dict)
    for name, place, who in _given(inventory, wanted):
        found[name].setdefault(place, who)
    for name, places in found.items():
        yield _evidence(name, places, wanted[name])


def _given(inventory: Inventory, wanted: dict[str, Setting]) -> Iterator[tuple[str, Location, str]]:
    for program in programs.programs(inventory) if wanted else ():
        for entry in program.service.environment:
            setting = wanted.get(entry.name.upper())
            if setting and program.holds(setting.location.file) and _is_no_json(entry.value):
                yield entry.name.upper(), entry.location, program.service.name
    for file in inventory.env_files:
        for line in file.lines:
            if line.name.upper() in wanted and not line.commented and _is_no_json(line.value):
                yield line.name.upper(), line.location, file.path


def _is_no_json(value: Value | None) -> bool:
    """Whether a value is there and begins neither a list nor a mapping, nor is a variable's."""
    text = value.text.strip().strip("'\"").strip() if value and not value.secret else ""
    return bool(text) and text[0] not in "[{$<"


def _evidence(name: str, places: dict[Location, str], setting: Setting) -> Evidence:
    (first, who), *others = places.items()
    return Evidence(
        f"{who} gives {name}, which {setting.attribute} reads as {setting.type}, and not as JSON: pydantic ends the "
        "program with an error.",
        first,
        subject=name,
        related=(
            Related(setting.location, "the setting"),
            *(Related(place, f"{other} does too", member=True) for place, other in others),
        ),
        recommendation=f'Write {name} as a list in JSON: `["…","…"]`.',
    )
