"""The page in a real Chromium, without a network: it stays quiet, fits every screen, and shows names as text."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from auditlib import history, runs, shipped, workbook
from auditlib.audit import audit

HOSTILE = "<script>document.title='taken'</script><img src=x onerror=document.title='taken'>"
LONG = "a-service-with-a-name-of-more-than-sixty-characters-that-goes-on-and-on"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the example, with two runs before it that found less."""
    folder = tmp_path_factory.mktemp("example")
    store, found = runs.Store(folder / "history"), audit(shipped.example(), scanned=False).findings
    for day, findings in (("2026-11-24", found[::3]), ("2026-11-25", found[::2])):
        store.keep(history.run_of(findings, "c0ffee" * 6, f"{day}T02:00:00Z"))
    return workbook.report(shipped.example(), folder / "report", store=store).index


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a repository whose names are markup, very long, or in other alphabets."""
    root = tmp_path_factory.mktemp("hostile") / f"Prüfstand & {'<b>x'}"
    (root / ".github/workflows").mkdir(parents=True)
    (root / "compose.yaml").write_text(
        f"services:\n  {LONG}:\n    image: \"größe/{'x' * 90}:1\"\n    ports: ['80:80']\n"
        f'    environment:\n      GREETING: "{HOSTILE}"\n      API_TOKEN: ${{API_TOKEN:-change-me}}\n'
        "  ünïcode:\n    image: redis\n  redis:\n    image: redis\n"
    )
    (root / "prometheus.yml").write_text(
        f"scrape_configs:\n  - job_name: \"{HOSTILE}\"\n    static_configs:\n      - targets: ['{LONG}-lost:9100']\n"
    )
    (root / ".github/workflows/ci.yml").write_text(
        f'name: "{HOSTILE}"\non: push\njobs:\n  build:\n    name: "{HOSTILE}"\n    runs-on: ubuntu-latest\n'
        f'    steps:\n      - run: "echo {"long " * 60}"\n'
    )
    return workbook.report(root, tmp_path_factory.mktemp("out") / "report").index


@pytest.fixture(scope="module")
def entitled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the example under a long title with a logo."""
    folder = tmp_path_factory.mktemp("entitled")
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="120"><rect width="400" height="120"/></svg>'
    (folder / "logo.svg").write_text(svg)
    (folder / "report.toml").write_text(
        "title = 'Prüfbericht der Betriebsumgebung Größe Süd und Nord der Hausverwaltung München'\n"
        "organisation = 'Bär & Söhne GmbH'\nlogo = 'logo.svg'\n"
    )
    return workbook.report(shipped.example(), folder / "report", config=folder / "report.toml").index


class Visit:
    """A page that was opened offline, and everything that it complained of or asked for."""

    def __init__(self, browser: Browser, index: Path, width: int, height: int = 900, scheme: str = "light") -> None:
        self.complaints: list[str] = []
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            offline=True,  # type: ignore[arg-type]
        )
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self._request(request.url, index))
        self.page.goto(index.as_uri())

    def _request(self, url: str, index: Path) -> None:
        if not url.startswith(("data:", index.as_uri())):
            self.complaints.append(url)

    def open_all(self) -> None:
        self.page.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true; })")


@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize("report", ["example", "hostile"])
def test_nothing_is_wider_than_the_screen_and_nothing_complains(
    browser: Browser, request: pytest.FixtureRequest, report: str, width: int
) -> None:
    visit = Visit(browser, request.getfixturevalue(report), width)
    visit.open_all()

    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.complaints == []


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_verdict_and_what_to_do_first_need_no_scrolling(
    browser: Browser, example: Path, width: int, height: int
) -> None:
    page = Visit(browser, example, width, height).page

    for selector in (".verdict .answer", ".verdict .since", ".scores li >> nth=4 >> .detail >> nth=0",
                     ".first li >> nth=2"):  # fmt: skip
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
@pytest.mark.parametrize("report", ["example", "entitled"])
def test_what_to_do_first_is_never_cut_and_its_titles_need_no_scrolling(
    browser: Browser, request: pytest.FixtureRequest, report: str, width: int, height: int
) -> None:
    page = Visit(browser, request.getfixturevalue(report), width, height).page
    items = page.locator(".first li")

    for item in items.all():
        box = item.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height
        if not item.locator(".step[open]").count():
            item.locator("summary").click()
        step = item.locator(".step")
        assert step.evaluate("e => [e, ...e.children].every((part) => part.scrollHeight <= part.clientHeight + 1)")
        assert step.evaluate("e => getComputedStyle(e.lastElementChild).webkitLineClamp") == "none"
        if page.locator(".first.tight").count():
            item.locator("summary").click()


def test_the_outline_of_a_box_at_the_left_edge_is_not_cut(browser: Browser, example: Path) -> None:
    page = Visit(browser, example, 1440).page
    picture = page.locator("#container-orchestration .picture").first
    picture.scroll_into_view_if_needed()
    left = picture.locator(".canvas").evaluate("e => e.getBoundingClientRect().left")
    boxes = picture.locator("[data-part^=box]").evaluate_all("all => all.map((e) => e.getBoundingClientRect().left)")

    assert left <= min(boxes) - 4


