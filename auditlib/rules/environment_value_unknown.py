"""The environment is called by a name that the code doesn't know.

Code compares the name of its environment with fixed words. Another spelling of the same environment matches none of
them, so that the branch for everything else runs: usually the one that was meant for development.

Anti-pattern:

    # compose.yaml
    environment:
      ENVIRONMENT: stage
    # settings.py
    if settings.ENVIRONMENT == "staging":

Better:

    environment:
      ENVIRONMENT: staging

Recommendation:

    Use one spelling, and let the settings accept no other (`Literal["production", "staging", "development"]`).

References:

- https://docs.pydantic.dev/latest/concepts/pydantic_settings/
- https://12factor.net/config
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, programs, stacks
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_KINDS = {
    "production": ("production", "prod", "prd", "live"),
    "staging": ("staging", "stage", "stg", "preprod", "pre-production"),
    "development": ("development", "dev", "develop", "devel"),
    "testing": ("testing", "test", "tests"),
}
_ASIDE = frozenset((*_KINDS["development"], *_KINDS["testing"]))
_FILLED_IN = regex(r"[${<]")
_LITERAL = regex(r"Literal\[(?P<values>[^\]]*)\]")


_Key = tuple[str, str, str, bool]
"""The variable, its value, the known name of the same environment, and whether nothing beside the known is allowed."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every value of an environment's name that the code of the service doesn't allow, or knows by another spelling."""
    found: defaultdict[_Key, list[tuple[Service, Location]]] = defaultdict(list)
    origins: defaultdict[_Key, dict[str, Location]] = defaultdict(dict)
    probable = {item.service.key for item in programs.of_only_image(inventory)}
    for program in (*programs.programs(inventory), *programs.of_only_image(inventory)):
        for service, entry in _entries(inventory, program):
            known, closed = _known(inventory, program, entry.name)
            value = entry.value.text.strip() if entry.value else ""
            meant = _meant(value, set(known))
            if meant or (closed and value and value.lower() not in {name.lower() for name in known}):
                key = entry.name, value, meant, closed
                found[key].append((service, entry.location))
                origins[key] = known | origins[key]
    for key, places in found.items():
        yield _evidence(*key, places, origins[key], sure=not all(service.key in probable for service, _ in places))


def _entries(inventory: Inventory, program: Program) -> Iterator[tuple[Service, EnvironmentEntry]]:
    """What a program is told of its environment, by Compose or by an overlay that changes it."""
    seen: set[Location] = set()
    for service in stacks.variants(inventory, program.service):
        for entry in service.environment:
            plain = entry.value is not None and not _FILLED_IN.search(entry.value.text)
            if plain and environments.names_environment(entry.name) and entry.location not in seen:
                seen.add(entry.location)
                yield service, entry


def _known(inventory: Inventory, program: Program, variable: str) -> tuple[dict[str, Location], bool]:
    """The names that a program's code compares with, allows, or takes by default, with one place each; and whether it
    refuses all others.
    """
    settings = [item for item in program.settings if item.name.upper() == variable.upper()]
    if any(item.is_prepared for item in settings):
        return {}, False  # which spellings it takes, the code of the validator says
    allowed = {
        value: item.location for item in reversed(settings) if (literal := _LITERAL.search(item.type))
        for value in re.findall(r"['\"]([^'\"]+)['\"]", literal["values"])
    }  # fmt: skip
    known: dict[str, Location] = {}
    for branch in inventory.environment_branches:
        if branch.variable.upper() == variable.upper() and program.holds(branch.location.file):
            for value in branch.values:
                known.setdefault(value, branch.location)
    known = allowed or known
    for item in settings:
        if known and item.default is not None and item.default_kind == "literal":
            known.setdefault(item.default.text, item.location)
    return known, bool(allowed)


def _meant(value: str, known: set[str]) -> str:
    """The known name of the same environment; empty if the value is known itself or means another one."""
    lower = {name.lower(): name for name in known}
    if value.lower() in lower:
        return ""
    spellings = next((names for names in _KINDS.values() if value.lower() in names), ())
    return next((lower[name] for name in spellings if name in lower), "")


def _evidence(
    name: str,
    value: str,
    meant: str,
    closed: bool,
    places: list[tuple[Service, Location]],
    known: dict[str, Location],
    *,
    sure: bool,
) -> Evidence:
    (service, first), *others = places
    services = dict.fromkeys(item.name for item, _ in places)
    names = listed(f"`{text}`" for text in known)
    says = f"allows {names}, and refuses to start with `{value}`" if closed else (
        f"knows {names}, and `{value}` is none of them"
    )  # fmt: skip
    of_image = "" if sure else f", if {service.image} is made of it"
    right = meant or next(iter(known))
    return Evidence(
        f"{name} is `{value}` for {listed(services)}; the code {says}{of_image}.",
        first,
        subject=f"{name}/{value}",
        service=service.name,
        related=(
            *(
                Related(where, f"{other.name} is given `{value}`, too", member=True)
                for other, where in others
                if where != first
            ),
            Related(known[right], f"the code calls it `{meant}`" if meant else "what the code allows"),
        ),
        severity=Severity.LOW if value.lower() in _ASIDE else None,
        recommendation=f"Write `{meant}` instead of `{value}` for {listed(services)}."
        if meant
        else f"Write one of {names} for {listed(services)}, or have the code allow `{value}`.",
        change=(value, meant) if meant else ("", ""),
        example="" if meant else compose_lines.of_service(service, f"environment:\n  {name}: <{' or '.join(known)}>"),
        confidence=None if sure else Confidence.MEDIUM,
    )
