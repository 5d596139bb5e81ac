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

from auditlib.conventions import environments, programs
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_KINDS = {
    "production": ("production", "prod", "prd", "live"),
    "staging": ("staging", "stage", "stg", "preprod", "pre-production"),
    "development": ("development", "dev", "develop", "devel"),
    "testing": ("testing", "test", "tests"),
}
_ASIDE = frozenset((*_KINDS["development"], *_KINDS["testing"]))
_LITERAL = regex(r"Literal\[(?P<values>[^\]]*)\]")


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every value of an environment's name that the code of the service knows by another spelling only."""
    found: defaultdict[tuple[str, str, str], list[tuple[str, Location]]] = defaultdict(list)
    origins: defaultdict[tuple[str, str, str], dict[str, Location]] = defaultdict(dict)
    for program in programs.programs(inventory):
        for entry in program.service.environment:
            if entry.value is None or not environments.names_environment(entry.name):
                continue
            known = _known(inventory, program, entry.name)
            value = entry.value.text.strip()
            meant = _meant(value, set(known))
            if meant:
                found[entry.name, value, meant].append((program.service.name, entry.location))
                origins[entry.name, value, meant] = known | origins[entry.name, value, meant]
    for (name, value, meant), places in found.items():
        yield _evidence(name, value, meant, places, origins[name, value, meant])


def _known(inventory: Inventory, program: Program, variable: str) -> dict[str, Location]:
    """The names that a program's code compares with, allows, or takes by default, with one place each."""
    wanted = variable.upper()
    known: dict[str, Location] = {}
    for branch in inventory.environment_branches:
        if branch.variable.upper() == wanted and program.holds(branch.location.file):
            for value in branch.values:
                known.setdefault(value, branch.location)
    for setting in program.settings:
        if setting.name.upper() == wanted:
            literal = _LITERAL.search(setting.type)
            for value in re.findall(r"['\"]([^'\"]+)['\"]", literal["values"]) if literal else ():
                known.setdefault(value, setting.location)
            if known and setting.default is not None and setting.default_kind == "literal":
                known.setdefault(setting.default.text, setting.location)
    return known


def _meant(value: str, known: set[str]) -> str:
    """The known name of the same environment; empty if the value is known itself or means another one."""
    lower = {name.lower(): name for name in known}
    if value.lower() in lower:
        return ""
    spellings = next((names for names in _KINDS.values() if value.lower() in names), ())
    return next((lower[name] for name in spellings if name in lower), "")


def _evidence(
    name: str, value: str, meant: str, places: list[tuple[str, Location]], known: dict[str, Location]
) -> Evidence:
    (service, first), *others = places
    services = dict.fromkeys(item for item, _ in places)
    names = listed(f"`{text}`" for text in known)
    return Evidence(
        f"{name} is `{value}` for {listed(services)}; the code knows {names}, and `{value}` is none of them.",
        first,
        subject=f"{name}/{value}",
        service=service,
        related=(
            *(
                Related(where, f"{other} is given `{value}`, too", member=True)
                for other, where in others
                if where != first
            ),
            Related(known[meant], f"the code calls it `{meant}`"),
        ),
        severity=Severity.LOW if value.lower() in _ASIDE else None,
        recommendation=f"Write `{meant}` instead of `{value}` for {listed(services)}.",
        change=(value, meant),
    )
