"""Ready or not, and the sentence that says what decides it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum

from auditlib.model import Finding, Severity
from auditlib.phrases import counted
from auditlib.verdict._scores import Score

FLOOR = 20
"""Points below which an area alone stands in the way: its risk is that of more than six high findings."""
WEAK = 50
"""Points below which an area is a condition by itself, whatever its findings are."""
_AREAS = 3
"""Weak areas that are named."""
_WORDS = 18
"""Words that the reason has for titles; where two of them have more, one is named."""


class Readiness(Enum):
    """The answers: a critical finding or an area below the floor stands in the way; high, medium, or weak: a condition.

    Where there is nothing to judge, in any area, there is no answer.
    """

    NOT_READY = "Not ready for production"
    CONDITIONS = "Ready with conditions"
    READY = "Ready for production"
    NOT_KNOWN = "Not known"

    def __str__(self) -> str:
        return str(self.value)


def readiness(findings: Sequence[Finding], reached: Sequence[Score]) -> Readiness:
    """The answer to which these open findings and scores lead."""
    counts = Counter(finding.severity for finding in findings)
    if counts[Severity.CRITICAL] or _below(FLOOR, reached):
        return Readiness.NOT_READY
    if not findings and all(score.points is None for score in reached):
        return Readiness.NOT_KNOWN
    conditional = counts[Severity.HIGH] or counts[Severity.MEDIUM] or _below(WEAK, reached)
    return Readiness.CONDITIONS if conditional else Readiness.READY


def reason(findings: Sequence[Finding], answer: Readiness, reached: Sequence[Score]) -> str:
    """What decides, then how many findings there are of the severities that matter."""
    counts = Counter(finding.severity for finding in findings)
    if answer is Readiness.NOT_KNOWN:
        return "The repository holds nothing that could be judged, or nothing of it could be read."
    if answer is Readiness.READY:
        low = counts[Severity.LOW]
        return "No finding stands against it" + (f"; {low} of low severity {_are(low)} no condition." if low else ".")
    limit = FLOOR if answer is Readiness.NOT_READY else WEAK
    weak = [] if counts[Severity.CRITICAL] else _below(limit, reached)
    decides = f"{_areas(weak, limit, findings)}; in all," if weak else f"{_worst(findings)}:"
    listed, number = _counted(counts)
    if answer is Readiness.NOT_READY:
        return f"{decides} {listed} {'finding stands' if number == 1 else 'findings stand'} against it."
    return f"{decides} {listed} {'finding has' if number == 1 else 'findings have'} to be dealt with."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _below(limit: int, reached: Sequence[Score]) -> list[Score]:
    """The areas with fewer points, the weakest first."""
    known = {score: score.points for score in reached if score.points is not None and score.points < limit}
    return sorted(known, key=known.__getitem__)


def _areas(weak: Sequence[Score], limit: int, findings: Sequence[Finding]) -> str:
    """The weakest areas, each with its points and how many findings it has, and how many more there are."""
    first, *others = weak[:_AREAS]
    found = Counter(finding.area for finding in findings)
    named = [f"{first.area.title} has {first.points} of 100 points ({counted(found[first.area], 'finding')})"]
    named += [f"{score.area.title} {score.points} ({found[score.area]})" for score in others]
    more = [counted(len(weak) - _AREAS, "more area") + f" fewer than {limit}"] if len(weak) > _AREAS else []
    return _joined([*named, *more])


def _worst(findings: Sequence[Finding]) -> str:
    """The titles of the findings of the highest severity, the commonest first: one or two, and how many more."""
    highest = max(finding.severity for finding in findings)
    titles = [title for title, _ in Counter(_title(f) for f in findings if f.severity is highest).most_common()]
    shown = 2 if len(" ".join(titles[:2]).split()) <= _WORDS else 1
    more = f"; and {len(titles) - shown} more" if len(titles) > shown else ""
    return "; ".join(titles[:shown]) + more


def _title(finding: Finding) -> str:
    return finding.title.rstrip(".")


def _counted(counts: Counter[Severity]) -> tuple[str, int]:
    """The findings that matter, in words and in number; low ones matter only where nothing else is there."""
    weighty = [severity for severity in Severity if severity > Severity.LOW and counts[severity]] or [Severity.LOW]
    return _joined([f"{counts[severity]} {severity}" for severity in weighty]), sum(counts[each] for each in weighty)


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
