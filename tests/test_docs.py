"""The generated pages are fresh, and what the documents name exists."""

import importlib.util
import re
from pathlib import Path

import pytest

from auditlib import backlog, verdict

ROOT = Path(__file__).parents[1]
DOCUMENTS = [path.relative_to(ROOT) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))]
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#|mailto:)([^)#\s]+)")
CODE = re.compile(r"^ {4}.*$", re.M)
"""Examples may link to what isn't there."""


def generated():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize("name", ["rules.md", "tables.md"])
def test_generated_pages_are_fresh(name):
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == generated()[name], "run `make docs`"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document):
    text = CODE.sub("", (ROOT / document).read_text(encoding="utf-8"))
    missing = [link for link in LINK.findall(text) if not (ROOT / document.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_make_targets_that_are_named_exist(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"`make ([a-z-]+)", (ROOT / document).read_text(encoding="utf-8")))
    assert named <= targets


def test_the_written_scale_of_the_score_is_the_one_in_force():
    text = (ROOT / "docs/severity.md").read_text(encoding="utf-8").partition("# From findings to a score")[2]
    rows = dict(re.findall(r"^\| (\w+) \| ([\d.]+) \|$", text.partition("| confidence |")[0], re.M))
    certainty = dict(re.findall(r"^\| (\w+) \| ([\d.]+) \|$", text.partition("| confidence |")[2], re.M))

    assert {name: float(weight) for name, weight in rows.items()} == {str(k): v for k, v in backlog.WEIGHT.items()}
    assert {name: float(part) for name, part in certainty.items()} == {str(k): v for k, v in backlog.CERTAINTY.items()}
    assert f"exp(-risk / {verdict.SCALE:g})" in text
    assert (
        ", ".join(f"{effort} {backlog.DAYS[effort]:g}" for effort in sorted(backlog.DAYS))
        == "small 0.5, medium 1.5, large 8"
    )
    assert "small 0.5 days, medium 1.5, large 8" in text
