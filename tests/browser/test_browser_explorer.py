"""The list of all findings, the maps and the backlog in a real Chromium: by pointer, keyboard, address, and by axe."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from auditlib import shipped, workbook

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workbook.report(shipped.example(), tmp_path_factory.mktemp("example") / "report").index


@pytest.fixture
def page(browser: Browser, example: Path) -> Iterator[Page]:
    page = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True).new_page()
    page.goto(example.as_uri())
    yield page
    page.context.close()


def follow(target: Locator) -> None:
    """Open or follow something by its keyboard: a page that still lays itself out may move from under a pointer."""
    target.focus()
    target.press("Enter")


def shown(page: Page) -> int:
    return int(page.locator(".explorer output").inner_text().split()[0])


def test_words_and_filters_narrow_the_list(page: Page) -> None:
    everything = shown(page)
    page.get_by_label("Search").fill("redis password")
    some = shown(page)
    page.get_by_role("checkbox", name="critical").check()

    assert everything > some > shown(page) > 0
    assert set(page.locator(".entry .chip").all_inner_texts()) == {"critical"}
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("button", name="Show all")).to_be_hidden()
    assert shown(page) == everything


def test_every_filter_keeps_what_it_says(page: Page) -> None:
    assert "CI/CD & testing (" in page.locator(".explorer [name=area]").inner_text()
    page.locator(".explorer [name=area]").select_option("monitoring")
    page.locator(".explorer [name=rule]").select_option("monitoring-not-wired")

    assert shown(page) == page.locator(".finding[data-rule=monitoring-not-wired]").count() > 0


def test_the_numbers_beside_severities_follow_the_other_filters(page: Page) -> None:
    numbers = page.locator(".explorer fieldset small")
    before = [int(text) for text in numbers.all_inner_texts()]
    page.locator(".explorer [name=area]").select_option("monitoring")
    page.get_by_role("checkbox", name="high").check()

    after = [int(text) for text in numbers.all_inner_texts()]
    assert sum(before) > sum(after) == page.locator(".finding[data-area=monitoring]").count()
    assert shown(page) == after[1]


def test_a_bar_leads_to_its_findings_by_the_keyboard_too(page: Page) -> None:
    part = page.get_by_role("link", name=re.compile("Container orchestration: .* high"))
    part.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"#explorer\?area=orchestration&severity=high$"))

    number = page.locator(".finding[data-area=orchestration][data-severity=high]").count()
    assert number > 0
    expect(page.locator(".explorer output")).to_have_text(re.compile(rf"^\s*{number}\b"))  # the address changes first


def test_a_cell_of_the_risk_matrix_leads_to_its_findings(page: Page) -> None:
    cell = page.get_by_role("link", name=re.compile(r"^\d+ high of monitoring$"))
    number = int(cell.get_attribute("aria-label").split()[0])  # type: ignore[union-attr]
    follow(cell)
    expect(page).to_have_url(re.compile(r"#explorer\?area=monitoring&severity=high$"))
    expect(page.locator(".explorer output")).to_have_text(re.compile(rf"^\s*{number}\b"))

    words = page.locator("[data-part=words-cicd-medium]")  # which lie over the link, and take no focus
    words.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # until what the scroll brought has its height
    words.click()
    expect(page).to_have_url(re.compile(r"#explorer\?area=cicd&severity=medium$"))


def test_evidence_is_made_when_it_is_opened_and_not_before(page: Page) -> None:
    finding = page.locator(".finding").nth(3)
    assert finding.locator(".body").count() == 0
    follow(finding.locator("summary"))

    expect(finding.locator(".body")).to_be_visible()
    fold = page.locator("main .bars details.fold").first
    follow(fold.locator("summary"))
    expect(fold.locator("table")).to_be_visible()


def test_the_browsers_own_search_finds_what_lies_closed_and_opens_it(page: Page) -> None:
    finding = page.locator(".finding").nth(3)
    words = finding.locator("[hidden=until-found]")
    expect(words).to_contain_text("What to do")
    words.dispatch_event("beforematch")

    expect(finding.locator(".body")).to_be_visible()
    assert words.count() == 0


def test_a_fingerprint_finds_its_finding_and_nothing_is_said_to_be_nothing(page: Page) -> None:
    fingerprint = (page.locator(".finding").nth(5).get_attribute("id") or "").removeprefix("finding-")
    page.get_by_label("Search").fill(fingerprint)
    assert shown(page) == 1

    page.get_by_label("Search").fill("no finding says these words")
    assert shown(page) == 0
    assert page.locator(".explorer .none").is_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(".explorer .none")).to_be_hidden()
    assert shown(page) > 1


def test_the_contents_say_where_one_is(page: Page) -> None:
    link = page.locator(".contents a").nth(4)
    link.click()
    expect(link).to_have_attribute("aria-current", "true")
    assert page.locator(".contents a[aria-current]").count() == 1


def test_the_contents_say_where_one_is_after_a_leap_past_what_was_not_laid_out_yet(page: Page) -> None:
    heading = page.locator("h3", has_text="Where data lives").first
    heading.evaluate("(heading) => scrollTo(0, heading.getBoundingClientRect().top + scrollY - 100)")

    expect(page.locator(".contents a[aria-current]")).to_contain_text("Container orchestration")


def test_the_address_brings_the_view_back(page: Page, browser: Browser) -> None:
    page.get_by_role("checkbox", name="high").check()
    page.locator(".explorer [name=area]").select_option("cicd")
    follow(page.locator(".entry > summary").first)
    expect(page).to_have_url(re.compile("finding="))
    opened, count, address = page.locator(".entry[open] .message").inner_text(), shown(page), page.url
    other = browser.new_page()
    other.goto(address)

    assert shown(other) == count
    assert other.locator(".entry[open] .message").inner_text() == opened
    assert other.locator(".entry[open] mark").first.is_visible()
    other.close()


def test_the_keyboard_alone_searches_walks_and_opens(page: Page) -> None:
    page.get_by_label("Search").focus()
    page.keyboard.type("alert")
    page.locator(".entry > summary").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    assert page.locator(".entry").nth(1).evaluate("element => element.open")


def test_what_cant_be_found_is_said(page: Page) -> None:
    page.get_by_label("Search").fill("<img src=x onerror=document.title='taken'>")

    assert shown(page) == 0
    assert page.title() != "taken"


def test_a_box_of_a_map_shows_what_it_touches_and_the_arrows_walk(page: Page) -> None:
    svg = page.locator("#container-orchestration .picture svg").first
    svg.locator("[tabindex='0']").focus()

    assert svg.locator(".aside").count() > 0
    label = svg.locator("[tabindex='0']").get_attribute("aria-label")
    page.keyboard.press("ArrowDown")
    assert svg.locator("[tabindex='0']").get_attribute("aria-label") != label
    assert svg.locator("[tabindex='0']").count() == 1


def test_the_backlog_is_downloaded_from_the_page_itself(page: Page) -> None:
    page.context.set_offline(True)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()

    assert download.value.suggested_filename == "backlog.csv"
    assert download.value.path().read_text(encoding="utf-8").startswith("Summary,Description,")


def test_the_findings_that_are_shown_are_downloaded_from_the_page_itself(page: Page, example: Path) -> None:
    page.locator(".explorer [name=area]").select_option("monitoring")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text(encoding="utf-8").splitlines()))
    beside = csv.DictReader((example.parent / "findings.csv").read_text(encoding="utf-8").splitlines())
    written = {row["fingerprint"]: row for row in beside}

    assert len(rows) == shown(page)
    for row in rows:
        for column in ("severity", "area", "rule", "file", "line", "service", "source", "status"):
            assert row[column] == written[row["fingerprint"]][column]
        for column in ("title", "message", "recommendation"):
            assert row[column] == " ".join(written[row["fingerprint"]][column].replace("`", "").split())


def test_findings_are_filtered_by_file_and_the_address_keeps_it(page: Page) -> None:
    page.locator(".explorer [name=file]").select_option("docker-compose.yml")

    assert shown(page) > 1
    assert all(text.startswith("docker-compose.yml:") for text in page.locator(".entry .place").all_inner_texts())
    expect(page).to_have_url(re.compile("file=docker-compose.yml"))


def test_a_column_sorts_by_the_keyboard_up_and_down(page: Page) -> None:
    fold = page.locator("#container-orchestration > .auditlib > details.fold").last
    fold.locator("summary").click()
    table = fold.locator("table")
    button = table.get_by_role("button").nth(1)
    cells = table.locator("tbody tr td:nth-child(2)")
    button.focus()
    page.keyboard.press("Enter")
    up = cells.all_inner_texts()
    page.keyboard.press("Enter")

    assert up == sorted(up)
    assert cells.all_inner_texts() == sorted(up, reverse=True)
    assert table.locator("th").nth(1).get_attribute("aria-sort") == "descending"


def test_what_costs_points_sorts_by_their_worth_and_every_row_keeps_its_area(page: Page) -> None:
    table = page.locator("table", has=page.get_by_text("What costs each area its points"))
    table.get_by_role("button", name="Points").click()
    points = table.locator("tbody tr td:nth-child(2)").all_inner_texts()
    areas = table.locator("tbody tr td:first-child")

    worth = [float(text.replace("−", "-")) for text in points]
    assert worth == sorted(worth)
    assert len(worth) > 9
    assert all(box["width"] > 20 for cell in areas.locator(".again").all() if (box := cell.bounding_box()))
    assert all(areas.all_inner_texts())


def test_no_copy_button_lies_on_code_and_only_lines_to_write_are_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("document.querySelectorAll('.finding, .reasons').forEach((element) => { element.open = true; })")
    frames = page.locator(".code:visible")
    apart = "e => e.children[0].getBoundingClientRect().right <= e.children[1].getBoundingClientRect().left"
    several = page.locator(".code", has=page.locator(".at")).first
    several.get_by_role("button").click()
    expect(several.get_by_role("button", name="Copied")).to_be_visible()

    assert frames.count() > 50
    assert all(frames.evaluate_all(f"all => all.map({apart})"))
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines() == several.locator("ins").all_text_contents()


def test_the_lines_of_advice_are_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    finding = page.locator(".finding[data-rule=scrape-port-mismatch]").first
    finding.locator("summary").click()
    finding.get_by_role("button", name="Copy").click()
    expect(finding.get_by_role("button", name="Copied")).to_be_visible()

    assert page.evaluate("navigator.clipboard.readText()").splitlines()[-1] == '      - targets: ["chroma:8000"]'


def test_every_part_has_an_address(page: Page) -> None:
    link = page.locator("#container-orchestration h3 .anchor").first
    link.focus()
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("#container-orchestration-the-services$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, example: Path, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme, bypass_csp=True, offline=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(example.as_uri())
    # What is skipped until it is scrolled to lies, for axe, below something else.
    page.add_style_tag(content="main > section, .auditlib .fault { content-visibility: visible !important; }")
    page.evaluate(
        "document.querySelectorAll('.fault:nth-of-type(-n+3) details, :not(.fault) > details, .entry:nth-child(-n+2)')"
        ".forEach((item) => { item.open = true; })"
    )
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    context.close()

    assert [(item["id"], item["nodes"][0]["html"][:200]) for item in found] == []


def test_paper_has_a_sane_number_of_pages_and_says_what_it_leaves_out(page: Page, tmp_path: Path) -> None:
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    pages = len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "report.pdf").read_bytes()))
    findings = page.locator(".finding").count()
    page.emulate_media(media="print")

    assert 10 < pages < 20 + findings
    assert not page.locator(".explorer").is_visible()
    assert page.locator("footer .on-paper").is_visible()
