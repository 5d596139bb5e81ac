"""`report.toml`: every case of `report_toml.yml`, and what becomes of the settings in the report."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditlib import workbook
from auditlib.errors import UsageError
from auditlib.report import colours, settings
from auditlib.report.settings import Settings

CASES = yaml.safe_load((Path(__file__).parent / "report_toml.yml").read_text(encoding="utf-8"))
SECTIONS = ("summary", "scope", "gaps-risks", "backlog")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'


def png(width: int, height: int, padding: int = 0) -> bytes:
    """An image of one bit a pixel; only its header is true if it is large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"\0" * (height if height < 100 else 1) * (1 + (width + 7) // 8))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"") + b"\0" * padding


PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def notebook(path: Path, *, parameters: str, cell: str = "1", metadata: Any = PYTHON) -> None:
    def code(source: str, tags: list[str]) -> dict[str, Any]:
        return {"cell_type": "code", "execution_count": None, "id": source[:2] + "x", "metadata": {"tags": tags},
                "outputs": [], "source": [source]}  # fmt: skip

    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": ["# What it costs\n\nHow much?"]}
    cells = [title, code(parameters, ["parameters"]), code(cell, ["slide"])]
    path.write_text(json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (tmp_path / "outside.png").write_bytes(png(8, 8))
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    (folder / "logo.png").write_bytes(png(8, 8))
    (folder / "logo.svg").write_text(f"<?xml version='1.0'?>\n<!-- ours -->\n{SVG}")
    (folder / "entities.svg").write_text(f'<!DOCTYPE svg [<!ENTITY a "a">]>{SVG}')
    (folder / "page.png").write_text("<!doctype html><script>alert(1)</script>")
    (folder / "bomb.png").write_bytes(png(60_000, 60_000))
    (folder / "large.png").write_bytes(png(8, 8, padding=300_000))
    os.mkfifo(folder / "pipe.png")
    notebook(folder / "cost.ipynb", parameters="project = None\nsnapshot = None")
    notebook(folder / "bare.ipynb", parameters="budget = 7")
    notebook(folder / "scope.ipynb", parameters="snapshot = None")
    return folder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_report_toml_says(case: dict[str, Any], repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    nested = "title = " + "[" * 20_000
    Path("report.toml").write_text(nested if case["toml"] == "NESTED" else case["toml"], encoding="utf-8")
    named = Path("report.toml") if case.get("from") == "caller" else None
    if "error" in case:
        with pytest.raises(UsageError) as caught:
            settings.load(repository, named, SECTIONS)
        assert str(caught.value).startswith(case["error"])
        return
    found = settings.load(repository, named, SECTIONS)
    for key, value in case["settings"].items():
        actual = getattr(found, key)
        if key == "logo":
            assert actual.startswith(value)
        else:
            shown = [getattr(item, "name", item) for item in actual] if isinstance(actual, tuple) else actual
            assert shown == value


def test_the_readme_shows_settings_that_hold(repository: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (repository / "docs").mkdir()
    (repository / "docs/logo.svg").write_text(SVG)
    (repository / "ops").mkdir()
    notebook(repository / "ops/cost.ipynb", parameters="snapshot = None")
    (repository / "mine.toml").write_text(readme.split("```toml\n")[1].split("```")[0], encoding="utf-8")

    assert settings.load(repository, repository / "mine.toml", SECTIONS).left_out == ("scope",)


def test_without_a_file_everything_is_as_ever(tmp_path: Path) -> None:
    assert settings.load(tmp_path, None, SECTIONS) == Settings()


def test_a_file_that_the_caller_names_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"mine\.toml:1: is no regular file"):
        settings.load(tmp_path, tmp_path / "mine.toml", SECTIONS)


@pytest.mark.parametrize("colour", ["#ffff00", "#ffffff", "#000000", "#0a7d5a", "#ff69b4", "#14191f"])
def test_an_accent_is_legible_whatever_it_was(colour: str) -> None:
    for mode, grounds in (("light", ("#ffffff", "#f3f5f8")), ("dark", ("#14191f", "#1d242d"))):
        shown = colours.readable(colour, mode)
        assert all(colours.contrast(shown, ground) >= 4.5 for ground in grounds)
    assert colours.readable("#0a7d5a", "light") == "#0a7d5a"  # one that is legible stays


def test_the_settings_are_in_the_report(repository: Path, tmp_path: Path) -> None:
    (repository / "compose.yaml").write_text("services:\n  api:\n    image: api:1\n")
    (repository / "report.toml").write_text(
        'title = "Readiness <b>2026</b>"\norganisation = "Bär & Co"\nlogo = "logo.svg"\naccent = "#0a7d5a"\n'
        "[sections]\nscope = false\n"
    )
    written = workbook.report(repository, tmp_path / "report")
    page = written.index.read_text(encoding="utf-8")

    assert written.failures == ()
    assert "<h1>Readiness &lt;b&gt;2026&lt;/b&gt;</h1>" in page
    assert "Bär &amp; Co" in page
    assert 'src="data:image/svg+xml;base64,' in page
    assert "--accent: #0a7d5a;" in page
    assert 'id="scope"' not in page
    assert "Left out by <code>report.toml</code>: scope." in page


@pytest.mark.parametrize(
    "metadata",
    [PYTHON, {"kernelspec": {"name": "shop", "display_name": "Shop"}}, {}],
    ids=["whole", "no language", "none"],
)
def test_a_notebook_of_the_caller_becomes_a_section(metadata: Any, repository: Path, tmp_path: Path) -> None:
    (repository / "compose.yaml").write_text("services:\n  api:\n    image: api:1\n")
    cell = "from auditlib.report import sections\nsections.scope(sections.load(project, snapshot))"
    notebook(repository / "cost.ipynb", parameters="project = None\nsnapshot = None", cell=cell, metadata=metadata)
    (tmp_path / "mine.toml").write_text('notebooks = ["repository/cost.ipynb"]')
    written = workbook.report(repository, tmp_path / "report", config=tmp_path / "mine.toml")
    page = written.index.read_text(encoding="utf-8")

    assert written.failures == ()
    assert '<section id="cost"' in page
    assert "What it costs" in page
    assert (tmp_path / "report/notebooks/cost.ipynb").is_file()
