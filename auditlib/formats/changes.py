"""What changed between two runs: as text for a terminal, as JSON, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.text import Text

from auditlib import comparison, entries
from auditlib.comparison import Changes, Kept
from auditlib.entries import Entry, Place
from auditlib.formats import json_text, visible
from auditlib.formats.markdown import code, escaped
from auditlib.formats.plain_text import STYLES
from auditlib.history import Side, moves, versions

VERSION = 1
Listed = tuple[Entry, str]
"""A finding, and what is to be added about it."""


def styled(old: Side, new: Side, changes: Changes) -> Text:
    """The changes as rich text; a console decides about colours."""
    text = Text().append(f"{visible(old.name)} → {visible(new.name)}\n", "bold")
    for area, before, after in _scores(old, new):
        text.append(f"  {area} {before} → ").append(f"{after}\n", "green" if after > before else "red")
    for title, style, listed in _groups(changes):
        text.append(f"\n{title} ({len(listed)})\n", f"bold {style}")
        for entry, note in listed:
            text.append("  ").append(f"{entry.severity}[{entry.rule}]", STYLES[entry.severity])
            text.append(f" {visible(entry.place)}: {visible(entry.message)}\n")
            text.append(f"      {visible(note)}\n" if note else "")
    text.append(f"\n{_summary(changes)}\n", "bold")
    return text.append(f"{said}.\n") if (said := versions(old.standing, new.standing)) else text


def document(old: Side, new: Side, changes: Changes) -> str:
    """The changes as JSON; findings are in the words of the findings document."""
    shown = {
        "version": VERSION,
        "from": _side(old),
        "to": _side(new),
        "left_out": list(changes.left_out),
        "fixed": [entries.document(entry) for entry in changes.fixed],
        "new": [entries.document(entry) for entry in changes.new],
        "reopened": [entries.document(entry) for entry in changes.reopened],
        "suppressed": [entries.document(entry) for entry in changes.suppressed],
        "noted": [entries.document(entry) for entry in changes.noted],
        "by_new_rules": [entries.document(entry) for entry in changes.by_new_rules],
        "unjudged": [entries.document(entry) for entry in changes.unjudged],
        "still_there": [_kept(item) for item in changes.kept],
    }
    return json_text(shown)


def markdown(old: Side, new: Side, changes: Changes) -> str:
    """The changes as Markdown; what is still there is only counted."""
    lines = [f"## {_summary(changes)}", "", f"From {code(old.name)} to {code(new.name)}.", ""]
    scores = [f"| {area} | {before} | {after} |" for area, before, after in _scores(old, new)]
    lines += ["| Score | before | after |", "|---|---:|---:|", *scores, ""] if scores else []
    lines += [f"{said}.", ""] if (said := versions(old.standing, new.standing)) else []
    for title, _, listed in _groups(changes):
        lines += [f"### {title}", "", *(_item(entry, note) for entry, note in listed), ""]
    return "\n".join(lines)


def _groups(changes: Changes) -> Iterator[tuple[str, str, list[Listed]]]:
    """What happened, its colour, and the findings to which it did."""
    groups: list[tuple[str, str, list[Listed]]] = [
        ("Fixed", "green", [(entry, "") for entry in changes.fixed]),
        ("Shrunk", "green", [(item.new, item.retreat) for item in changes.shrunk]),
        ("New", "red", [(entry, "") for entry in changes.new]),
        ("Spread further", "red", [(item.new, item.spread) for item in changes.grown]),
        ("Noted", "yellow", [(entry, "") for entry in changes.noted]),
        ("Judged differently", "yellow", [(item.new, f"was {item.old.severity}") for item in changes.changed]),
        ("Reopened", "red", [(entry, "") for entry in changes.reopened]),
        ("Suppressed", "yellow", [(entry, "") for entry in changes.suppressed]),
        ("Found by rules that are new in auditlib", "yellow", [(entry, "") for entry in changes.by_new_rules]),
        ("No longer judged by auditlib", "yellow", [(entry, "") for entry in changes.unjudged]),
    ]
    yield from (group for group in groups if group[2])


def _summary(changes: Changes) -> str:
    said = ", ".join(f"{number} {fate}" for number, fate in changes.counts) or "Nothing changed"
    aside = f"; left aside, as it ran in only one of the two: {', '.join(changes.left_out)}" if changes.left_out else ""
    return f"{said}, {len(changes.kept)} still there{aside}"


def _scores(old: Side, new: Side) -> list[tuple[str, int, int]]:
    """The areas whose score changed, with both; none where one of the sides knows no scores."""
    if old.standing is None or new.standing is None:
        return []
    return [(area.title, was, now) for area, was, now in moves(old.standing, new.standing)]


def _side(side: Side) -> dict[str, Any]:
    standing = side.standing
    return {
        "name": side.name,
        "time": standing.time if standing else None,
        "commit": standing.commit if standing else None,
        "auditlib": standing.version or None if standing else None,
        "scores": {str(area): points for area, points in standing.scores} if standing else None,
    }


def _kept(item: Kept) -> dict[str, Any]:
    return {
        **entries.document(item.new),
        "severity_before": str(item.old.severity),
        "grown": _places(comparison.grown(item.old, item.new)),
        "shrunk": _places(comparison.grown(item.new, item.old)),
    }


def _places(places: Iterable[Place]) -> list[dict[str, str]]:
    return [{"file": place.file, "message": place.message} for place in places]


def _item(entry: Entry, note: str) -> str:
    shown = f"- **{entry.severity}** {code(entry.place)} {escaped(entry.message)} (`{entry.rule}`)"
    return f"{shown}\n  - {escaped(note)}" if note else shown