def test_names_that_are_markup_stay_text(browser: Browser, hostile: Path) -> None:
    visit = Visit(browser, hostile, 1440)
    visit.open_all()

    assert "taken" not in visit.page.title()
    assert visit.page.locator("main img").count() == 0
    assert visit.page.get_by_text("<img src=x", exact=False).count() > 0
    assert visit.page.title().startswith("Prüfstand & <b>x")


def test_the_policy_forbids_the_network_and_foreign_scripts(browser: Browser, example: Path) -> None:
    visit = Visit(browser, example, 1440)
    refused = visit.page.evaluate(
        """async () => {
            const script = document.createElement('script');
            script.textContent = "document.title = 'taken'";
            document.body.append(script);
            try { await fetch('data:text/plain,x'); return false; } catch { return document.title !== 'taken'; }
        }"""
    )

    assert refused


def test_a_link_to_a_finding_opens_it(browser: Browser, example: Path) -> None:
    page = Visit(browser, example, 1440).page
    finding = page.locator(".finding").first
    identity = finding.get_attribute("id")
    page.evaluate(f"location.hash = '{identity}'")
    page.wait_for_function(f"document.getElementById('{identity}').open")

    assert finding.locator("mark").first.is_visible()


def test_a_score_leads_to_what_costs_it_most(browser: Browser, example: Path) -> None:
    page = Visit(browser, example, 1440).page
    link = page.locator(".scores .detail a").first
    title = link.inner_text()
    link.click()
    opened = page.locator(".finding[open]").first

    assert opened.locator("mark").first.is_visible()
    assert opened.locator("xpath=ancestor::article").locator("h4").inner_text().startswith(title)


def test_the_first_step_is_an_edit_of_the_repositorys_own_line(browser: Browser, example: Path) -> None:
    page = Visit(browser, example, 1440).page
    finding = page.locator(".finding[data-rule=scrape-port-mismatch]").first
    finding.locator("summary").click()
    change = finding.locator(".change").first

    assert change.locator("del").text_content() == '      - targets: ["chroma:8001"]'
    assert change.locator("ins").text_content() == '      - targets: ["chroma:8000"]'


def test_what_is_new_since_the_last_run_can_be_asked_for(browser: Browser, example: Path) -> None:
    page = Visit(browser, example, 1440).page
    page.get_by_label("Since the last run").select_option("new")
    number = int(page.locator(".explorer output").inner_text().split()[0])

    assert 0 < number == page.locator(".finding[data-since=new]").count() < page.locator(".finding").count()


def test_without_scripts_everything_can_be_read(browser: Browser, example: Path) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(example.as_uri())
    finding = page.locator(".finding").first
    finding.locator("summary").click()

    assert finding.locator("mark").first.is_visible()
    assert page.locator(".verdict .answer").is_visible()
    assert not page.locator(".explorer").is_visible()
    context.close()


def test_the_page_is_no_larger_than_a_mail_takes(example: Path) -> None:
    assert example.stat().st_size < 2_500_000


def test_the_keyboard_alone_opens_a_finding(browser: Browser, example: Path) -> None:
    page = Visit(browser, example, 1440).page
    page.locator(".finding > summary").first.focus()
    page.keyboard.press("Enter")

    assert page.locator(".finding").first.evaluate("element => element.open")


def test_every_picture_has_words_and_every_heading_its_place(browser: Browser, example: Path) -> None:
    page = Visit(browser, example, 1440).page
    pictures = page.locator("main svg")

    assert pictures.count() >= 9
    assert all(len(pictures.nth(n).get_attribute("aria-label") or "") > 15 for n in range(pictures.count()))
    assert page.locator("h1").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5')].map((e) => Number(e.tagName[1]))")
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    identities = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(identities) == len(set(identities))
    assert page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')]"
        ".every((a) => document.getElementById(a.hash.slice(1).split('?')[0]))"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Browser, example: Path, scheme: str) -> None:
    """The contrast of the colours that texts have (WCAG: at least 4.5), against the page and against panels."""
    page = Visit(browser, example, 1440, scheme=scheme).page
    colours = page.evaluate(
        """() => {
            const style = getComputedStyle(document.querySelector('.auditlib'));
            return Object.fromEntries(['ink', 'muted', 'accent', 'paper', 'panel'].map(
                (name) => [name, style.getPropertyValue('--' + name).trim()]));
        }"""
    )

    for name in ("ink", "muted", "accent"):
        for ground in ("paper", "panel"):
            assert contrast(colours[name], colours[ground]) >= 4.5, f"{name} on {ground}"


def contrast(first: str, second: str) -> float:
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("width", "media"), [(1440, "screen"), (695, "print")])
def test_no_cell_of_a_table_lies_on_the_next(browser: Browser, example: Path, width: int, media: str) -> None:
    page = Visit(browser, example, width).page
    page.emulate_media(media=media)  # type: ignore[arg-type]
    over = page.locator("main td.look-state:visible").evaluate_all(
        "all => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"
    )

    assert over == []


def test_print_shows_the_evidence(browser: Browser, example: Path, tmp_path: Path) -> None:
    page = Visit(browser, example, 1000).page
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert (tmp_path / "report.pdf").stat().st_size > 50_000
    assert page.locator(".finding mark").first.is_visible()
    places = page.locator(".finding .related li")
    assert places.count() > 9
    assert places.evaluate_all("all => all.every((e) => e.getClientRects().length)")
