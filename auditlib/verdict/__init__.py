"""Whether the system is ready for production, in one sentence, and a score for each area.

The score of an area is 100 · exp(-risk / 60), the risk being the sum over its open findings (`backlog.risk_of`).
So it is 100 without findings, each finding lowers it, fixing one never does, and the points lost are shared out
among the findings in proportion to their risk: every point can be traced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from auditlib import backlog
from auditlib.model import Area, Finding, Status
from auditlib.verdict._reason import FLOOR, WEAK, Readiness, readiness, reason
from auditlib.verdict._scores import ALL_KNOWN, SCALE, Cost, Effect, Gain, Score, effects, scores

__all__ = [
    "ALL_KNOWN", "FLOOR", "SCALE", "WEAK", "Cost", "Effect", "Gain", "Readiness", "Score", "Verdict", "effects",
    "judge", "scores",
]  # fmt: skip


class Verdict(Struct, frozen=True):
    """The answer, its reason in a sentence, the areas' scores and what to do first."""

    readiness: Readiness
    reason: str
    scores: tuple[Score, ...]
    first: tuple[backlog.Item, ...]


def judge(findings: Sequence[Finding], unknown: Mapping[Area, str] = ALL_KNOWN) -> Verdict:
    """The verdict that these findings lead to.

    The findings of an area without anything to judge (`unknown`, with the reasons) count, though it has no score.
    """
    opened = [finding for finding in findings if finding.status is Status.OPEN]
    reached = scores(opened, unknown)
    answer = readiness(opened, reached)
    return Verdict(answer, reason(opened, answer, reached), reached, backlog.derive(opened)[:3])
