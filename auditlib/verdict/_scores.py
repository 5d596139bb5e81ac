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

    def __str__(self) -> str:
        """In words; at a low score a gain may be too small to be seen."""
        moved = self.after != self.before
        return f"{self.area.title} {self.before} → {self.after}" if moved else f"{self.area.title}: less than 1 point"


class Effect(Struct, frozen=True):
    """What an item of a backlog does to the scores: on its own, and when all up to it are done."""

    alone: tuple[Gain, ...]
    lowest: int | None
    """The lowest score that is left then; None where no area has one."""

    def __str__(self) -> str:
        return ", ".join(map(str, self.alone)) or "no score"


def effects(
    findings: Sequence[Finding], items: Sequence[backlog.Item], unknown: Mapping[Area, str] = ALL_KNOWN
) -> dict[str, Effect]:
    """By rule of an item, in the order of the work, what it does; areas without a score are `unknown`."""
    totals: defaultdict[Area, float] = defaultdict(float)
    risks: defaultdict[str, defaultdict[Area, float]] = defaultdict(lambda: defaultdict(float))
    for finding in findings:
        if finding.area not in unknown:
            totals[finding.area] += backlog.risk_of(finding)
            risks[finding.rule][finding.area] += backlog.risk_of(finding)
    left, found = dict(totals), {}
    for item in items:
        closed = risks[item.rule]
        left = {area: risk - closed[area] for area, risk in left.items()}
        gains = tuple(
            Gain(area, round(_points(totals[area])), round(_points(totals[area] - closed[area])))
            for area in Area
            if closed[area]
        )
        scores = [round(_points(left.get(area, 0.0))) for area in Area if area not in unknown]
        found[item.rule] = Effect(gains, min(scores, default=None))
    return found


def _points(risk: float) -> float:
    return 100 * math.exp(-max(risk, 0.0) / SCALE)


def _score(area: Area, findings: Sequence[Finding]) -> Score:
    risks = [(finding, backlog.risk_of(finding)) for finding in findings]
    total = sum(risk for _, risk in risks)
    points = _points(total)
    costs = [Cost(finding, (100 - points) * risk / total) for finding, risk in risks if risk]
    return Score(area, round(points), tuple(sorted(costs, key=lambda cost: -cost.points)))
