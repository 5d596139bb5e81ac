"""How far the audit can be relied on."""

from __future__ import annotations

from auditlib import confidence as assessing
from auditlib.audit import Audit
from auditlib.model import Read
from auditlib.report import wording
from auditlib.report.blocks import Bar, Bars, Blocks, Column, Panel, Part, State, Table

_STATES = {
    Read.PARSED: ("read in full", "good", "good"),
    Read.PARTIAL: ("read in part", "medium", "warn"),
    Read.FAILED: ("not readable", "bad", "bad"),
    Read.SKIPPED: ("left out", "faint", ""),
}


def confidence(audit: Audit) -> Blocks:
    """How sure the audit as a whole is, and why."""
    assessment = assessing.assess(audit.inventory, audit.coverage)
    gaps = [f"{entry.file}:{entry.line}" for entry in audit.coverage if entry.status in (Read.PARTIAL, Read.FAILED)]
    read = [entry.file for entry in audit.coverage if entry.status is Read.PARSED]
    data = {"level": assessment.level, "reasons": assessment.reasons, "places": [*gaps, *read]}
    return Blocks(Panel("level", data))


def coverage(audit: Audit) -> Blocks:
    """What was read how far, and what was not."""
    assessment = assessing.assess(audit.inventory, audit.coverage)
    counts = [(assessment.count(status), words, tone) for status, (words, tone, _) in _STATES.items()]
    rows = tuple(
        Bar(wording.sentence(words), (Part(number, tone, words),), str(number)) for number, words, tone in counts
    )
    words = ", ".join(f"{row.end} {row.name.lower()}" for row in rows) + "."
    gaps = [entry for entry in audit.coverage if entry.status is not Read.PARSED]
    table = Table(
        "What was not read in full, and why",
        (Column("File", "code"), Column("Kind"), Column("State", "state"), Column("Reason")),
        tuple(
            (
                "" if entry.file == "." else f"{entry.file}:{entry.line}",
                wording.kind(entry.kind),
                State(_STATES[entry.status][0], _STATES[entry.status][2]),
                entry.reason,
            )
            for entry in gaps
        ),
    )
    picture = Bars(rows, wording.sentence(words), words)
    return Blocks(picture, table) if gaps else Blocks(picture)
