"""What a section is made of: sentences, tables, pictures, findings and a few special panels, as plain data.

A section function answers with `Blocks`, which show themselves in a notebook, in the page and as Markdown. How they
look is the business of the templates in `site/`; everything that they hold is text that gets escaped there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from auditlib.edits import Edit
from auditlib.excerpts import Excerpt
from auditlib.model import Finding, Location, Related, Severity
from auditlib.patterns import regex

_SIZE = regex(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')

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

    @property
    def told(self) -> Table:
        """The table without the columns that say nothing in any row."""
        kept = [
            number for number in range(len(self.columns)) if not self.rows or any(str(row[number]) for row in self.rows)
        ]
        columns = tuple(self.columns[number] for number in kept)
        return replace(self, columns=columns, rows=tuple(tuple(row[number] for number in kept) for row in self.rows))


@dataclass(frozen=True, slots=True)
class Brief:
    """A picture in less room: a smaller SVG, and a sentence on what it does without."""

    svg: str = field(repr=False)
    note: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG with its caption, and the table that says the same in words."""

    svg: str = field(repr=False)
    caption: str
    alternative: str
    table: Table | None = None
    brief: Brief | None = None
    """For a slide or paper on which the whole could not be read."""
    places: tuple[str, ...] = ()
    """What it rests on, as `file:line`, where its table doesn't say."""
    kind: str = "picture"

    def legible(self, room: tuple[float, float], scale: float) -> bool:
        """Whether all of it fits into this room without being shrunk below the scale."""
        size = _SIZE.search(self.svg)
        return size is None or min(room[0] / float(size[1]), room[1] / float(size[2])) >= scale


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: its amount, the role of its colour, and the view of all findings that it leads to."""

    amount: int
    tone: str
    meaning: str
    view: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A row: a name, its parts, and what stands at its end."""

    name: str
    parts: tuple[Part, ...]
    end: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Amounts as bars on one scale, as wide as there is room, with what they say in words."""

    rows: tuple[Bar, ...]
    caption: str
    alternative: str
    table: Table | None = None
    kind: str = "bars"

    @property
    def largest(self) -> int:
        """What the longest bar stands for, at least 1."""
        return max(1, *(sum(part.amount for part in row.parts) for row in self.rows))

    @property
    def legend(self) -> dict[str, str]:
        """Meanings by tone, if there is more than one that no row is called by."""
        names = {row.name.lower() for row in self.rows}
        shown = {part.tone for row in self.rows for part in row.parts if part.amount}
        found = {
            part.tone: part.meaning
            for row in self.rows
            for part in row.parts
            if part.tone in shown and part.meaning.lower() not in names
        }
        return found if len(found) > 1 else {}


@dataclass(frozen=True, slots=True)
class State:
    """A cell that judges: its words, and a tone (`good`, `warn`, `bad`, or empty) that only repeats them."""

    text: str
    tone: str = ""
    finding: str = ""
    """The fingerprint of the finding that says why; empty where none does."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Again:
    """A cell that says what the one above it says; it is seen once the rows stand in another order."""

    text: str

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
    news: str = ""
    """What it is since the last run; empty where there is none."""
    edits: tuple[tuple[Location, Edit], ...] = ()
    """What to do as edits of the lines at fault, with the place of each, where lines say it."""


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


Block = Prose | Table | Picture | Bars | Findings | Panel


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
