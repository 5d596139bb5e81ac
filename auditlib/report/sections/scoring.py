"""How each score came about, so that every point can be traced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditlib import backlog, verdict
from auditlib.audit import Audit
from auditlib.model import Finding, Severity
from auditlib.report import wording
from auditlib.report.blocks import Again, Blocks, Column, Prose, Table

_NAMED = 3
"""Rules of each area that are named in full; the rest of it is one row."""
_COLUMNS = (
    Column("Points", "number"), Column("What was found"), Column("Findings", "number"), Column("Place", "code"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loss:
    """The points that the findings of one rule cost an area; `worst` is the dearest of them."""

    worst: Finding
    findings: int
    points: float


def losses(score: verdict.Score) -> list[Loss]:
    """What an area lost, by rule, the most first; it adds up to 100 less the score."""
    by_rule: defaultdict[str, list[verdict.Cost]] = defaultdict(list)
    for cost in score.costs:
        by_rule[cost.finding.rule].append(cost)
    grouped = [Loss(costs[0].finding, len(costs), sum(cost.points for cost in costs)) for costs in by_rule.values()]
    return sorted(grouped, key=lambda loss: -loss.points)


def score_costs(audit: Audit) -> Blocks:
    """What a score is made of, and what costs each area most; the points of an area add up to what it lost."""
    scores = verdict.scores(audit.findings, audit.unknown_areas)
    if not any(score.costs for score in scores):
        return Blocks(Prose(f"Every area that is known has 100 points: no finding costs any.{_unknown(scores)}"))
    rows = tuple(row for score in scores for row in _rows(score))
    every = tuple(_row(score.area.title, loss) for score in scores for loss in losses(score))
    return Blocks(
        Prose(f"{_rule()}{_unknown(scores)}"),
        Table("What costs each area its points", (Column("Area and score"), *_COLUMNS), rows),
        Table(f"All of it: {wording.count(len(every), 'row')}", (Column("Area"), *_COLUMNS), every, folded=True),
    )


def _rule() -> str:
    """The rule by which points are lost."""
    weights = wording.listing(
        f"{backlog.WEIGHT[severity]:g} for a {severity}" for severity in Severity if backlog.WEIGHT[severity]
    )
    return (
        f"A finding is a risk: {weights} one, less where it is not certain. An area keeps 100 · e^(−risk ÷ "
        f"{verdict.SCALE:g}) of its 100 points, and what it loses is shared out among its findings by their risk. "
        "While others are open, mending one wins back less than its share; the backlog says how much."
    )


def _unknown(scores: Iterable[verdict.Score]) -> str:
    """The areas without a score, in sentences."""
    return "".join(f" {score.area.title} has no score: {score.unknown}." for score in scores if score.unknown)


def _rows(score: verdict.Score) -> Iterator[tuple[object, ...]]:
    lost = losses(score)
    area = f"{score.area.title}:\u00a0{score.points}"
    for number, loss in enumerate(lost[:_NAMED]):
        yield _row(Again(area) if number else area, loss)
    rest = lost[_NAMED:]
    if rest:
        points, number = sum(loss.points for loss in rest), sum(loss.findings for loss in rest)
        yield Again(area), f"−{points:.1f}", f"{len(rest)} more, of less weight", number, ""


def _row(area: object, loss: Loss) -> tuple[object, ...]:
    return area, f"−{loss.points:.1f}", loss.worst.title, loss.findings, str(loss.worst.location)
