"""The verdict, and what was looked at."""

from __future__ import annotations

from collections import Counter

from auditlib import readiness
from auditlib import verdict as judging
from auditlib.audit import Audit
from auditlib.confidence import WORST_FIRST
from auditlib.model import Area, Read, Severity, Status
from auditlib.report import wording
from auditlib.report.blocks import Bar, Bars, Blocks, Column, Panel, Part, Prose, State, Table
from auditlib.report.sections import progress
from auditlib.report.sections.scoring import losses

_TONES = {
    judging.Readiness.NOT_READY: "bad",
    judging.Readiness.CONDITIONS: "warn",
    judging.Readiness.READY: "good",
    judging.Readiness.NOT_KNOWN: "warn",
}
_STATES = {
    readiness.State.MET: "good",
    readiness.State.PARTLY: "warn",
    readiness.State.NOT_MET: "bad",
    readiness.State.UNKNOWN: "",
}
_RECORDS = 5
"""Records that an item of the checklist names; the tables have all."""
_LOSSES = 2
"""What cost an area most, beside its score."""
_STATUS = {
    Read.PARSED: ("good", "read in full"),
    Read.PARTIAL: ("medium", "in part"),
    Read.FAILED: ("bad", "not readable"),
    Read.SKIPPED: ("faint", "left out"),
}


def verdict(audit: Audit) -> Blocks:
    """Ready or not and why, what changed, a score for each area, and the three things to do first."""
    judgement, moved = judging.judge(audit.findings, audit.unknown_areas), progress.moved(audit)
    found = Counter(finding.area for finding in audit.findings if finding.status is Status.OPEN)
    return Blocks(
        Panel(
            "verdict",
            {
                "readiness": judgement.readiness,
                "tone": _TONES[judgement.readiness],
                "reason": judgement.reason,
                "since": progress.since(audit),
                "scores": [_score(score, moved.get(score.area, 0), found[score.area]) for score in judgement.scores],
                "first": judgement.first,
            },
        )
    )


def _score(score: judging.Score, moved: int, found: int) -> dict[str, object]:
    lost = [loss for loss in losses(score) if loss.points >= 1][:_LOSSES]
    return {"area": score.area, "points": score.points, "unknown": score.unknown, "tone": _tone(score.points or 0),
            "losses": lost, "lossless": _lossless(found), "moved": moved}  # fmt: skip


def _lossless(found: int) -> str:
    """What stands beside a score that no finding costs a point."""
    each = " each" if found > 1 else ""
    return f"{wording.count(found, 'finding')}, less than a point{each}" if found else "no finding"


def _tone(points: int) -> str:
    return "good" if points >= 80 else "warn" if points >= judging.WEAK else "bad"


def checklist(audit: Audit) -> Blocks:
    """What a system needs in production: each thing met, partly, not met or not known, with its evidence."""
    answers = readiness.judge(audit.inventory, audit.dependencies, audit.findings)
    counts = Counter(answer.state for answer in answers)
    summary = ", ".join(f"{counts[state]} {state}" for state in readiness.State if counts[state])
    shown = [
        {
            "title": answer.item.title,
            "state": State(wording.sentence(str(answer.state)), _STATES[answer.state]),
            "reason": answer.reason,
            "findings": answer.findings,
            "records": answer.records[:_RECORDS],
            "more": max(len(answer.records) - _RECORDS, 0),
        }
        for answer in answers
    ]
    return Blocks(Panel("checklist", {"summary": wording.sentence(summary) + ".", "answers": shown}))


def severities(audit: Audit) -> Blocks:
    """The findings of each area by severity."""
    opened = [finding for finding in audit.findings if finding.status is Status.OPEN]
    if not opened:
        return Blocks(Prose("No rule found anything to report."))
    counts = Counter((finding.area, finding.severity) for finding in opened)
    rows = [_bar(area, [(severity, counts[area, severity]) for severity in Severity]) for area in Area]
    summary = "; ".join(f"{row.name}: {row.end}" for row in rows)
    table = Table(
        "Findings by area and severity",
        (Column("Area"), *(Column(str(severity).capitalize(), "number") for severity in Severity)),
        tuple((area.title, *(counts[area, severity] for severity in Severity)) for area in Area),
    )
    return Blocks(Bars(tuple(rows), "Findings by area, the most severe on the left.", summary, table))


def _bar(area: Area, counts: list[tuple[Severity, int]]) -> Bar:
    parts = tuple(
        Part(number, str(severity), str(severity), f"area={area}&severity={severity}") for severity, number in counts
    )
    return Bar(area.title, parts, wording.count(sum(number for _, number in counts), "finding"))


def _kinds(audit: Audit) -> Counter[tuple[str, Read]]:
    """How many files of each kind were read how far, a file of several entries by the worst of them."""
    worst: dict[tuple[str, str], Read] = {}
    for entry in audit.coverage:
        if entry.status is not Read.SKIPPED:
            place = wording.kind(entry.kind), entry.file
            worst[place] = min(worst.get(place, entry.status), entry.status, key=WORST_FIRST.index)
    return Counter((kind, status) for (kind, _), status in worst.items())


def scope(audit: Audit) -> Blocks:
    """The repository, how much of it was read, and what kinds of files were found."""
    inventory = audit.inventory
    facts = [
        ("Commit", f"`{inventory.commit[:10]}`" if inventory.commit else "none"),
        ("Files considered", len(inventory.files)),
        ("Compose projects", len(inventory.base_projects)),
        ("Services", len(inventory.deployed_services)),
        ("Workflows", len(inventory.workflows)),
    ]
    kinds = _kinds(audit)
    if not kinds:
        return Blocks(Panel("facts", facts), Prose("No file of a kind that auditlib reads was found."))
    totals = Counter(kind for kind, _ in kinds.elements())
    names = [kind for kind, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))]
    shown = [status for status in _STATUS if status is not Read.SKIPPED]
    rows = tuple(
        Bar(kind, tuple(Part(kinds[kind, status], *_STATUS[status]) for status in shown), str(totals[kind]))
        for kind in names
    )
    summary = "Files read: " + wording.listing((f"{totals[kind]} {kind}" for kind in names), 12) + "."
    table = Table(
        "Files by kind",
        (Column("Kind"), *(Column(wording.sentence(_STATUS[status][1]), "number") for status in shown)),
        tuple((kind, *(kinds[kind, status] for status in shown)) for kind in names),
    )
    return Blocks(Panel("facts", facts), Bars(rows, "What was read, by kind of file.", summary, table))
