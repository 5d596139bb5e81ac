"""What the README tells a newcomer to type works."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = "data/propertypro"
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```", README, re.M | re.S)
LINES = [line.split(" #")[0].strip() for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
SLOW = ("auditlib report", "auditlib lab", "auditlib explain", "auditlib diff")
"""Tested elsewhere, and needing a minute, a browser, a fingerprint, or runs."""


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("auditlib ") and not line.startswith(SLOW)])
def test_command(line, tmp_path):
    baseline = tmp_path / "findings.json"
    baseline.write_text('{"version": 1, "findings": []}', encoding="utf-8")
    typed = line.split(" > ")[0].replace("~/shop/compose.yaml", f"{EXAMPLE}/docker-compose.yml")
    typed = (
        typed.replace("~/shop", EXAMPLE)
        .replace("findings.json", str(baseline))
        .replace("check .", f"check {EXAMPLE}")
        .replace("history .", f"history {EXAMPLE}")
    )
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(typed)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == (1 if "--fail-on" in typed else 0), done.stderr
    assert done.stdout


@pytest.mark.parametrize("code", [text for language, text in BLOCKS if language == "python"])
def test_python(code):
    last = "\nassert shop.graph.what_breaks('redis')\nassert len(shop.tables.dependencies)"
    subprocess.run([sys.executable, "-c", code + last], check=True, cwd=ROOT)


def test_what_a_notebook_of_ones_own_needs_is_said():
    assert "a cell tagged `parameters` with `snapshot = None`" in README


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("make ")])
def test_make_target_exists(line):
    assert re.search(rf"^{line.split()[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
