"""The deck and the PDF in a real Chromium, without a network."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from pypdf import PageObject, PdfReader

from auditlib import shipped, workbook
from auditlib.editions import Edition

HOSTILE = "<script>document.title='taken'</script><img src=x onerror=document.title='taken'>"
FOOTER = 40
"""Points from a page's lower edge to above its footer."""
PAPER = 695
"""Pixels that A4 has between the margins."""
LONG = "a-service-with-a-name-of-more-than-sixty-characters-that-goes-on-and-on"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("example") / "report"
    return workbook.report(shipped.example(), output, forms={Edition.SLIDES, Edition.PDF}).index.parent


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a repository of forty services whose names are markup, or very long."""
    root = tmp_path_factory.mktemp("hostile") / f"Prüfstand & {'<b>x'}"
    root.mkdir()
    services = "".join(
        f"  {LONG}-{number}:\n    image: \"{HOSTILE}\"\n    ports: ['80{number}:80']\n    environment:\n"
        f"      API_TOKEN: ${{API_TOKEN:-change-me}}\n"
        for number in range(40)
    )
    (root / "compose.yaml").write_text(f"services:\n{services}")
    (root / "prometheus.yml").write_text(
        f"scrape_configs:\n  - job_name: \"{HOSTILE}\"\n    static_configs:\n      - targets: ['{LONG}-lost:9100']\n"
    )
    (root / "report.toml").write_text(f'title = "{HOSTILE}"\norganisation = "Bär & <i>Co</i>"\naccent = "#ffee00"\n')
    output = tmp_path_factory.mktemp("out") / "report"
    return workbook.report(root, output, forms={Edition.SLIDES}).index.parent


class Deck:
    """A deck that was opened offline, and everything that it complained of or asked for."""

    def __init__(self, browser: Browser, folder: Path, width: int = 1440, height: int = 900) -> None:
        self.complaints: list[str] = []
        address = (folder / "slides.html").as_uri()
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._request(request.url, address))
        self.page.goto(address)
        self.page.wait_for_selector(".reveal.ready")

    def _request(self, url: str, address: str) -> None:
        if not url.startswith(("data:", address)):
            self.complaints.append(url)

    @property
    def count(self) -> int:
        return self.page.locator(".slides > section").count()

    def walk(self) -> Iterator[int]:
        """Go through the deck by keyboard; at each slide its number."""
        for number in range(self.count):
            self.page.wait_for_selector(f".slides > section:nth-of-type({number + 1}).present")
            yield number
            self.page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("report", ["example", "hostile"])
def test_the_deck_is_gone_through_by_keyboard_and_every_slide_fits(
    browser: Browser, request: pytest.FixtureRequest, report: str
) -> None:
    deck = Deck(browser, request.getfixturevalue(report))

    assert 10 <= deck.count <= 12
    for number in deck.walk():
        content = deck.page.locator("section.present > .content")
        if number:
            assert content.evaluate("e => e.scrollHeight <= e.clientHeight + 1"), f"slide {number + 1}"
            assert content.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), f"slide {number + 1}"
    assert deck.complaints == []


@pytest.mark.parametrize("report", ["example", "hostile"])
def test_on_no_slide_does_one_text_lie_on_another(
    browser: Browser, request: pytest.FixtureRequest, report: str
) -> None:
    deck = Deck(browser, request.getfixturevalue(report))

    for number in deck.walk():
        slide = deck.page.locator("section.present")
        assert slide.evaluate(
            """(slide) => {
                const right = (cell) => {
                    const range = document.createRange();
                    range.selectNodeContents(cell);
                    return range.getBoundingClientRect().right;
                };
                const fits = (cell) => right(cell) <= cell.getBoundingClientRect().right + 1;
                return [...slide.querySelectorAll("td")].every(fits);
            }"""
        ), f"slide {number + 1}"
        assert slide.evaluate(
            """(slide) => {
                const main = slide.querySelector(".main"), note = slide.querySelector(".remark");
                return !main || !note || note.getBoundingClientRect().top >= main.getBoundingClientRect().bottom - 1
                    && [...main.querySelectorAll("tr, svg")].every(
                        (item) => item.getBoundingClientRect().bottom <= note.getBoundingClientRect().top + 1);
            }"""
        ), f"slide {number + 1}"


def test_the_notes_of_every_slide_that_shows_something_name_files(browser: Browser, example: Path) -> None:
    page = Deck(browser, example).page

    assert page.locator(".notes", has_text="The files as a whole").count() == 0


def test_keys_go_back_and_open_the_overview(browser: Browser, example: Path) -> None:
    page = Deck(browser, example).page
    page.keyboard.press("End")
    page.wait_for_selector(".slides > section:last-of-type.present")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".slides > section:nth-last-of-type(2).present")
    page.keyboard.press("o")

    assert page.locator(".reveal.overview").count() == 1


def test_the_address_leads_back_to_a_slide(browser: Browser, example: Path) -> None:
    deck = Deck(browser, example)
    deck.page.keyboard.press("ArrowRight")
    deck.page.wait_for_url("**/slides.html#/1")
    deck.page.reload()
    deck.page.wait_for_selector(".slides > section:nth-of-type(2).present")

    assert deck.complaints == []


def test_a_phone_shows_the_whole_slide(browser: Browser, example: Path) -> None:
    deck = Deck(browser, example, 390, 844)
    box = deck.page.locator("section.present").bounding_box()

    assert box is not None
    assert (box["x"], box["x"] + box["width"]) == (0, 390)
    assert deck.complaints == []


def test_names_that_are_markup_stay_text_on_slides(browser: Browser, hostile: Path) -> None:
    deck = Deck(browser, hostile)

    assert deck.page.title().startswith("<script>document.title='taken'</script>")
    assert deck.page.locator(".slides img").count() == 0
    assert deck.page.locator("section.opening h1").inner_text() == HOSTILE
    assert deck.page.get_by_text("Bär & <i>Co</i>").count() > 0


def test_the_speaker_reads_the_evidence_in_a_window_of_his_own(browser: Browser, example: Path) -> None:
    deck = Deck(browser, example)
    deck.page.keyboard.press("ArrowRight")
    with deck.page.expect_popup() as opened:
        deck.page.keyboard.press("s")
    notes = opened.value
    assert "The verdict" in notes.locator("h1").inner_text()
    assert "docker-compose.yml, line" in notes.locator("body").inner_text()

    notes.keyboard.press("ArrowRight")
    deck.page.wait_for_selector(".slides > section:nth-of-type(3).present")
    assert notes.locator(".bar").inner_text().startswith("Slide 3 of")
    assert deck.complaints == []


def test_the_deck_can_fetch_nothing(browser: Browser, example: Path) -> None:
    page = Deck(browser, example).page

    assert page.evaluate(
        """async () => {
            const script = document.createElement('script');
            script.textContent = "document.title = 'taken'";
            document.body.append(script);
            try { await fetch('data:text/plain,x'); return false; } catch { return document.title !== 'taken'; }
        }"""
    )


def test_a_printed_deck_has_a_page_for_each_slide(browser: Browser, example: Path, tmp_path: Path) -> None:
    deck = Deck(browser, example)
    deck.page.pdf(path=tmp_path / "deck.pdf", prefer_css_page_size=True)
    pages = texts_of(tmp_path / "deck.pdf")

    assert len(pages) == deck.count
    assert all("Not ready for production" in page for page in pages[:2])
    assert "confidence" in pages[-1]


@cache
def texts_of(path: Path) -> tuple[str, ...]:
    """The text of each page of a document, ligatures apart. Taking it out is slow, so that it is done once."""
    return tuple(unicodedata.normalize("NFKC", page.extract_text()) for page in PdfReader(path).pages)


def test_the_pdf_has_its_pages_numbers_and_contents(example: Path) -> None:
    document = PdfReader(example / "report.pdf")
    texts = texts_of(example / "report.pdf")

    assert document.metadata is not None
    assert document.metadata.title == "propertypro: DevOps and infrastructure audit"
    assert round(float(document.pages[0].mediabox.width)) in (594, 595)  # A4
    assert "Not ready" in texts[0]
    assert f"5 / {len(document.pages)}" in texts[4]
    assert "propertypro · DevOps and infrastructure audit" in texts[4]
    assert document.outline  # the viewer's own contents


def test_the_contents_on_paper_name_the_page_on_which_a_chapter_begins(example: Path) -> None:
    texts = texts_of(example / "report.pdf")
    chapters = contents(texts)

    assert next(iter(chapters)) == "Summary"
    assert list(chapters)[-1] == "Confidence"
    assert len(chapters) == 9
    for title, number in list(chapters.items())[1:]:
        assert re.search(rf"^{re.escape(title)}$", texts[number - 1], re.M)
        assert not re.search(rf"^{re.escape(title)}$", texts[number - 2], re.M)


def contents(texts: Sequence[str]) -> dict[str, int]:
    """The pages of the chapters."""
    lines = re.findall(r"^([^\d\n]+) (\d+)$", texts[0], re.M)[:9]
    return {title: int(number) for title, number in lines}


def test_paper_is_dense(example: Path) -> None:
    """More than two findings on a page, each with what to write, with pictures and the backlog; none almost empty."""
    texts = texts_of(example / "report.pdf")

    assert 9 < len(texts) < 70
    assert min(map(len, texts)) > 250


def test_no_page_of_the_pdf_is_half_empty_but_before_a_chapter(example: Path) -> None:
    document = PdfReader(example / "report.pdf")
    before_chapters = {number - 2 for number in contents(texts_of(example / "report.pdf")).values()}
    starved = [number for number, page in enumerate(document.pages[:-1]) if filled(page) < 0.5]

    assert set(starved) <= before_chapters


def filled(page: PageObject) -> float:
    """The share of a page's height down to the last line of its text, the footer left out."""
    heights: list[float] = []

    def note(text: str, page: list[float], place: list[float], *_: object) -> None:
        height = place[4] * page[1] + place[5] * page[3] + page[5]
        if text.strip() and height > FOOTER:
            heights.append(height)

    page.extract_text(visitor_text=note)
    return 1 - min(heights) / float(page.mediabox.height)


