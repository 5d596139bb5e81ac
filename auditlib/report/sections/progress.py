"""Whether it is getting better: what changed since an earlier run, and the trend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditlib import history
from auditlib.audit import Audit
from auditlib.comparison import Changes
from auditlib.entries import Entry
from auditlib.history import Run, Standing
from auditlib.model import Area, Severity
from auditlib.report import palette, wording
from auditlib.report.blocks import Blocks, Column, Panel, Prose, Table
from auditlib.report.charts import trend as chart

FIRST = "This is the first result that is kept; the next one will be compared with it."
_NOT_KEPT = "No history is kept here; `auditlib report` keeps one, and from the second result on says what has changed."
_LINES = ((palette.ACCENT, False), (palette.BAD, False), (palette.GOOD, False), (palette.WARN, True),
          (palette.MUTED, True))  # fmt: skip
_SHOWN = 12
_THIS = "this run"


def changes(audit: Audit) -> Blocks:
    """What is fixed, what has shrunk, what is new and what has spread since the last run that found something else."""
    if audit.history is None:
        return Blocks(Prose(_NOT_KEPT))
    if audit.history.last is None:
        return Blocks(Prose(FIRST))
    found = history.changes(audit.history.last, _current(audit))
    groups = [{"title": title, "tone": tone, "shown": shown[:_SHOWN], "rest": shown[_SHOWN:]}
              for title, tone, shown in _groups(found) if shown]  # fmt: skip
    return Blocks(Panel("changes", {"summary": since(audit), "groups": groups}))


def since(audit: Audit) -> str:
    """What changed, in a sentence; empty where no history is kept."""
    if audit.history is None:
        return ""
    if audit.history.last is None:
        return FIRST
    last = audit.history.last
    found = history.changes(last, _current(audit))
    said = wording.listing((f"{number} {fate}" for number, fate in found.counts), limit=7)
    commit = f", commit `{last.standing.commit[:10]}`" if last.standing.commit else ""
    aside = (
        f" {wording.listing(found.left_out)} ran in only one of the two and is left aside." if found.left_out else ""
    )
    judges = f" {other}." if (other := history.versions(last.standing, _current(audit).standing)) else ""
    return (
        f"Since {last.standing.day}{commit}: {'nothing new and nothing fixed' if found.none else said}.{aside}{judges}"
    )


def moved(audit: Audit) -> dict[Area, int]:
    """By area, the points that its score has won or lost since then; without those that stayed."""
    if audit.history is None or audit.history.last is None:
        return {}
    moves = history.moves(audit.history.last.standing, _current(audit).standing)
    return {area: now - was for area, was, now in moves}


def trend(audit: Audit) -> Blocks:
    """The score of each area and the open findings, from result to result."""
    if audit.history is None:
        return Blocks(Prose("A trend needs two results; `auditlib report` keeps one each time."))
    if not audit.history.steps:
        return Blocks(Prose("A trend needs two results; this is the first that is kept."))
    steps = (*audit.history.steps, _current(audit).standing)
    canvas = chart.draw(
        [_short(step) for step in steps],
        [
            chart.Line(area.title, colour, [dict(step.scores)[area] for step in steps], dashed)
            for (area, points), (colour, dashed) in zip(steps[-1].scores, _LINES, strict=True)
            if points is not None
        ],
        [
            chart.Part(str(severity), palette.SEVERITY[severity], [dict(step.counts)[severity] for step in steps])
            for severity in Severity
        ],
        ("Score by area", "Open findings"),
    )
    words = _in_words(steps)
    caption = f"{words} Each step is a result that differs from the one before it."
    return Blocks(canvas.picture(caption, words, _table(steps)))


def _current(audit: Audit) -> Run:
    return history.run_of(audit.findings, audit.inventory.commit, coverage=audit.coverage, unknown=audit.unknown_areas)


def _short(step: Standing) -> str:
    return step.day or _THIS


def _in_words(steps: Sequence[Standing]) -> str:
    first, last = steps[0], steps[-1]
    moves = history.moves(first, last)
    rising = [area.title for area, was, now in moves if now > was]
    falling = [area.title for area, was, now in moves if now < was]
    parts = [f"{wording.listing(names)} {'is' if len(names) == 1 else 'are'} {way}"
             for names, way in ((rising, "better"), (falling, "worse")) if names]  # fmt: skip
    scores = wording.sentence("; ".join(parts)) or "All scores are as they were"
    return (
        f"From {first.open} open findings on {first.day} to {last.open} now, in {wording.count(len(steps), 'result')}. "
        f"{scores}."
    )


def _table(steps: Sequence[Standing]) -> Table:
    columns = (
        Column("When (UTC)"),
        Column("Commit", "code"),
        Column("Verdict"),
        *(Column(area.title, "number") for area, _ in steps[-1].scores),
        *(Column(str(severity).capitalize(), "number") for severity in Severity),
    )
    rows = tuple(
        (step.minute or wording.sentence(_THIS), step.commit[:10], step.readiness,
         *("–" if points is None else points for _, points in step.scores), *(number for _, number in step.counts))
        for step in steps
    )  # fmt: skip
    return Table("Scores and open findings by result", columns, rows)


def _groups(found: Changes) -> Iterator[tuple[str, str, list[dict[str, object]]]]:
    """What happened, its tone, and the findings to which it did."""
    yield "Fixed", "good", [_item(entry, gone=True) for entry in found.fixed]
    yield "Shrunk", "good", [_item(item.new, item.retreat) for item in found.shrunk]
    yield "New", "bad", [_item(entry) for entry in found.new]
    yield "Spread further", "bad", [_item(item.new, item.spread) for item in found.grown]
    yield "Noted", "", [_item(entry) for entry in found.noted]
    yield "Judged differently", "warn", [_item(item.new, f"was {item.old.severity}") for item in found.changed]
    yield "Open again", "bad", [_item(entry) for entry in found.reopened]
    yield "Suppressed", "", [_item(entry, gone=True) for entry in found.suppressed]
    yield "Found by rules that are new in auditlib", "", [_item(entry) for entry in found.by_new_rules]
    yield "No longer judged by auditlib", "", [_item(entry, gone=True) for entry in found.unjudged]


def news(audit: Audit) -> dict[str, str]:
    """What each finding is since the last run, by fingerprint; nothing where there is no run to compare with."""
    if audit.history is None or audit.history.last is None:
        return {}
    found = history.changes(audit.history.last, _current(audit))
    said = {entry.fingerprint: "new" for entry in (*found.new, *found.reopened)}
    said |= {entry.fingerprint: "by a new rule" for entry in found.by_new_rules}
    said |= {entry.fingerprint: "noted" for entry in found.noted}
    said |= {item.new.fingerprint: "spread further" for item in found.grown}
    return {finding.fingerprint: said.get(finding.fingerprint, "known before") for finding in audit.findings}


def _item(entry: Entry, note: str = "", *, gone: bool = False) -> dict[str, object]:
    return {"entry": entry, "note": note, "gone": gone}
