"""The backlog: what comes before what, what it does to the scores, and how it leaves the page."""

from __future__ import annotations

import base64
import csv
import io
import re
from pathlib import Path

from handmade import MakeAudit, finding, place, service
from hypothesis import given
from hypothesis import strategies as st

from auditlib import backlog, rules, snapshot, verdict, workbook
from auditlib.formats import backlog_csv
from auditlib.model import Area, Effort, Finding, Severity
from auditlib.report import markdown_document, sections
from auditlib.report.settings import Settings

UNKNOWN = dict.fromkeys(Area, "nothing of it")
WIRED, TARGET = "monitoring-not-wired", "scrape-target-unresolved"


def test_what_an_item_needs_comes_before_it_however_cheap_it_is() -> None:
    dear = finding(WIRED, Severity.LOW, effort=Effort.LARGE)
    items = backlog.derive([finding(TARGET, Severity.CRITICAL), dear, finding("other")])

    assert [(item.rule, item.after) for item in items] == [(WIRED, ()), (TARGET, (1,)), ("other", ())]


def test_what_comes_first_is_a_rule_and_never_goes_in_a_circle() -> None:
    named = set(backlog.PREREQUISITES) | set().union(*backlog.PREREQUISITES.values())
    items = backlog.derive([finding(name, fingerprint=name) for name in sorted(named)])

    assert named <= set(rules.catalogue())
    assert all(max(item.after, default=0) < item.rank for item in items)


def test_closing_an_item_raises_its_areas_score_to_what_is_left() -> None:
    found = [finding("a"), finding("b", fingerprint="b"), finding("c", area=Area.CICD)]
    (gain,) = verdict.effects(found, backlog.derive(found))["a"].alone
    left = next(score for score in verdict.scores(found[1:]) if score.area is Area.ORCHESTRATION)

    assert gain.before < gain.after == left.points


@given(st.lists(st.builds(finding, st.sampled_from("abcd"), st.sampled_from(Severity), area=st.sampled_from(Area))))
def test_the_lowest_score_rises_with_every_item_that_is_done(found: list[Finding]) -> None:
    items = backlog.derive(found)
    lowest = [effect.lowest for effect in verdict.effects(found, items).values()]

    assert lowest == sorted(lowest)
    assert not items or lowest[-1] == 100


def test_an_item_says_what_it_does_also_where_that_is_less_than_a_point_or_nothing() -> None:
    found = [finding(str(number), Severity.CRITICAL) for number in range(8)] + [finding("low", Severity.LOW)]
    effects = verdict.effects(found, backlog.derive(found)), verdict.effects(found, backlog.derive(found), UNKNOWN)

    assert [str(effect["low"]) for effect in effects] == ["Container orchestration: less than 1 point", "no score"]


def test_the_csv_is_what_importers_of_trackers_know_and_spreadsheets_can_open() -> None:
    found = [finding("a", title="=HYPERLINK(1)", recommendation='mend, "it"')]
    items = backlog.derive(found)
    (row,) = csv.DictReader(io.StringIO(backlog_csv.render(items, verdict.effects(found, items))))

    assert row["Summary"] == "'=HYPERLINK(1)"
    assert (row["Priority"], row["Issue Type"], row["Labels"]) == ("High", "Task", "audit deployment-guide a")
    assert row["Description"].startswith('mend, "it".\n\nCloses:\n* compose.yaml:2: mend, "it"\n')
    assert row["Score"] == "Container orchestration 77 → 100"
    assert f"Alone it changes: {row['Score']}" in row["Description"]


def test_in_the_csv_an_item_is_blocked_by_the_ids_of_others() -> None:
    items = backlog.derive([finding(WIRED), finding(TARGET, fingerprint="t"), finding("alert-metric-unknown")])
    header, *rows = csv.reader(io.StringIO(backlog_csv.render(items, verdict.effects([], items))))
    ids, first = header.index("Issue Id"), header.index(backlog_csv.BLOCKED_BY)

    assert [(row[ids], row[first:]) for row in rows] == [
        ("AUD-1", ["", ""]), ("AUD-2", ["AUD-1", ""]), ("AUD-3", ["AUD-1", "AUD-2"]),
    ]  # fmt: skip
    assert "To be done before:\n* AUD-1: The fault monitoring-not-wired\n" in rows[1][header.index("Description")]


def test_the_page_carries_the_csv_and_the_markdown(make_audit: MakeAudit) -> None:
    html = sections.backlog(make_audit([service("api")], [finding("a", title="<b>x")])).__repr__()
    page = sections.backlog(make_audit([service("api")], [finding("a", title="<b>x")]))._repr_html_()
    data = re.search(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', page)

    assert data is not None
    assert base64.b64decode(data[1]).decode().startswith("Summary,Description,")
    assert "- [ ] AUD-1 **&lt;b&gt;x** (high, small effort)" in page
    assert "  Alone it changes Container orchestration 77 → 100.\n" in page
    assert "What each item does to the scores" in html


def test_the_document_says_what_each_item_does_to_the_scores(make_audit: MakeAudit) -> None:
    document = markdown_document.render(make_audit([service("api")], [finding("a")]), Settings())

    assert "closes 1 finding, alone changes Container orchestration 77 → 100): mend it" in document


def test_no_cell_of_any_table_is_a_formula(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit([service("=cmd()", image="@evil")], [finding("a", message="+1", location=place(2))])
    snapshot.save(audit, tmp_path / "saved.json")
    workbook.write_tables(tmp_path / "saved.json", tmp_path / "tables")
    cells = [
        cell
        for path in sorted((tmp_path / "tables").glob("*.csv"))
        for row in csv.reader(path.read_text(encoding="utf-8").splitlines())
        for cell in row
    ]

    assert "'=cmd()" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert (tmp_path / "tables/backlog.csv").is_file()
