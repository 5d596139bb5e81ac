"""What changed and the trend: in the verdict, on the page, in Markdown; and calmly absent where nothing is kept."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from handmade import MakeAudit, finding, place, service
from msgspec import structs

from auditlib import history, snapshot
from auditlib.audit import Audit
from auditlib.history import History, Standing
from auditlib.inventory.code import TestSuite
from auditlib.model import Area, Coverage, Finding, Read, Related, Severity, Status
from auditlib.report import markdown_document, rendering, sections
from auditlib.report.blocks import Panel, Picture, Prose
from auditlib.report.charts import trend
from auditlib.report.sections import progress
from auditlib.report.settings import Settings

HOSTILE = "<img src=x> `x` @everyone"


def after(audit: Audit, *earlier: list[Finding]) -> Audit:
    """The audit with runs before it, one a day, that found these."""
    days = [f"2026-11-{number:02}T02:00:13Z" for number in range(1, len(earlier) + 1)]
    runs = [history.run_of(found, "c0ffee" * 6, day) for found, day in zip(earlier, days, strict=True)]
    return replace(audit, history=History(tuple(run.standing for run in runs), runs[-1] if runs else None))


@pytest.fixture
def changed(make_audit: MakeAudit) -> Audit:
    """One finding fixed, one new, one grown, one shrunk, one judged differently, one suppressed, one open again."""
    grown = finding("grown", service="api")
    shrunk = finding("shrunk", service="api")
    wide = structs.replace(shrunk, related=(Related(place(9), "worker too", member=True),))
    judged, decided = finding("judged", Severity.LOW), finding("decided", Severity.MEDIUM)
    now = [
        finding("new", Severity.CRITICAL, message=HOSTILE),
        structs.replace(grown, related=(Related(place(9), "worker too", member=True),)),
        shrunk,
        structs.replace(judged, severity=Severity.HIGH),
        structs.replace(decided, status=Status.SUPPRESSED),
        finding("back"),
    ]
    before = [finding("gone", area=Area.CICD), grown, wide, judged, decided, finding("back", status=Status.SUPPRESSED)]
    suite = TestSuite("pytest", "", ("tests/test_shop.py",), place())
    return after(make_audit([service("api"), suite], findings=now), before)


def shown(audit: Audit) -> dict[str, list[str]]:
    (panel,) = sections.changes(audit).blocks
    assert isinstance(panel, Panel)
    return {group["title"]: [item["entry"].rule for item in group["shown"]] for group in panel.data["groups"]}


def test_every_fate_has_its_group(changed: Audit) -> None:
    assert list(shown(changed).items()) == [
        ("Fixed", ["gone"]), ("Shrunk", ["shrunk"]), ("New", ["new"]), ("Spread further", ["grown"]),
        ("Judged differently", ["judged"]), ("Open again", ["back"]), ("Suppressed", ["decided"]),
    ]  # fmt: skip


def test_the_sentence_counts_them_and_names_the_run(changed: Audit) -> None:
    assert progress.since(changed) == (
        "Since 1 November 2026, commit `c0ffeec0ff`: 1 fixed, 1 shrunk, 1 new, 1 spread further, 1 judged "
        "differently, 1 reopened and 1 suppressed."
    )


def test_the_verdict_tells_what_changed_and_how_scores_moved(changed: Audit) -> None:
    html = rendering.page_html(sections.verdict(changed).blocks)

    assert "Since 1 November 2026" in html
    assert "▲ 23" in html  # one finding of high severity less in CI/CD: from 77 to 100
    assert "▼" in html


def test_hostile_words_stay_words(changed: Audit) -> None:
    html = rendering.page_html(sections.changes(changed).blocks)

    assert "&lt;img src=x&gt;" in html
    assert "<img src=x>" not in html
    assert 'href="#finding-new-1"' in html
    assert 'href="#finding-gone-1"' not in html  # it is no longer on the page


def test_a_scanner_that_ran_in_only_one_of_the_two_is_left_aside(make_audit: MakeAudit) -> None:
    before = [finding("zizmor/unpinned-uses", source="zizmor"), finding("gone")]
    failed = Coverage(".", "scanner zizmor", Read.FAILED, "it crashed")
    audit = make_audit()
    now = after(replace(audit, coverage=(*audit.coverage, failed)), before)

    assert progress.since(now).endswith(": 1 fixed. zizmor ran in only one of the two and is left aside.")
    assert shown(now) == {"Fixed": ["gone"]}


def test_the_first_result_says_so(make_audit: MakeAudit) -> None:
    first = after(make_audit(findings=[finding()]))

    assert progress.since(first) == progress.FIRST
    assert sections.changes(first).blocks == (Prose(progress.FIRST),)
    assert "this is the first" in str(sections.trend(first))


def test_where_no_history_is_kept_the_verdict_is_silent_and_the_rest_says_how_to_get_one(shop: Audit) -> None:
    assert progress.since(shop) == ""
    assert "`auditlib report` keeps one" in sections.changes(shop).blocks[0].text
    assert "`auditlib report` keeps one" in sections.trend(shop).blocks[0].text


def test_the_trend_is_a_picture_with_its_words_and_its_table(changed: Audit) -> None:
    (picture,) = sections.trend(changed).blocks

    assert isinstance(picture, Picture)
    assert picture.alternative.startswith("From 5 open findings on 1 November 2026 to 5 now, in 2 results.")
    assert "CI/CD & testing is better" in picture.alternative
    assert picture.table is not None
    assert [row[0] for row in picture.table.rows] == ["2026-11-01 02:00", "This run"]
    assert picture.svg == sections.trend(changed).blocks[0].svg


@pytest.mark.parametrize("steps", [2, 3, 40, 200])
def test_names_of_lines_never_stand_upon_each_other(steps: int) -> None:
    lines = [trend.Line(name, "#1c2530", [1] * steps) for name in "abcde"]
    picture = trend.draw(["1 May 2026"] * steps, lines, [trend.Part("high", "#c2481a", [0] * steps)], ("Up", "Down"))
    placed = trend._apart([5.0] * 5, 0.0, 100.0)

    assert picture.svg("all the same").startswith("<svg")
    assert [round(second - first) for first, second in itertools.pairwise(placed)] == [15] * 4


def test_a_step_is_a_result_not_a_run(make_audit: MakeAudit) -> None:
    found = [finding()]
    runs = [history.run_of(found, "", f"2026-11-0{day}T02:00:00Z").standing for day in (1, 2, 3)]
    standing: Standing = history.run_of(found, "").standing

    assert history.before(runs, standing) == ()
    moved = history.run_of([structs.replace(found[0], location=place(40))], "").standing
    assert moved.digest == standing.digest  # a moved line is no other result


def test_a_history_survives_its_snapshot(changed: Audit, shop: Audit) -> None:
    assert snapshot.loads(snapshot.dumps(changed)).history == changed.history
    assert snapshot.loads(snapshot.dumps(shop)).history is None


def test_markdown_tells_it_too(changed: Audit, shop: Audit) -> None:
    text = markdown_document.render(changed, Settings())

    assert "- **What Changed**: Since 1 November 2026" in text
    assert "What Changed" not in markdown_document.render(shop, Settings())
    assert "Spread further" in rendering.markdown(sections.changes(changed).blocks)
