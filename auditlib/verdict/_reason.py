"""Ready or not, and the sentence that says what decides it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum

from auditlib.model import Area, Finding, Severity
from auditlib.verdict._scores import Score

FLOOR = 10
"""Points below which an area alone stands in the way: nine tenths of it are lost."""
_WORDS = 18
"""Words that the reason has for titles; where two of them have more, one is named."""


class Readiness(Enum):
    """The answers: a critical finding or an area below the floor stands in the way, high or medium is a condition.

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
    if counts[Severity.CRITICAL] or _floored(reached):
        return Readiness.NOT_READY
    if not findings and all(score.points is None for score in reached):
        return Readiness.NOT_KNOWN
    return Readiness.CONDITIONS if counts[Severity.HIGH] or counts[Severity.MEDIUM] else Readiness.READY


def reason(findings: Sequence[Finding], answer: Readiness, reached: Sequence[Score]) -> str:
    """What decides, then how many findings there are of the severities that matter."""
    counts = Counter(finding.severity for finding in findings)
    if answer is Readiness.NOT_KNOWN:
        return "The repository holds nothing that could be judged, or nothing of it could be read."
    if answer is Readiness.READY:
        low = counts[Severity.LOW]
        return "No finding stands against it" + (f"; {low} of low severity {_are(low)} no condition." if low else ".")
    floored = _floored(reached)
    decides = _floor(floored) if floored and not counts[Severity.CRITICAL] else _worst(findings)
    listed, number = _counted(counts)
    if answer is Readiness.NOT_READY:
        return f"{decides}: {listed} {'finding stands' if number == 1 else 'findings stand'} against it."
    return f"{decides}: {listed} {'finding has' if number == 1 else 'findings have'} to be dealt with."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _floored(reached: Sequence[Score]) -> list[Area]:
    return [score.area for score in reached if score.points is not None and score.points < FLOOR]


def _floor(areas: Sequence[Area]) -> str:
    have = "has" if len(areas) == 1 else "have"
    return f"{_joined([area.title for area in areas])} {have} fewer than {FLOOR} of 100 points"


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
