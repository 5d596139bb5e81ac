"""Every recorded answer of Docker Compose, where the recordings are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditlib import compose

RECORDED = Path(__file__).resolve().parents[2].parent / "shared" / "conformance"
CASES = sorted(path.parent for path in RECORDED.glob("*/case.json"))


@pytest.mark.skipif(not CASES, reason="the recorded answers are not on this machine")
def test_agrees_with_every_recorded_answer(monkeypatch):
    wrong = [folder.name for folder in CASES if not agrees(folder, monkeypatch)]
    assert wrong == []


def agrees(folder: Path, monkeypatch) -> bool:
    case = json.loads((folder / "case.json").read_text())
    expected = json.loads((folder / "expected.json").read_text())
    monkeypatch.chdir(folder)
    try:
        files = [folder / name for name in case["files"]]
        options = {"profiles": case["profiles"], "project_name": "case", "environ": {"HOME": "/nonexistent"}}
        found = compose.load(files, **options).config()
    except compose.ComposeError:
        return not expected["ok"]
    text = json.dumps(found).replace(str(folder), "$DIR").replace(str(folder.parent), "$UP")
    return expected["ok"] and exact(json.loads(text)) == exact(expected["project"])


def exact(value):
    """A form in which 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)
