"""A run as a file: one JSON document a line. The first says where the project stood, each further one is a finding.

So a trend reads one line of each file. Nothing in it is secret, since no finding holds a secret's value.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from auditlib import entries
from auditlib.history import TIME_FORMAT, Run, Standing
from auditlib.model import Area, Severity
from auditlib.verdict import Readiness

VERSION = 1
SUFFIX = ".jsonl"


class UnreadableRun(Exception):  # noqa: N818  # `except UnreadableRun` says it
    """A file that holds no run, or one of a later version; says why."""


def dumps(run: Run) -> str:
    """The text of the file."""
    lines = [_head(run), *map(entries.document, run.findings)]
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def loads(text: str) -> Run:
    """The run that `dumps` made the text of. Raises UnreadableRun for any other text."""
    head, *lines = text.split("\n")
    standing, more = standing_of(head), json.loads(head)
    try:
        found = tuple(entries.read(json.loads(line)) for line in lines if line)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnreadableRun("one of its findings can't be understood") from None
    if len(found) != more["findings"]:
        raise UnreadableRun("its end is missing")
    return Run(standing, found, tuple(map(str, more["silent"])), tuple(map(str, more.get("rules", ()))))


def standing_of(line: str) -> Standing:
    """Where the project stood, from the first line. Raises UnreadableRun for any other line."""
    try:
        document = json.loads(line)
        if document["version"] > VERSION:
            raise UnreadableRun("a later version of auditlib wrote it")
        return _standing(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnreadableRun("it is no run of auditlib") from None


def standing_document(standing: Standing) -> dict[str, Any]:
    """Where a project stood, as JSON."""
    return {
        "time": standing.time,
        "commit": standing.commit,
        "readiness": standing.readiness.name.lower(),
        "scores": {str(area): points for area, points in standing.scores},
        "open": {str(severity): number for severity, number in standing.counts},
    }


def _head(run: Run) -> dict[str, Any]:
    shown = standing_document(run.standing)
    return {"version": VERSION, **shown, "digest": run.standing.digest, "silent": run.silent,
            "auditlib": run.standing.version, "rules": run.rules, "findings": len(run.findings)}  # fmt: skip


def _standing(document: dict[str, Any]) -> Standing:
    texts = {name: document[name] for name in ("time", "commit", "digest")}
    if not all(isinstance(text, str) for text in texts.values()) or not isinstance(document["findings"], int):
        raise TypeError
    if not isinstance(document["silent"], list) or not isinstance(document.get("rules", []), list):
        raise TypeError
    datetime.strptime(texts["time"], TIME_FORMAT)
    return Standing(
        readiness=Readiness[document["readiness"].upper()],
        scores=tuple((area, _points(document["scores"][str(area)])) for area in Area),
        counts=tuple((severity, int(document["open"][str(severity)])) for severity in Severity),
        version=str(document.get("auditlib", "")),
        **texts,
    )


def _points(value: Any) -> int | None:
    return None if value is None else int(value)
