"""The executed notebooks under JupyterLab's own style, which the `lab` template of nbconvert carries."""

from __future__ import annotations

import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page

from auditlib import shipped, workbook


@pytest.fixture(scope="module")
def notebook(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("example")
    executed = workbook.report(shipped.example(), folder / "report").index.parent / "notebooks/00-summary.ipynb"
    html, _ = HTMLExporter(template_name="lab").from_filename(str(executed))
    (folder / "summary.html").write_text(html, encoding="utf-8")
    page = browser.new_context(offline=True, viewport={"width": 1440, "height": 900}).new_page()
    page.goto((folder / "summary.html").as_uri(), wait_until="domcontentloaded")
    return page


def test_tables_read_from_the_left_and_give_room_to_sentences(notebook: Page) -> None:
    table = notebook.locator(".auditlib table", has=notebook.get_by_text("Finding", exact=True))
    cells = table.locator("tbody tr").first.locator("td")
    style = "(cell) => getComputedStyle(cell).textAlign"

    assert {cells.nth(index).evaluate(style) for index in range(cells.count())} <= {"left", "start"}
    assert cells.nth(2).bounding_box()["width"] > 2 * cells.nth(1).bounding_box()["width"]


def test_nothing_is_wider_than_the_notebook(notebook: Page) -> None:
    assert notebook.evaluate("document.documentElement.scrollWidth <= innerWidth")
