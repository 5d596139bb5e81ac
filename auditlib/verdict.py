"""Whether the system is ready for production, in one sentence, and a score for each area.

The score of an area is 100 · exp(-risk / 60), the risk being the sum over its open findings (`backlog.risk_of`).
So it is 100 without findings, each finding lowers it, fixing one never does, and the points lost are shared out
among the findings in proportion to their risk: every point can be traced.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from auditlib import backlog
from auditlib.model import Area, Finding, Severity, Status

SCALE = 60.0
"""The risk at which about a third of the score is left; a critical finding is 40, a high one 16."""
FLOOR = 10
"""Points below which an area alone stands in the way: nine tenths of it are lost."""


class Readiness(Enum):
    """The answers: a critical finding or an area below the floor stands in the way, high or medium is a condition."""

    NOT_READY = "Not ready for production"
    CONDITIONS = "Ready with conditions"
    READY = "Ready for production"

    def __str__(self) -> str:
        return str(self.value)


class Cost(Struct, frozen=True):
    """The points that one finding costs its area."""

    finding: Finding
    points: float


class Score(Struct, frozen=True):
    """An area's score from 0 to 100, with what each finding costs, the dearest first."""

    area: Area
    points: int
    costs: tuple[Cost, ...]


class Verdict(Struct, frozen=True):
    """The answer, its reason in a sentence, the areas' scores and what to do first."""

    readiness: Readiness
    reason: str
    scores: tuple[Score, ...]
    first: tuple[backlog.Item, ...]


def judge(findings: Sequence[Finding]) -> Verdict:
    """The verdict that these findings lead to."""
    opened = [finding for finding in findings if finding.status is Status.OPEN]
    counts = Counter(finding.severity for finding in opened)
    reached = scores(opened)
    readiness = _readiness(counts, min(score.points for score in reached))
    return Verdict(
        readiness,
        _reason(counts, readiness),
        reached,
        backlog.derive(opened)[:3],
    )


def scores(findings: Sequence[Finding]) -> tuple[Score, ...]:
    """The score of each area."""
    opened = [finding for finding in findings if finding.status is Status.OPEN]
    return tuple(_score(area, [finding for finding in opened if finding.area is area]) for area in Area)


class Gain(Struct, frozen=True):
    """What closing an item does to the score of an area, if everything else stays."""

    area: Area
    before: int
    after: int


def gains(findings: Sequence[Finding], items: Sequence[backlog.Item]) -> dict[str, tuple[Gain, ...]]:
    """By rule of an item, the areas whose score rises with it."""
    risks: defaultdict[tuple[str, Area], float] = defaultdict(float)
    totals: defaultdict[Area, float] = defaultdict(float)
    for finding in findings:
        risks[finding.rule, finding.area] += backlog.risk_of(finding)
        totals[finding.area] += backlog.risk_of(finding)
    return {
        item.rule: tuple(
            Gain(area, round(_points(totals[area])), round(_points(totals[area] - risks[item.rule, area])))
            for area in Area
            if risks.get((item.rule, area))
        )
        for item in items
    }


def _points(risk: float) -> float:
    return 100 * math.exp(-max(risk, 0.0) / SCALE)


def _readiness(counts: Counter[Severity], lowest: int) -> Readiness:
    if counts[Severity.CRITICAL] or lowest < FLOOR:
        return Readiness.NOT_READY
    return Readiness.CONDITIONS if counts[Severity.HIGH] or counts[Severity.MEDIUM] else Readiness.READY


def _reason(counts: Counter[Severity], readiness: Readiness) -> str:
    weighty = [severity for severity in Severity if severity > Severity.INFO and counts[severity]]
    if not weighty:
        return "No finding stands against it."
    parts = [f"{counts[severity]} {severity}" for severity in weighty]
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    one = sum(counts[severity] for severity in weighty) == 1
    if readiness is Readiness.NOT_READY:
        return f"{listed} {'finding stands' if one else 'findings stand'} against it."
    return f"{listed} {'finding has' if one else 'findings have'} to be dealt with."


def _score(area: Area, findings: Sequence[Finding]) -> Score:
    risks = [(finding, backlog.risk_of(finding)) for finding in findings]
    total = sum(risk for _, risk in risks)
    points = _points(total)
    costs = [Cost(finding, (100 - points) * risk / total) for finding, risk in risks if risk]
    return Score(area, round(points), tuple(sorted(costs, key=lambda cost: -cost.points)))
