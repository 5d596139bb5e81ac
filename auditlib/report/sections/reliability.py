"""How far the audit can be relied on."""

from __future__ import annotations

from auditlib import confidence as assessing
from auditlib.audit import Audit
from auditlib.model import Read, Severity
from auditlib.report import palette, wording
from auditlib.report.blocks import Blocks, Column, Panel, Picture, State, Table
from auditlib.report.charts import bars

_STATES = {
    Read.PARSED: ("read in full", palette.GOOD, "good"),
    Read.PARTIAL: ("read in part", palette.SEVERITY[Severity.MEDIUM], "warn"),
    Read.FAILED: ("not readable", palette.BAD, "bad"),
    Read.SKIPPED: ("left out", palette.FAINT, ""),
}


def confidence(audit: Audit) -> Blocks:
    """How sure the audit as a whole is, and why."""
    assessment = assessing.assess(audit.inventory, audit.coverage)
    return Blocks(Panel("level", {"level": assessment.level, "reasons": assessment.reasons}))


def coverage(audit: Audit) -> Blocks:
    """What was read how far, and what was not."""
    assessment = assessing.assess(audit.inventory, audit.coverage)
    rows: list[bars.Row] = [
        (wording.sentence(words), [(colour, float(assessment.count(status)))], str(assessment.count(status)))
        for status, (words, colour, _) in _STATES.items()
    ]
    words = ", ".join(f"{end} {name.lower()}" for name, _, end in rows) + "."
    gaps = [entry for entry in audit.coverage if entry.status is not Read.PARSED]
    table = Table(
        "What was not read in full, and why",
        (Column("File", "code"), Column("Kind"), Column("State", "state"), Column("Reason")),
        tuple(
            (
                "" if entry.file == "." else f"{entry.file}:{entry.line}",
                entry.kind,
                State(_STATES[entry.status][0], _STATES[entry.status][2]),
                entry.reason,
            )
            for entry in gaps
        ),
    )
    picture = Picture(bars.draw(rows).svg(words), wording.sentence(words), words)
    return Blocks(picture, table) if gaps else Blocks(picture)
