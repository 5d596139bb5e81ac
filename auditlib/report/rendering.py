"""Blocks as HTML, for a notebook and for the page, and as Markdown; the words and looks are in the templates."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup, escape

from auditlib.model import Area, Severity
from auditlib.patterns import regex
from auditlib.report import wording
from auditlib.report.blocks import Again, Block, Table

PRINT_ROWS = 25
"""Rows of a table that paper shows; `page.css` hides those after them."""
PAPER = (695.0, 775.0)
"""What a picture has on paper, in the page's pixels; `page.css` sets it."""
PAPER_SCALE = 0.78
"""How far a picture may be shrunk on paper: its texts of 11 pixels are then 6.5 points high."""
NAMED_PLACES = 20
"""Places in one list on the page and on paper; the files beside it have all."""
TABLE_ROWS = 200
"""Rows of a table on the page and in a notebook, so that a browser can show what thousands of files are made into."""
PLACES_IN_FULL = 100
"""Places of one fault that are shown with their lines; those after them in brief."""


def page_html(blocks: Sequence[Block]) -> str:
    """The blocks for the page, which brings the style."""
    return _fragments().render(blocks=blocks, page=True, linked=True)


def notebook_html(blocks: Sequence[Block]) -> str:
    """The blocks for a notebook: with their style, and with pictures as images, which even untrusted ones show."""
    return _fragments().render(blocks=blocks, page=False, linked=False, style=style("blocks.css"))


def slide_html(blocks: Sequence[Block]) -> str:
    """The blocks cut down to a slide, with the speaker's notes; what reveal.js takes for a slide is none within it."""
    from auditlib.report.glance import glance

    html = environment().get_template("slide.html.j2").render(shown=glance(blocks), blocks=(), page=True, linked=False)
    return html.replace("<section", "<div").replace("</section>", "</div>")


def markdown(blocks: Sequence[Block]) -> str:
    """The blocks as Markdown, which is also what a terminal shows."""
    return environment().get_template("blocks.md.j2").render(blocks=blocks).strip() + "\n"


@cache
def environment() -> jinja2.Environment:
    """The templates of `site/`. HTML is escaped always, Markdown by the filter `plain`."""
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("auditlib.report", "site"),
        autoescape=lambda name: ".html" in (name or ""),  # noqa: S701 - HTML is escaped, Markdown is no HTML
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_spelled,
    )
    templates.filters |= {
        "code": _code,
        "css_text": _css_text,
        "day": wording.day,
        "host": _host,
        "plain": _plain,
        "inline": _inline_picture,
        "image": _image,
        "prose": _paragraphs,
    }
    templates.tests["again"] = lambda value: isinstance(value, Again)
    templates.globals |= {
        "severities": list(Severity),
        "area_names": {str(area): area.title for area in Area},
        "Table": Table,
        "paper": PAPER,
        "paper_scale": PAPER_SCALE,
        "print_rows": PRINT_ROWS,
        "named_places": NAMED_PLACES,
        "table_rows": TABLE_ROWS,
        "places_in_full": PLACES_IN_FULL,
    }
    return templates


@cache
def style(name: str) -> Markup:
    """A style sheet of `site/`, ready to stand in a `<style>` element."""
    text, _, _ = environment().loader.get_source(environment(), name)  # type: ignore[union-attr]
    return Markup(text)  # noqa: S704 - our own file


def _fragments() -> jinja2.Template:
    return environment().get_template("blocks.html.j2")


def _host(link: str) -> str:
    """The name of the host that a link leads to."""
    return urlsplit(link).netloc


def _css_text(text: str) -> Markup:
    """Text that stands between quotes in a style sheet: what is neither letter nor digit by its number."""
    safe = (char if char.isalnum() else f"\\{ord(char):x} " for char in " ".join(text.split()))
    return Markup("".join(safe))  # noqa: S704 - letters, digits and numbers in hexadecimal


_BACKTICKS = regex(r"`([^`]+)`")


def _code(text: object) -> Markup:
    """Escaped, with what stands between backticks as code."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def _paragraphs(text: str) -> Markup:
    """A rule's documentation as HTML; raw HTML in it stays text."""
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark", {"html": False}).render(text)
    return Markup(html.replace("<pre>", '<pre tabindex="0">'))  # noqa: S704 - html is off


_CONTROL = regex(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _spelled(value: object) -> str:
    """A value with control characters spelled out: HTML may hold none, and who prints a page isn't steered by them."""
    text = value if isinstance(value, str) else str(value)
    if not _CONTROL.search(text):
        return text
    return type(text)(_CONTROL.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text))


_MARKDOWN = regex(r"([\\`*_\[\]<>|#])")


def _plain(text: Any) -> str:
    """Text for Markdown: on one line, with what Markdown would take for a sign marked as text."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def _inline_picture(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - drawn by matplotlib, which escapes texts


def _image(svg: str) -> str:
    """The picture as the address of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")
