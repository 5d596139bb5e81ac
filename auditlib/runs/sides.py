"""What `auditlib diff` compares: a run of the store, the folder of a report, or a findings document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from auditlib import entries, scanners
from auditlib.errors import UsageError
from auditlib.history import Side
from auditlib.model import Coverage, Read
from auditlib.runs import document
from auditlib.runs.store import WORDS, Store, Stored

_DOCUMENT = "findings.json"


def side(name: str, store: Store) -> Side:
    """The run that is meant by a name of the store or by a path. Raises UsageError if there is none."""
    path = Path(name)
    if name not in WORDS and path.exists():
        return _of_file(path / _DOCUMENT if path.is_dir() else path, name)
    stored = store.find(name)
    run = stored.load()
    return Side(_title(stored), run.findings, run.silent, run.standing, run.rules)


def _title(stored: Stored) -> str:
    commit = f", commit {stored.standing.commit[:10]}" if stored.standing.commit else ""
    return f"{stored.standing.minute} UTC ({stored.id}{commit})"


def _of_file(path: Path, name: str) -> Side:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == document.SUFFIX:
            run = document.loads(text)
            return Side(name, run.findings, run.silent, run.standing, run.rules)
        return _of_document(name, json.loads(text))
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None
    except document.UnreadableRun as error:
        raise UsageError(f"{path} can't be read: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{path} holds no findings; `auditlib check --format json > {path}` writes them") from None


def _of_document(name: str, written: dict[str, Any]) -> Side:
    coverage = [
        Coverage(str(entry["file"]), str(entry["kind"]), Read(entry["status"])) for entry in written.get("coverage", ())
    ]
    findings = tuple(entries.read(finding) for finding in written["findings"])
    return Side(name, findings, scanners.silent(coverage))
