"""The work that the findings ask for: one item a rule, in four themes, ranked by risk against effort."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditlib.model import Area, Confidence, Effort, Finding, Location, Severity, Status

THEMES: dict[Area, str] = {
    Area.CONFIGURATION: "Secrets & Config",
    Area.MONITORING: "Monitoring Integration",
    Area.CICD: "CI Enhancements",
    Area.ORCHESTRATION: "Deployment Guide",
    Area.RESILIENCE: "Deployment Guide",
}
"""The theme that an area's work belongs to, in the order in which a report names them."""

WEIGHT: dict[Severity, float] = {
    Severity.CRITICAL: 40,
    Severity.HIGH: 16,
    Severity.MEDIUM: 6,
    Severity.LOW: 2,
    Severity.INFO: 0,
}
"""What one finding of a severity adds to a risk; each step is about two and a half times the one below."""
CERTAINTY: dict[Confidence, float] = {Confidence.HIGH: 1.0, Confidence.MEDIUM: 0.7, Confidence.LOW: 0.4}
DAYS: dict[Effort, float] = {Effort.SMALL: 0.25, Effort.MEDIUM: 1.5, Effort.LARGE: 8}
"""What an effort is taken to be, in days; see `Effort`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of work: it closes all open findings of one rule."""

    rank: int
    theme: str
    rule: str
    title: str
    severity: Severity
    """Of its worst finding."""
    effort: Effort
    risk: float
    """The weights of its findings, together."""
    first_step: str
    findings: tuple[str, ...]
    """The fingerprints of the findings that it closes."""
    places: tuple[Location, ...]


def risk_of(finding: Finding) -> float:
    """The risk that one finding stands for: its severity's weight, less where the finding is less certain."""
    return WEIGHT[finding.severity] * CERTAINTY[finding.confidence] if finding.status is Status.OPEN else 0.0


def derive(findings: Iterable[Finding]) -> tuple[Item, ...]:
    """The items that close these findings, the most risk for the least effort first. Info alone is no work."""
    by_rule: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.status is Status.OPEN and finding.severity > Severity.INFO:
            by_rule[finding.rule].append(finding)
    ranked = sorted(by_rule.values(), key=_order)
    return tuple(_item(rank, members) for rank, members in enumerate(ranked, start=1))


def _order(members: Sequence[Finding]) -> tuple[float, int, str]:
    risk, worst = sum(map(risk_of, members)), max(finding.severity for finding in members)
    return (-risk / _days(members), -worst.rank, members[0].rule)


def _days(members: Sequence[Finding]) -> float:
    """The first instance costs the rule's effort, each further one a quarter of it: the way is known by then."""
    return DAYS[members[0].effort] * (1 + (len(members) - 1) / 4)


def _item(rank: int, members: Sequence[Finding]) -> Item:
    worst = max(members, key=lambda finding: (finding.severity, finding.confidence))
    return Item(
        rank=rank,
        theme=THEMES[worst.area],
        rule=worst.rule,
        title=worst.title,
        severity=worst.severity,
        effort=worst.effort,
        risk=round(sum(map(risk_of, members)), 1),
        first_step=worst.recommendation,
        findings=tuple(finding.fingerprint for finding in members),
        places=tuple(finding.location for finding in members),
    )
