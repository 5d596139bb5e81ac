"""The work that the findings ask for: one item a rule, in four themes, ranked by risk against effort."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from auditlib import first_steps
from auditlib.conventions import environments
from auditlib.model import Area, Confidence, Effort, Finding, Location, Severity, Status

THEMES: dict[Area, str] = {
    Area.CONFIGURATION: "Secrets & Config",
    Area.MONITORING: "Monitoring Integration",
    Area.CICD: "CI Enhancements",
    Area.ORCHESTRATION: "Deployment Guide",
    Area.RESILIENCE: "Deployment Guide",
}
"""The theme that an area's work belongs to, in the order in which a report names them."""

PREREQUISITES: dict[str, frozenset[str]] = {
    "alertmanager-not-connected": frozenset({"monitoring-not-wired"}),
    "alert-metric-unknown": frozenset({"monitoring-not-wired", "scrape-target-unresolved", "scrape-path-missing"}),
    "dashboard-metric-unknown": frozenset({"monitoring-not-wired", "scrape-target-unresolved", "scrape-path-missing"}),
    "dependency-started-not-healthy": frozenset({"healthcheck-missing", "dependency-without-healthcheck"}),
    "deploy-ungated": frozenset({"test-suite-not-run", "job-unreachable"}),
    "receiver-loopback": frozenset({"monitoring-not-wired"}),
    "receiver-placeholder": frozenset({"monitoring-not-wired"}),
    "recovery-undocumented": frozenset({"backup-missing"}),
    "rule-file-not-loaded": frozenset({"monitoring-not-wired"}),
    "runbook-missing": frozenset({"rule-file-not-loaded", "monitoring-not-wired"}),
    "scrape-path-missing": frozenset({"monitoring-not-wired"}),
    "scrape-target-unresolved": frozenset({"monitoring-not-wired"}),
    "service-behind-profile": frozenset({"profile-dependency-gap"}),
    "severity-not-routed": frozenset({"receiver-placeholder", "receiver-loopback"}),
    "step-cannot-fail": frozenset({"command-missing"}),
    "test-suite-not-run": frozenset({"job-unreachable"}),
}
"""By rule, the rules whose work has to be done first: nobody can tell whether an alert fires that nothing loads."""

WEIGHT: dict[Severity, float] = {
    Severity.CRITICAL: 40,
    Severity.HIGH: 16,
    Severity.MEDIUM: 6,
    Severity.LOW: 2,
    Severity.INFO: 0,
}
"""What one finding of a severity adds to a risk; each step is about two and a half times the one below."""
CERTAINTY: dict[Confidence, float] = {Confidence.HIGH: 1.0, Confidence.MEDIUM: 0.7, Confidence.LOW: 0.4}
DAYS: dict[Effort, float] = {Effort.SMALL: 0.5, Effort.MEDIUM: 1.5, Effort.LARGE: 8}
"""What an effort is taken to be, in days; see `Effort`. A small change is reviewed and rolled out like any other."""


class Item(Struct, frozen=True):
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
    """One instruction, which names what else the item closes."""
    findings: tuple[str, ...]
    """The fingerprints of the findings that it closes, the most important first."""
    places: tuple[Location, ...]
    """Where each of them is."""
    steps: tuple[str, ...]
    """What each of them asks for, in full."""
    after: tuple[int, ...] = ()
    """The ranks of the items that have to be done first."""

    @property
    def id(self) -> str:
        """What trackers know the item by, and the same wherever a report shows it: `AUD-1`."""
        return _id(self.rank)

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The ids of the items that have to be done first."""
        return tuple(map(_id, self.after))


def _id(rank: int) -> str:
    return f"AUD-{rank}"


def risk_of(finding: Finding) -> float:
    """The risk that one finding stands for: its severity's weight, less where the finding is less certain."""
    return WEIGHT[finding.severity] * CERTAINTY[finding.confidence] if finding.status is Status.OPEN else 0.0


def derive(findings: Iterable[Finding]) -> tuple[Item, ...]:
    """The items that close these findings, the most risk for the least effort first, but what an item needs before it.

    Info alone is no work.
    """
    by_rule: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.status is Status.OPEN and finding.severity > Severity.INFO:
            by_rule[finding.rule].append(finding)
    ranked: dict[str, int] = {}
    for members in sorted(by_rule.values(), key=_order):
        _place(members[0].rule, by_rule, ranked)
    return tuple(_item(rank, by_rule[rule], ranked) for rule, rank in ranked.items())


def _place(rule: str, by_rule: Mapping[str, Sequence[Finding]], ranked: dict[str, int]) -> None:
    """Give a rule the next rank, and what has to be done before it those above."""
    if rule in ranked:
        return
    for needed in sorted(PREREQUISITES.get(rule, frozenset()) & by_rule.keys(), key=lambda name: _order(by_rule[name])):
        _place(needed, by_rule, ranked)
    ranked[rule] = len(ranked) + 1


def _order(members: Sequence[Finding]) -> tuple[float, int, bool, str]:
    """The most risk for the work first; of equals what is read from several files before what one file shows.

    Work counts by the square root of its days: what is cheap comes first, and what is dear isn't put off for trifles.
    """
    risk, worst = sum(map(risk_of, members)), max(finding.severity for finding in members)
    rule = members[0].rule
    return (-risk / math.sqrt(_days(members)), -worst.rank, "/" in rule, rule)


def _days(members: Sequence[Finding]) -> float:
    """The first instance costs the rule's effort, each further one a quarter of it: the way is known by then."""
    return DAYS[members[0].effort] * (1 + (len(members) - 1) / 4)


def _importance(finding: Finding) -> tuple[object, ...]:
    """The order of an item's findings: the worst first, of equals the surest, then the one in the main file."""
    return -finding.severity.rank, -finding.confidence.rank, *environments.prominence(finding.location.file)


def _item(rank: int, found: Sequence[Finding], ranked: Mapping[str, int]) -> Item:
    members = sorted(found, key=_importance)
    worst = members[0]
    return Item(
        rank=rank,
        theme=THEMES[worst.area],
        rule=worst.rule,
        title=worst.title,
        severity=worst.severity,
        effort=worst.effort,
        risk=round(sum(map(risk_of, members)), 1),
        first_step=first_steps.of(members),
        findings=tuple(finding.fingerprint for finding in members),
        places=tuple(finding.location for finding in members),
        steps=tuple(finding.recommendation for finding in members),
        after=tuple(sorted(ranked[name] for name in PREREQUISITES.get(worst.rule, ()) if name in ranked)),
    )
