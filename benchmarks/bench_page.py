"""The report's page in Chromium: when it can be used, and how long a filter takes. Without a Chromium it says so.

*Usable* is the first frame after the page's scripts have run, from the start of the navigation, in a fresh context of a
browser that runs already. *Processor* is what the page's main thread has worked by then. A filter is one keystroke in
the search of all findings, up to the list laid out anew.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks import measure, repository

ROOT = Path(__file__).parents[1]
RUNS = 7
SERVICES = 3400
"""As many as make 5,000 findings."""
BROWSERS = ("chromium", "google-chrome", "chrome")
FRAME = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
FILTER = """(words) => words.map((word) => {
  const field = document.querySelector(".explorer [name=q]"), started = performance.now();
  field.value = word;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  document.querySelector(".explorer").getBoundingClientRect();
  return performance.now() - started;
})"""
WORDS = ["d", "da", "data", "data 1", "nothing says this", ""]


def main(show: Callable[[str], None] = print) -> None:
    """Print the table."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        show("\nThere is no Chromium to measure the page in; `make chromium` installs one.")
        return
    with tempfile.TemporaryDirectory() as name, _browser(program) as browser:
        folder = Path(name)
        pages = {
            "the shipped example": _written(ROOT / "data/propertypro", folder / "example"),
            f"{SERVICES} services": _written(repository.write(folder / "generated", SERVICES), folder / "large"),
        }
        header = ("page", "findings", "page MB", "usable s", "processor s", "slowest filter ms")
        rows = [(what, *_figures(browser, page)) for what, page in pages.items()]
        measure.table("the page in Chromium", header, rows, show)


@contextmanager
def _browser(program: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def _written(project: Path, output: Path) -> Path:
    command = measure.auditlib("report", project, "-o", output, "--no-history")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return output / "index.html"


def _figures(browser: Browser, page: Path) -> tuple[object, ...]:
    """The medians over the runs, after a warm-up."""
    runs = [_visit(browser, page) for _ in range(RUNS + 1)][1:]
    findings = runs[0][0]
    usable, processor, slowest = (statistics.median(run[number] for run in runs) for number in (1, 2, 3))
    print(f"{page.parent.name}: {usable:.2f} s", file=sys.stderr, flush=True)
    return findings, page.stat().st_size / 1e6, usable, processor, slowest


def _visit(browser: Browser, page: Path) -> tuple[int, float, float, float]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    tab = context.new_page()
    session = context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    tab.goto(page.as_uri())
    usable = tab.evaluate(FRAME) / 1000
    metrics = {item["name"]: item["value"] for item in session.send("Performance.getMetrics")["metrics"]}
    slowest = max(tab.evaluate(FILTER, WORDS))
    findings = tab.locator(".finding").count()
    context.close()
    return findings, usable, metrics["TaskDuration"], slowest


if __name__ == "__main__":
    main()
