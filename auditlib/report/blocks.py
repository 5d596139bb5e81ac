"""What a section is made of: sentences, tables, pictures, findings and a few special panels, as plain data.

A section function answers with `Blocks`, which show themselves in a notebook, in the page and as Markdown. How they
look is the business of the templates in `site/`; everything that they hold is text that gets escaped there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from auditlib.excerpts import Excerpt
from auditlib.model import Finding, Related, Severity

PAGE_MIME = "application/vnd.auditlib.page+html"
"""The form for the page: as text/html, but with pictures inline and no style of its own."""
SLIDE_MIME = "application/vnd.auditlib.slide+html"
"""The form for a slide: one thing to look at, and the speaker's notes."""


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph; what stands between backticks is shown as code."""

    text: str
    kind: str = "prose"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and how its cells look (`text`, `code`, `number`, `severity`, `state`)."""

    heading: str
    look: str = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. A folded one is shown as its caption until it is opened."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]
    folded: bool = False
    file: str = ""
    """Where all rows are, in the report's folder."""
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG with its caption, and the table that says the same in words."""

    svg: str = field(repr=False)
    caption: str
    alternative: str
    table: Table | None = None
    kind: str = "picture"


@dataclass(frozen=True, slots=True)
class State:
    """A cell that judges: its words, and a tone (`good`, `warn`, `bad`, or empty) that only repeats them."""

    text: str
    tone: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Instance:
    """One finding with the lines that it is about."""

    finding: Finding
    excerpt: Excerpt | None
    related: tuple[tuple[Related, Excerpt | None], ...]
    link: str = ""
    """The lines on the repository's web host."""
    change: tuple[str, str] = ("", "")
    """The lines at fault before and after the first step; empty where no line says it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """All findings of one rule, the worst first, under what the rule says once for all of them."""

    rule: str
    title: str
    severity: Severity
    instances: tuple[Instance, ...]
    why: str = ""
    anti_pattern: str = ""
    better: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """Faults, the worst first, each instance to be opened."""

    faults: tuple[Fault, ...]
    kind: str = "findings"


@dataclass(frozen=True, slots=True)
class Panel:
    """A block with a template of its own, named by `kind`, over plain data."""

    kind: str
    data: Any


Block = Prose | Table | Picture | Findings | Panel


class Blocks:
    """Blocks in their order; the last expression of a notebook's cell shows them."""

    def __init__(self, *blocks: Block) -> None:
        self.blocks: Sequence[Block] = blocks

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from auditlib.report import rendering

        markdown = rendering.markdown(self.blocks)
        return {
            "text/plain": markdown,
            "text/markdown": markdown,
            "text/html": rendering.notebook_html(self.blocks),
            PAGE_MIME: rendering.page_html(self.blocks),
            SLIDE_MIME: rendering.slide_html(self.blocks),
        }

    def _repr_html_(self) -> str:
        return self._repr_mimebundle_()["text/html"]

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]
