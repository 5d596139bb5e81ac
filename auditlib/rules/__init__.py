"""The rules: one a file, found by being there. A rule judges what the readers found and never opens a file."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from auditlib import nearest
from auditlib.errors import UsageError
from auditlib.model import Coverage, Finding, Location, Read, Related, Severity
from auditlib.rules._rule import Documentation, Evidence, Rule
from auditlib.rules._subject import is_held

if TYPE_CHECKING:
    from auditlib.graph import DependencyGraph
    from auditlib.inventory import Inventory

__all__ = ["Documentation", "Evidence", "Rule", "catalogue", "check", "find", "is_held", "order"]


@cache
def catalogue() -> dict[str, Rule]:
    """All rules by id, sorted."""
    names = sorted(name for _, name, _ in pkgutil.iter_modules(__path__) if not name.startswith("_"))
    rules = [importlib.import_module(f"{__name__}.{name}").check for name in names]
    return {rule.id: rule for rule in rules}


def find(rule_id: str) -> Rule:
    """The rule of this id. Raises UsageError, with the nearest ids, if there is none."""
    if rule_id in catalogue():
        return catalogue()[rule_id]
    hint = nearest.hint(rule_id, list(catalogue()), "`auditlib rules` lists all.")
    raise UsageError(f"there is no rule {rule_id!r}; {hint}")


def check(
    inventory: Inventory, graph: DependencyGraph, rules: Iterable[Rule] | None = None
) -> tuple[list[Finding], list[Coverage]]:
    """What the rules (all, or these) find, the worst first; and a coverage entry for a rule that failed."""
    findings: list[Finding] = []
    failures: list[Coverage] = []
    for rule in catalogue().values() if rules is None else rules:
        try:
            evidence = list(rule.check(inventory, graph))
        except Exception as error:  # one rule's defect must not cost the audit; it is reported
            failures.append(Coverage(".", f"rule {rule.id}", Read.FAILED, f"{type(error).__name__} in the rule"))
            continue
        findings += _findings(rule, evidence, inventory)
    return sorted(findings, key=order), failures


def _findings(rule: Rule, evidence: list[Evidence], inventory: Inventory) -> list[Finding]:
    """One for each place and message: a service that an overlay changes is seen twice, its fault is one."""
    seen: Counter[tuple[str, str]] = Counter()
    findings = []
    distinct: dict[tuple[Location, str], Evidence] = {}
    for item in evidence:
        distinct.setdefault((item.location, item.message), item)
    for item in distinct.values():
        key = (item.location.file, item.subject)
        losers = inventory.losers.get(item.location, ())
        severity = item.severity or rule.severity
        if item.location.file in inventory.development_files:
            severity = min(severity, Severity.LOW)
        findings.append(_finding(rule, item, severity, seen[key], losers))
        seen[key] += 1
    return findings


def _finding(rule: Rule, item: Evidence, severity: Severity, repetition: int, losers: tuple[Location, ...]) -> Finding:
    return Finding(
        rule=rule.id,
        title=rule.title,
        message=item.message,
        severity=severity,
        confidence=item.confidence or rule.confidence,
        area=rule.area,
        effort=rule.effort,
        location=item.location,
        recommendation=item.recommendation or rule.documentation.recommendation,
        service=item.service,
        subjects=_names(item),
        related=(
            *item.related,
            *(Related(loser, "this value is overridden where both files are used") for loser in losers),
        ),
        references=rule.documentation.references,
        fingerprint=_fingerprint(rule.id, item.location.file, item.subject, str(repetition)),
        change=item.change,
        example=item.example,
    )


def _names(item: Evidence) -> tuple[str, ...]:
    """What a finding's subject is or ends with, where the message calls it so too and it is more than a word."""
    last = item.subject.rpartition("/")[2]
    names = [item.subject, *([] if last.isalpha() and last.islower() else [last])]
    return tuple(name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", item.message))[:1]


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def order(finding: Finding) -> tuple[int, str, str, str, int, str]:
    """The order of findings everywhere: the worst first, then by area, rule and place."""
    place = finding.location
    return (-finding.severity.rank, finding.area.value, finding.rule, place.file, place.line, finding.message)
