"""The page on paper: printed by the Chromium or Chrome that is installed.

Chromium can't write into a table of contents on which page a section begins, so the page is printed twice: the numbers
are read from the first print, whose contents have room for them already.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from auditlib import leftovers
from auditlib.errors import PrintError, UsageError
from auditlib.patterns import regex

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""What the program is called, by system."""
TIME_LIMIT = 180.0
"""Seconds after which printing is given up."""

_NUMBER = regex(r'<span class="page" data-of="([^"]*)">')
"""Where the contents on paper have room for the number of a page."""

_OPTIONS = (
    "--headless",
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
"""The page's own policy forbids the network; these keep the browser itself from it."""


def browser() -> str:
    """The browser to print with. Raises UsageError if there is none."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    raise UsageError(
        "a PDF is printed by Chromium or Chrome, and neither is on the PATH; install one, or leave out --format pdf"
    )


def write(page: Path, target: Path) -> None:
    """Print `page` to `target`. Raises PrintError if the browser fails or takes too long."""
    with leftovers.temporary("print") as folder:
        _print(page, folder / "draft.pdf", folder)
        numbered = folder / page.name
        numbered.write_text(
            _with_numbers(page.read_text(encoding="utf-8"), _pages(folder / "draft.pdf")), encoding="utf-8"
        )
        _print(numbered, target, folder)


def _pages(document: Path) -> dict[str, int]:
    """The number of the page on which each part of the document begins, by the part's id."""
    from pypdf import PdfReader  # only who prints pays for it

    reader = PdfReader(document)
    return {
        name.lstrip("/"): (reader.get_destination_page_number(place) or 0) + 1
        for name, place in reader.named_destinations.items()
    }


def _with_numbers(html: str, pages: Mapping[str, int]) -> str:
    """The page with the numbers in the places that its contents keep for them."""
    return _NUMBER.sub(lambda match: f"{match[0]}{pages.get(match[1], '')}", html)


def _print(page: Path, target: Path, folder: Path) -> None:
    """Print once; what the browser keeps, and what it complains of, is in `folder`."""
    command = [browser(), *_OPTIONS, *_sandbox(), f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={target}"]
    complaints = folder / "complaints.txt"
    status = _run([*command, page.as_uri()], complaints)
    if status or not target.is_file():
        said = complaints.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise PrintError(f"{command[0]} printed no PDF: {said[-1] if said else 'it said nothing'}")


def _run(command: list[str], complaints: Path) -> int:
    """The browser's exit status; on time-out all of its processes are ended."""
    with complaints.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True)
        try:
            return process.wait(TIME_LIMIT)
        except subprocess.TimeoutExpired:
            raise PrintError(
                f"printing took longer than {TIME_LIMIT:.0f} seconds; leave `pdf` out of --format"
            ) from None
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the browser, which starts a process for each of its parts."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _sandbox() -> list[str]:
    """Chromium refuses to sandbox what root starts, as containers do; elsewhere its sandbox stays."""
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
