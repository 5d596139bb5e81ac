"""Every recorded answer of Docker Compose, where the recordings are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditlib import compose

RECORDED = (Path(__file__).resolve().parents[2].parent / "shared" / "conformance").resolve()
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


EDGES = json.loads((Path(__file__).parent / "cases" / "recorded.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in EDGES])
def test_agrees_at_the_edges(case, tmp_path, monkeypatch):
    """Odd projects with the answer that Docker Compose 2.40.3 gave; `null` where it refused."""
    folder = tmp_path / "case"
    folder.mkdir()
    for path, text in case["files"].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="")
    monkeypatch.chdir(folder)
    options = {"profiles": case["profiles"], "project_name": "case", "environ": {"HOME": "/nonexistent"}}
    if case["expected"] is None:
        with pytest.raises(compose.ComposeError):
            compose.load([folder / name for name in case["load"]], **options).config()
        return
    found = compose.load([folder / name for name in case["load"]], **options).config()
    text = json.dumps(found).replace(str(folder), "$DIR").replace(str(tmp_path), "$UP")
    assert json.loads(text) == case["expected"]
    assert exact(json.loads(text)) == exact(case["expected"])


def exact(value):
    """A form in which 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)
