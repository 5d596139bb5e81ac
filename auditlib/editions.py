"""The other forms of a report, beside the page: slides, PDF and Markdown."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path

from auditlib.audit import Audit
from auditlib.errors import UsageError
from auditlib.report import markdown_document, pdf, slides
from auditlib.report.settings import Settings


class Edition(StrEnum):
    """A form of the report. The page is always written."""

    HTML = "html"
    SLIDES = "slides"
    PDF = "pdf"
    MARKDOWN = "markdown"


FILES = {
    Edition.HTML: "index.html",
    Edition.SLIDES: "slides.html",
    Edition.PDF: "report.pdf",
    Edition.MARKDOWN: "report.md",
}
"""What each form is called in the report's folder."""


def named(text: str) -> frozenset[Edition]:
    """The editions that `html,slides` names. Raises UsageError for one that doesn't exist."""
    try:
        return frozenset(Edition(name.strip().lower()) for name in text.split(",") if name.strip()) | {Edition.HTML}
    except ValueError as error:
        known = ", ".join(Edition)
        raise UsageError(f"{str(error).split(' is ')[0]} is no form of a report; there are {known}") from None


def check(editions: Collection[Edition]) -> None:
    """Raise UsageError if something that an edition needs is not installed."""
    if Edition.SLIDES in editions:
        slides.check()
    if Edition.PDF in editions:
        pdf.browser()


def write(
    editions: Collection[Edition], audit: Audit, folder: Path, notebooks: Sequence[str], settings: Settings
) -> None:
    """Write the editions beside the page in `folder`, from the executed notebooks of these names below it."""
    if Edition.SLIDES in editions:
        executed = {name: folder / "notebooks" / f"{name}.ipynb" for name in notebooks}
        shown = {
            name: json.loads(path.read_text(encoding="utf-8")) for name, path in executed.items() if path.is_file()
        }
        _write(folder, Edition.SLIDES, slides.render(audit, shown, settings))
    if Edition.MARKDOWN in editions:
        _write(folder, Edition.MARKDOWN, markdown_document.render(audit, settings))
    if Edition.PDF in editions:
        pdf.write(folder / FILES[Edition.HTML], folder / FILES[Edition.PDF])


def _write(folder: Path, edition: Edition, text: str) -> None:
    (folder / FILES[edition]).write_text(text, encoding="utf-8")