@pytest.mark.parametrize("report", ["example", "hostile"])
def test_the_labels_of_pictures_can_be_read_on_paper(
    browser: Browser, request: pytest.FixtureRequest, report: str
) -> None:
    """Labels are 11 pixels high, which are 6.4 points at this scale."""
    page = browser.new_page(viewport={"width": PAPER, "height": 1000})
    page.goto((request.getfixturevalue(report) / "index.html").as_uri())
    page.emulate_media(media="print")
    scales = page.locator(".picture svg:visible").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect().width / e.viewBox.baseVal.width)"
    )
    page.close()

    assert len(scales) >= 5
    assert min(scales) >= 0.78


def test_a_table_that_goes_on_repeats_its_headings_in_words(browser: Browser, example: Path, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto((example / "index.html").as_uri())
    table = page.locator("table", has=page.get_by_text("What costs each area its points"))
    table.locator("tbody tr").nth(5).evaluate("row => { row.style.breakBefore = 'page'; }")
    table.evaluate("e => document.querySelectorAll('main > section').forEach((s) => s.contains(e) || s.remove())")
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    page.close()
    text = "\n".join(texts_of(tmp_path / "report.pdf"))

    assert text.count("Area and score") > 1
    assert not set(text) & set("↕↑↓")


def test_the_pdf_shows_the_evidence(example: Path) -> None:
    text = "\n".join(texts_of(example / "report.pdf"))

    assert "What to do" in text
    assert "condition: service_started" in text
    assert "Why it matters The settings fail at the first import" in " ".join(text.split())
    assert "https://docs.docker.com/compose/how-tos/startup-order/" in text
    assert "POSTGRES_PASSWORD falls back to a value that stands in the repository (‹secret, " in " ".join(text.split())
