"""Slides, PDF and Markdown: what they need is asked for before anything is run, and they hold what they promise."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from handmade import MakeAudit, finding, service
from markdown_it import MarkdownIt

from auditlib import cli, editions, publishing, shipped, workbook
from auditlib.audit import Audit
from auditlib.editions import Edition
from auditlib.errors import PrintError, UsageError
from auditlib.inventory.delivery import Script, Workflow
from auditlib.model import Location, Severity
from auditlib.report import markdown_document, page, pdf, slides
from auditlib.report.blocks import Bar, Bars, Blocks, Brief, Column, Panel, Part, Picture, Prose, State, Table
from auditlib.report.glance import ROWS, glance
from auditlib.report.settings import Settings

OUTLINE = [
    "Scope",
    "Container Orchestration",
    "Configuration & Secrets",
    "Monitoring & Logging",
    "CI/CD & Testing Automation",
    "Gaps & Risks",
    "Recommended Backlog Items",
    "Confidence",
]
HOSTILE = "<img src=x> @everyone #7 [a](http://example.org) `x`` | *b* ![c](d) </details>"


def test_forms_are_named_in_any_order_and_html_is_always_one() -> None:
    assert editions.named("pdf, Slides") == {Edition.HTML, Edition.PDF, Edition.SLIDES}
    assert editions.named("") == {Edition.HTML}


def test_a_form_that_does_not_exist_is_told() -> None:
    with pytest.raises(UsageError, match="'word' is no form of a report; there are html, slides, pdf, markdown"):
        editions.named("html,word")


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["--format", "slides,word"], "", "'word' is no form of a report"),
        ([], "titel = 'x'\n", "report.toml:1: there is no setting 'titel'; did you mean title?"),
        (["--config", "gone.toml"], "", "gone.toml:1: is no regular file"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], settings: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.toml").write_text(settings)
    status = cli.run(["report", str(tmp_path), "-o", str(tmp_path / "out"), *arguments])
    complaint = capsys.readouterr().err

    assert (status, complaint.count("\n")) == (2, 1)
    assert said in complaint
    assert not (tmp_path / "out").exists()


def test_a_report_may_consist_of_every_form() -> None:
    assert set(editions.FILES.values()) <= publishing.ENTRIES
    assert publishing.CORE <= publishing.ENTRIES


def test_without_reveal_js_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'auditlib\[slides\]'"):
        workbook.report(tmp_path / "gone", tmp_path / "report", forms={Edition.SLIDES})
    assert not (tmp_path / "report").exists()


def test_without_a_browser_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="Chromium or Chrome, and neither is on the PATH"):
        workbook.report(tmp_path / "gone", tmp_path / "report", forms={Edition.PDF})
    assert not (tmp_path / "report").exists()


def test_a_name_on_every_sheet_stays_within_its_quotes(make_audit: MakeAudit) -> None:
    html = page.render(make_audit(name='"; } </style><script>alert(1)</script>'), [])

    assert html.count("</style>") == 1
    assert r'content: "\22 \3b \20 \7d' in html


def print_into(output: Path) -> None:
    with publishing.published(output) as folder:
        (folder / "index.html").write_text("newer")
        pdf.write(folder / "index.html", folder / "report.pdf")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'no display' >&2; exit 3", "printed no PDF: no display"),
        ("exit 0", "printed no PDF: it said nothing"),
        ("sleep 60", "printing took longer than"),
    ],
)
def test_a_browser_that_fails_leaves_the_older_report(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chromium").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(pdf, "TIME_LIMIT", 1.0)
    output = tmp_path / "report"
    output.mkdir()
    (output / "index.html").write_text("older")
    with pytest.raises(PrintError, match=said):
        print_into(output)
    assert (output / "index.html").read_text() == "older"


def test_every_form_is_written_and_the_same_every_time(tmp_path: Path) -> None:
    forms = {Edition.SLIDES, Edition.MARKDOWN}
    day = date(2026, 2, 3)
    first = workbook.report(shipped.example(), tmp_path / "one", forms=forms, today=day).index.parent
    second = workbook.report(shipped.example(), tmp_path / "two", forms=forms, today=day).index.parent

    for name in ("index.html", "slides.html", "report.md"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    deck = (first / "slides.html").read_text(encoding="utf-8")
    assert 10 <= len(re.findall("^<section", deck.partition("<script>")[0], re.M)) <= 12
    assert "default-src &#39;none&#39;" in deck
    assert "docker-compose.yml</code>, line" in deck  # the notes name the evidence


def test_a_deck_shows_what_went_wrong_and_escapes_what_it_is_told(shop: Audit) -> None:
    error = {"output_type": "error", "ename": "NameError", "evalue": "secret"}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Costs <b>\n\nHow much?"]},
        {"cell_type": "code", "metadata": {"tags": ["slide"]}, "source": ["x"], "outputs": [error]},
        {"cell_type": "code", "metadata": {"tags": ["slide"]}, "source": ["x"],
         "outputs": [{"output_type": "stream", "text": HOSTILE}]},
        {"cell_type": "code", "metadata": {}, "source": ["x"],
         "outputs": [{"output_type": "stream", "text": "unseen"}]},
    ]  # fmt: skip
    settings = Settings(title="<i>T</i>", organisation="<u>O</u>")
    deck = slides.render(shop, {"costs": {"cells": cells}}, settings)

    assert "This part could not be made: NameError" in deck
    assert "Costs &lt;b&gt;" in deck
    assert "&lt;img src=x&gt;" in deck
    assert "&lt;i&gt;T&lt;/i&gt;" in deck
    assert "unseen" not in deck
    assert "secret" not in re.sub(r"<script>.*?</script>", "", deck, flags=re.S)


def test_a_repository_with_little_in_it_has_fewer_slides_and_none_with_a_sentence_alone(tmp_path: Path) -> None:
    """Ten to twelve are for a repository with something of everything."""
    root = tmp_path / "small"
    root.mkdir()
    (root / "compose.yaml").write_text("services:\n  web: {image: nginx:1.27}\n  db: {image: postgres:16}\n")
    folder = workbook.report(root, tmp_path / "out", forms={Edition.SLIDES}).index.parent
    deck = (folder / "slides.html").read_text(encoding="utf-8").partition("<script>")[0]

    assert 5 <= len(re.findall("^<section", deck, re.M)) < 10
    assert 'class="lead alone"' not in deck
    assert "<b>Tests that run, and tests that don&#39;t</b><span>No test suite" in deck


def test_a_column_that_says_nothing_is_not_shown_but_an_empty_table_keeps_its_headings() -> None:
    table = Table("All", (Column("File"), Column("Reason")), (("", "not installed"), ("", "left out")))

    assert Blocks(table)._repr_html_().count("<th ") == 1
    assert "File" not in repr(Blocks(table))
    assert Blocks(replace(table, rows=()))._repr_html_().count("<th ") == 2


def test_a_legend_says_no_name_of_a_row_again() -> None:
    rows = (
        Bar("Read in full", (Part(5, "good", "read in full"),), "5"),
        Bar("Left out", (Part(1, "faint", "left out"),), "1"),
    )

    assert Bars(rows, "", "").legend == {}


def test_a_glance_shows_one_thing_and_says_what_it_leaves_out() -> None:
    table = Table("All", (Column("Name"), Column("Place", "code")), tuple((n, f"a.yml:{n}") for n in range(1, 31)))
    small = Picture('<svg viewBox="0 0 880 300">', "Read it so.", "30 things.", table)
    shown = glance([Prose("first"), small, small])

    assert (shown.lead, shown.note) == ("30 things.", "Read it so. 1 more picture of this kind in the report.")
    assert isinstance(shown.main, Picture)
    assert shown.main.table is None
    assert shown.evidence == ("`a.yml`, lines 1, 2, 3, 4, 5, 6, 7 and 23 more",)


def test_every_form_says_as_of_when_it_holds(shop: Audit) -> None:
    settings = Settings()

    for form in (page.render(shop, []), slides.render(shop, {}, settings), markdown_document.render(shop, settings)):
        assert "as of" in form
        assert "3 February 2026" in form


def test_a_picture_too_large_for_a_slide_becomes_a_table() -> None:
    table = Table("All", (Column("Name"),), tuple((n,) for n in range(30)), folded=True)
    shown = glance([Picture('<svg viewBox="0 0 880 2400">', "", "30 things.", table)])

    assert isinstance(shown.main, Table)
    assert (len(shown.main.rows), shown.main.folded) == (ROWS, False)
    assert shown.note.startswith("22 more rows in the report.")


def test_a_picture_too_large_for_a_slide_is_shown_in_brief_where_it_can_be() -> None:
    table = Table("All", (Column("Name"),), tuple((n,) for n in range(30)))
    whole = Picture('<svg viewBox="0 0 880 2400">', "", "30 things.", table, Brief("<svg>", "The first are shown."))
    shown = glance([whole])

    assert isinstance(shown.main, Picture)
    assert (shown.main.svg, shown.main.table) == ("<svg>", None)
    assert shown.note == "The first are shown. The report draws all of it."


def test_what_is_too_long_for_its_column_is_shortened_and_what_is_short_keeps_its_room() -> None:
    name = "a-name-of-sixty-characters-that-goes-on-and-on-until-its-end-01"
    columns = (Column("Service", "code"), Column("Waits for"), Column("State", "state"), Column("Place", "code"))
    row = (name, f"{name}, {name} and 30 more", State(name, "good"), "compose.yaml:12")
    shown = glance([Table("All", columns, (row,))])

    assert isinstance(shown.main, Table)
    service, waits, state, place = shown.main.rows[0]
    assert re.fullmatch("a-name-.*….*-end-01", str(service))
    assert str(waits).endswith(" and 30 more")
    assert (str(state)[-3:], place) == ("-01", "compose.yaml:12")


def test_the_lead_of_a_slide_ends_with_a_whole_clause() -> None:
    shown = glance([Picture("<svg>", "", f"40 services, in 6 steps; {'a-service, ' * 40} without a check.")])

    assert shown.lead == "40 services, in 6 steps."


def test_the_notes_name_what_a_picture_rests_on_and_files_without_a_line() -> None:
    picture = Picture("<svg>", "", "Most of the risk.", places=("a.yml:3", "a.yml:9"))
    level = Panel("level", {"level": "high", "reasons": (), "places": ("b.yml:2", "compose.yaml")})

    assert glance([picture]).evidence == ("`a.yml`, lines 3 and 9",)
    assert glance([level]).evidence == ("`b.yml`, line 2", "`compose.yaml`")


def test_a_glance_at_an_unknown_panel_or_at_nothing_is_no_error() -> None:
    panel = Panel("of another day", {})
    assert glance([panel]).main is panel
    assert glance([Prose("Nothing to see.")]).lead == "Nothing to see."


def test_markdown_has_the_outline(shop: Audit) -> None:
    text = markdown_document.render(shop, Settings())

    assert re.findall("^## (.*)$", text, re.M) == OUTLINE
    assert "- **Objective**: Assess" in text
    assert "`compose.yaml:2`" in text


def test_markdown_counts_what_it_leaves_out_and_repeats_nothing(make_audit: MakeAudit) -> None:
    workflows = [Workflow(f"{n}.yml", "", (), (), (), (), Location(f"{n}.yml", 1)) for n in range(7)]
    script = Script("a.sh", "sh", "", False, (), Location("a.sh", 1))
    twins = [service("api"), service("api", project="other.yaml")]
    text = markdown_document.render(make_audit([*twins, *workflows, script]), Settings())

    assert "- …and 2 more workflows." in text
    assert "- **Scripts**: 1 script: `a.sh`. None says what it does." in text
    assert "2 services in `compose.yaml`: `compose.yaml/api` and `other.yaml/api`." in text
    assert "- **Health Checks**: 0 of 2 long-running services have one. Not known, as the image may bring one:" in text


def test_markdown_of_an_empty_repository_has_the_outline_too(make_audit: MakeAudit) -> None:
    text = markdown_document.render(make_audit(), Settings(title="Ours", organisation="Example & Söhne"))

    assert text.startswith("# Ours (Example \\& Söhne)\n")
    assert re.findall("^## (.*)$", text, re.M) == OUTLINE
    assert "- No finding asks for work." in text


def test_what_a_repository_says_is_text_in_markdown(make_audit: MakeAudit) -> None:
    audit = make_audit(
        [
            service(HOSTILE, profiles=(HOSTILE,)),
            Workflow(f".github/workflows/{HOSTILE}.yml", HOSTILE, (), (), (), (), Location("ci.yml", 1)),
        ],
        [finding("bad", Severity.CRITICAL, title=HOSTILE, message=HOSTILE, recommendation=f"{HOSTILE}\n\n# heading")],
        name=HOSTILE,
    )
    text = markdown_document.render(audit, Settings(title=HOSTILE, organisation=HOSTILE))
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)

    assert not re.search(r"<img|<a |<table|</details>|<em>b|heading</h1>", html)
    assert "everyone" in html
    assert not re.search(r"@everyone|#7", re.sub(r"<code>.*?</code>", "", html, flags=re.S))


def test_markdown_fits_into_a_pull_request() -> None:
    from auditlib.audit import audit

    text = markdown_document.render(audit(shipped.example(), scanned=False), Settings())

    assert len(text) < 65_536
    assert "password123" not in text
