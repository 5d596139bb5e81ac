"""The score of each area, and what costs it how much."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from auditlib import backlog
from auditlib.model import Area, Finding, Status

SCALE = 60.0
"""The risk at which about a third of the score is left; a critical finding is 40, a high one 16."""


class Cost(Struct, frozen=True):
    """The points that one finding costs its area."""

    finding: Finding
    points: float


class Score(Struct, frozen=True):
    """An area's score from 0 to 100, with what each finding costs, the dearest first."""

    area: Area
    points: int | None
    """None where there is nothing to judge."""
    costs: tuple[Cost, ...]
    unknown: str = ""
    """Why there is nothing to judge."""


ALL_KNOWN: Mapping[Area, str] = MappingProxyType({})
"""No area that can't be judged."""


def scores(findings: Sequence[Finding], unknown: Mapping[Area, str] = ALL_KNOWN) -> tuple[Score, ...]:
    """The score of each area; `unknown` are those without anything to judge, with the reasons."""
    opened = [finding for finding in findings if finding.status is Status.OPEN]
    return tuple(
        Score(area, None, (), unknown[area])
        if area in unknown
        else _score(area, [finding for finding in opened if finding.area is area])
        for area in Area
    )


class Gain(Struct, frozen=True):
    """What closing an item does to the score of an area, if everything else stays."""

    area: Area
    before: int
    after: int


def gains(
    findings: Sequence[Finding], items: Sequence[backlog.Item], unknown: Mapping[Area, str] = ALL_KNOWN
) -> dict[str, tuple[Gain, ...]]:
    """By rule of an item, the areas whose score rises with it; those without a score are `unknown`."""
    risks: defaultdict[tuple[str, Area], float] = defaultdict(float)
    totals: defaultdict[Area, float] = defaultdict(float)
    for finding in findings:
        risks[finding.rule, finding.area] += backlog.risk_of(finding)
        totals[finding.area] += backlog.risk_of(finding)
    return {
        item.rule: tuple(
            Gain(area, round(_points(totals[area])), round(_points(totals[area] - risks[item.rule, area])))
            for area in Area
            if area not in unknown and risks.get((item.rule, area))
        )
        for item in items
    }


def _points(risk: float) -> float:
    return 100 * math.exp(-max(risk, 0.0) / SCALE)


def _score(area: Area, findings: Sequence[Finding]) -> Score:
    risks = [(finding, backlog.risk_of(finding)) for finding in findings]
    total = sum(risk for _, risk in risks)
    points = _points(total)
    costs = [Cost(finding, (100 - points) * risk / total) for finding, risk in risks if risk]
    return Score(area, round(points), tuple(sorted(costs, key=lambda cost: -cost.points)))
