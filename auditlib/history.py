"""A project's earlier runs as a report needs them: where it stood each time, and what was found last.

Runs that found the same, one after the other, are one step of the history, and a run is compared with the last one that
found something else. So the same repository under the same history gives the same report, however often it is run.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from auditlib import __version__, comparison, entries, rules, scanners, suppressions, verdict
from auditlib.comparison import Changes
from auditlib.entries import Entry
from auditlib.model import Area, Coverage, Finding, Severity, Status
from auditlib.verdict import Readiness

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class Standing(Struct, frozen=True):
    """Where a project stood at one run, in numbers."""

    time: str
    """When, in UTC, as `2026-11-25T02:00:13Z`; empty for the run that is being made."""
    commit: str
    readiness: Readiness
    scores: tuple[tuple[Area, int | None], ...]
    """The points of each area, from 0 to 100; None where there was nothing to judge."""
    counts: tuple[tuple[Severity, int], ...]
    """The open findings of each severity."""
    digest: str
    """The same for runs that found the same, moved lines aside."""
    version: str = ""
    """Of auditlib; empty where the run did not record it."""

    @property
    def day(self) -> str:
        """`25 November 2026`; empty for the run that is being made."""
        if not self.time:
            return ""
        moment = datetime.strptime(self.time, TIME_FORMAT)
        return f"{moment.day} {moment:%B %Y}"

    @property
    def minute(self) -> str:
        """`2026-11-25 02:00`, in UTC; empty for the run that is being made."""
        return self.time[:16].replace("T", " ")

    @property
    def open(self) -> int:
        """All open findings."""
        return sum(number for _, number in self.counts)


class Run(Struct, frozen=True):
    """One run: where the project stood, and what was found."""

    standing: Standing
    findings: tuple[Entry, ...]
    silent: tuple[str, ...] = ()
    """The scanners that had no say."""
    rules: tuple[str, ...] = ()
    """The rules of auditlib itself that judged; empty where the run did not record them."""


class History(Struct, frozen=True):
    """What came before the run that is being made. Both are empty when nothing else was ever found."""

    steps: tuple[Standing, ...] = ()
    """Oldest first; each found something else than the one before it."""
    last: Run | None = None
    """The run of the last step."""


class Row(Struct, frozen=True):
    """A run in an overview of all of them."""

    id: str
    standing: Standing
    changes: Changes | None
    """Since the run before; None for the first, and where one of the two can't be read."""


class Side(Struct, frozen=True):
    """One of two runs that are compared. Of a findings document nothing but the findings is known."""

    name: str
    findings: tuple[Entry, ...]
    silent: tuple[str, ...] = ()
    standing: Standing | None = None
    rules: tuple[str, ...] = ()


def now() -> str:
    """The time of a run."""
    return datetime.now(UTC).strftime(TIME_FORMAT)


def run_of(
    findings: Sequence[Finding],
    commit: str,
    time: str = "",
    coverage: Iterable[Coverage] = (),
    unknown: Mapping[Area, str] = verdict.ALL_KNOWN,
) -> Run:
    """The run that found these findings; `unknown` are the areas without anything to judge."""
    judgement, found = verdict.judge(findings, unknown), tuple(map(entries.of, findings))
    counts = Counter(finding.severity for finding in findings if finding.status is Status.OPEN)
    standing = Standing(
        time=time,
        commit=commit,
        readiness=judgement.readiness,
        scores=tuple((score.area, score.points) for score in judgement.scores),
        counts=tuple((severity, counts[severity]) for severity in Severity),
        digest=_digest(found, judgement),
        version=__version__,
    )
    names = sorted({*rules.catalogue(), *suppressions.catalogue()})
    return Run(standing, found, scanners.silent(coverage), tuple(names))


def moves(old: Standing, new: Standing) -> tuple[tuple[Area, int, int], ...]:
    """The areas whose score changed, with the points of both; without those that one of the two knows no score of."""
    before = dict(old.scores)
    return tuple(
        (area, was, points)
        for area, points in new.scores
        if (was := before[area]) is not None and points is not None and was != points
    )


def changes(old: Run | Side, new: Run | Side) -> Changes:
    """What became of the findings of one run in another."""
    return comparison.compare(old.findings, new.findings, {*old.silent, *new.silent}, (old.rules, new.rules))


def versions(old: Standing | None, new: Standing | None) -> str:
    """What is to be said of two runs by different versions of auditlib; empty where there is nothing to say."""
    if old is None or new is None or not old.version or not new.version or old.version == new.version:
        return ""
    return f"auditlib {old.version} judged the earlier one, {new.version} this one; rules may judge differently"


def steps(standings: Iterable[Standing]) -> tuple[Standing, ...]:
    """The standings, oldest first; of those that found the same one after the other the last alone."""
    kept: list[Standing] = []
    for standing in standings:
        if kept and kept[-1].digest == standing.digest:
            kept.pop()
        kept.append(standing)
    return tuple(kept)


def before(standings: Iterable[Standing], current: Standing) -> tuple[Standing, ...]:
    """The steps that led to the current standing, which is not among them."""
    found = steps(standings)
    return found[:-1] if found and found[-1].digest == current.digest else found


def _digest(found: Iterable[Entry], judgement: verdict.Verdict) -> str:
    """What was found, without the lines where it stands."""
    known = sorted(
        (entry.fingerprint, str(entry.severity), str(entry.status), sorted(place.content for place in entry.places))
        for entry in found
    )
    points = [score.points for score in judgement.scores]
    return hashlib.sha256(json.dumps([known, points]).encode()).hexdigest()[:16]
