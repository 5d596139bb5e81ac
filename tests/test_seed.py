"""The audit of the example states, by itself, every statement of the report that started the project."""

from pathlib import Path

import pytest
import yaml

from auditlib import rules
from auditlib.audit import audit
from auditlib.confidence import assess

DATA = Path(__file__).parents[1] / "data"
EXAMPLE = DATA / "propertypro"
STATEMENTS = yaml.safe_load((DATA / "seed_statements.yml").read_text(encoding="utf-8"))["statements"]


def expected(kind):
    """What the statements expect; of the wider list only what the catalogue has."""
    return [
        pytest.param(item, id=f"{statement['words'][:40]} - {item.get('rule') or item.get('table')} {number}")
        for statement in STATEMENTS
        for number, item in enumerate(statement["expect"].get(kind, ()))
        if kind != "later" or item["rule"] in rules.catalogue()
    ]


def texts(value):
    return [] if value is None else [value] if isinstance(value, str) else value


@pytest.fixture(scope="module")
def example():
    return audit(EXAMPLE)


def stands_at(location, item):
    names, contained = texts(item.get("file")), texts(item.get("line_contains"))
    if names and not any(
        location.file == name or (name[-1] == "/" and location.file.startswith(name)) for name in names
    ):
        return False
    if not contained:
        return True
    lines = (EXAMPLE / location.file).read_text(encoding="utf-8").splitlines()
    shown = lines[location.line - 1 : location.last_line]
    return any(text in line for text in contained for line in shown[:1])


@pytest.mark.parametrize("item", [*expected("findings"), *expected("later")])
def test_finding(example, item):
    found = [finding for finding in example.findings if finding.rule == item["rule"]]
    places = [place for finding in found for place in (finding.location, *(one.location for one in finding.related))]
    assert found, "the rule doesn't fire"
    assert any(stands_at(place, item) for place in places), f"it fires at {[str(place) for place in places]}"


@pytest.mark.parametrize("item", expected("tables"))
def test_table(example, item):
    rows = getattr(example.tables, item["table"]).to_dict("records")
    if item.get("empty"):
        assert not rows
    wanted = item.get("row") or item.get("no_row") or []
    holding = [row for row in rows if all(any(str(text) in str(cell) for cell in row.values()) for text in wanted)]
    assert bool(holding) is ("no_row" not in item) or item.get("empty")


def test_confidence(example):
    levels = [level for statement in STATEMENTS for level in texts(statement["expect"].get("confidence"))]
    assessment = assess(example.inventory, example.coverage)
    assert str(assessment.level) in levels
    assert assessment.reasons


def test_the_healthy_twin_has_nothing_above_info():
    above = [finding for finding in audit(DATA / "healthy").findings if str(finding.severity) != "info"]
    assert [f"{finding.rule} {finding.location}: {finding.message}" for finding in above] == []


def test_every_file_that_a_finding_points_at_is_said_to_be_read(example):
    read = {entry.file for entry in example.coverage}
    assert {item.location.file for item in example.findings if Path(EXAMPLE, item.location.file).is_file()} <= read
