"""Alertmanager's configuration names an alert that no rule raises.

A route or an inhibition by `alertname` matches nothing once the alert is called otherwise. The route's receiver hears
nothing, and the alert that was to be kept quiet is sent.

Anti-pattern:

    inhibit_rules:
      - source_matchers: [alertname="HostDown"]      # the rule is called InstanceDown
        target_matchers: [alertname="HighCpu"]

Better:

    inhibit_rules:
      - source_matchers: [alertname="InstanceDown"]
        target_matchers: [alertname="HighCpu"]

Recommendation:

    Write the name of the rule, or remove what was for an alert that is gone.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#matcher
- https://prometheus.io/docs/alerting/latest/configuration/#inhibition-related-settings
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase

from auditlib.conventions import deployment, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import LabelMatcher
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NAMES = regex(r"\^?\(?(?P<names>\w+(?:\|\w+)*)\)?\$?")
"""One name, or several of which a pattern takes each."""

_WORD = regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ALIKE = 0.75
"""How alike words are that are spelt in two ways (`Instance`, `Instances`), unlike `Docker` and `DNS`."""


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each name of a file's routes and inhibitions that no alert of the repository has, where all rules are here."""
    known = {item.name for item in monitoring.alerts(inventory)}
    if not known or _come_from_elsewhere(inventory):
        return
    found: defaultdict[tuple[str, str], list[tuple[str, str, Location]]] = defaultdict(list)
    for file, what, key, place, matchers in _uses(inventory):
        for name in _named(matchers) if not monitoring.is_template(file) else ():
            if name not in known:
                found[file, name].append((what, key, place))
    for (file, name), uses in found.items():
        yield _evidence(file, name, uses, known)


def _uses(inventory: Inventory) -> Iterator[tuple[str, str, str, Location, tuple[LabelMatcher, ...]]]:
    """What matches alerts: file, words for it, the key of its matchers, place and matchers."""
    for route in inventory.alert_routes:
        yield route.file, f"the route to {route.receiver}", "matchers", route.location, route.matchers
    for item in inventory.inhibit_rules:
        yield item.file, "an inhibition", "source_matchers", item.location, item.source
        yield item.file, "an inhibition", "target_matchers", item.location, item.target


def _named(matchers: tuple[LabelMatcher, ...]) -> Iterator[str]:
    for item in matchers:
        match = _NAMES.fullmatch(item.value) if item.name == "alertname" and item.operator in ("=", "=~") else None
        yield from match["names"].split("|") if match else ()


def _come_from_elsewhere(inventory: Inventory) -> bool:
    """Whether rules are loaded that the repository lacks, or its alerts are raised by more than these files."""
    patterns = [p for config in inventory.prometheus for p in monitoring.rule_patterns(inventory, config)]
    absent = any(not any(fnmatchcase(file, pattern) for file in inventory.files) for pattern in patterns)
    return absent or not patterns or bool(deployment.orchestrator_files(inventory))


def _is_meant(name: str, other: str) -> bool:
    """Whether two names differ in spelling or in a word that one has more, not in what they are about."""
    mine, others = ({word.lower() for word in _WORD.findall(each)} for each in (name, other))
    rest = sorted(mine - others), sorted(others - mine)
    alike = len(rest[0]) == len(rest[1]) and all(
        difflib.SequenceMatcher(None, *pair).ratio() >= _ALIKE for pair in zip(*rest, strict=True)
    )
    return not all(rest) or alike


def _evidence(file: str, name: str, uses: list[tuple[str, str, Location]], known: set[str]) -> Evidence:
    near = [item for item in difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.7) if _is_meant(name, item)]
    (what, key, place), *others = uses
    meant = f"; there is {near[0]}" if near else ""
    return Evidence(
        f"{what[:1].upper()}{what[1:]} names the alert {name}, and no rule of the repository is called so{meant}: "
        "unless something else sends it, that part never applies.",
        place,
        subject=name,
        related=tuple(Related(location, f"{other} names it too", member=True) for other, _, location in others),
        recommendation=f"Write {near[0]} in place of {name} in {file}."
        if near
        else f"Write the rule's name in place of {name} in {file}, or take it out.",
        example=files.into(file, f'{key}: [alertname="{near[0] if near else "<the name of the rule>"}"]'),
    )
