"""A switch is given a value that the code doesn't take for yes.

Code that compares a variable with `"True"` takes `true` and `1` for no. What somebody turned on stays off, and nothing
says so.

Anti-pattern:

    # settings.py
    DEBUG = os.getenv("DEBUG") == "True"
    # compose.yaml
    environment: { DEBUG: "true" }

Better:

    DEBUG = os.getenv("DEBUG", "").lower() in ("1", "true", "yes", "on")

Recommendation:

    Let the code take every usual spelling of yes, or write the value as the code compares it.

References:

- https://12factor.net/config
- https://docs.python.org/3/library/os.html#os.getenv
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import deployment, programs, switches
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import SwitchComparison
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


class _Given(Struct, frozen=True):
    """A value that a variable is given somewhere."""

    name: str
    value: str
    location: Location
    service: str = ""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every variable that is turned on, in Compose or elsewhere, in a spelling that no comparison takes."""
    compared: defaultdict[str, list[SwitchComparison]] = defaultdict(list)
    for item in inventory.switch_comparisons:
        compared[item.variable].append(item)
    found: defaultdict[tuple[str, str], list[_Given]] = defaultdict(list)
    for given in _given(inventory, set(compared)) if compared else ():
        if switches.counts_as_off(given.value, compared[given.name]):
            found[given.name, given.value].append(given)
    for (name, _), places in found.items():
        yield _evidence(places, compared[name])


def _given(inventory: Inventory, names: set[str]) -> Iterator[_Given]:
    """What the variables are given; Compose first, where the code of the service makes the comparison."""
    for program in programs.programs(inventory):
        mine = {item.variable for item in inventory.switch_comparisons if program.holds(item.location.file)}
        for entry in program.service.environment:
            if entry.name in mine and entry.value is not None:
                yield _Given(entry.name, entry.value.text.strip(), entry.location, program.service.name)
    for file in inventory.env_files:
        for line in file.lines:
            if line.name in names and line.value is not None and not line.commented:
                yield _Given(line.name, line.value.text.strip("\"' "), line.location)
    for pair in deployment.workflow_variables(inventory):
        if pair.name in names:
            yield _Given(pair.name, pair.value.strip(), pair.location)


def _evidence(places: list[_Given], compared: list[SwitchComparison]) -> Evidence:
    first = places[0]
    others = dict.fromkeys(item.location for item in places if item.location != first.location)
    return Evidence(
        f"{first.name} is `{first.value}`{f' for {first.service}' if first.service else ''}; the code compares it with "
        f"`{compared[0].value}` as it is written, so that it counts as off.",
        first.location,
        subject=f"{first.name}/{first.value}",
        service=first.service or None,
        related=(
            Related(compared[0].location, "the comparison"),
            *(Related(place, f"`{first.value}` too", member=True) for place in others),
        ),
        recommendation=_advice(first, compared[0]),
        severity=Severity.LOW if switches.is_debug_switch(first.name) else None,
        confidence=None if first.service else Confidence.MEDIUM,
        example=_lines(first, _off(compared[0].value) if switches.is_debug_switch(first.name) else compared[0].value),
    )


def _advice(given: _Given, compared: SwitchComparison) -> str:
    """What makes the value count; one that is to stay off in production is better said so."""
    other = "in lower case" if given.value.lower() == compared.value.lower() else f"with `{given.value}` too"
    code = f"let {compared.location.file} compare {given.name} {other}"
    if switches.is_debug_switch(given.name):
        return f"Write `{_off(compared.value)}` where it is to stay off; else `{compared.value}`, or {code}."
    return f"Write `{compared.value}`, or {code}."


def _off(value: str) -> str:
    """No, in the way of a yes."""
    return "0" if value == "1" else "False" if value[:1].isupper() else "false"


def _lines(first: _Given, value: str) -> str:
    """The variable in the spelling of the code; quoted, as YAML has spellings of its own for yes and no."""
    if first.service:
        return compose_lines.of_name(first.service, f'environment:\n  {first.name}: "{value}"')
    plain = f"{first.name}={value}" if ".env" in first.location.file else f'env:\n  {first.name}: "{value}"'
    return files.into(first.location.file, plain)
