"""What a scanner is to auditlib: which files it wants, how it is called, and what its output says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from auditlib.model import Area, Confidence, Effort, Location, Severity
from auditlib.source import Source

if TYPE_CHECKING:
    from auditlib.inventory import Inventory


class OutputError(Exception):
    """A scanner's output isn't what its documentation says; the scanner has failed."""


class Issue(Struct, frozen=True):
    """One thing that a scanner reports at one place. `rule` is its own id for it, without its name."""

    rule: str
    title: str
    message: str
    severity: Severity
    confidence: Confidence
    area: Area
    location: Location
    recommendation: str
    references: tuple[str, ...] = ()
    service: str | None = None
    effort: Effort = Effort.SMALL
    example: str = ""
    change: tuple[str, str] = ("", "")
    """As in a finding."""
    program: str = ""
    """The well-known program for which the advice is; its issues are a finding of their own."""


def _as_they_are(issues: list[Issue], inventory: Inventory, source: Source) -> list[Issue]:
    return issues


class Scanner(Struct, frozen=True):
    """An external program. It runs in a copy of the files that it wants, and sees nothing else of the repository."""

    name: str
    wanted: Callable[[Source], list[str]]
    """The files that are copied for it, relative to the root."""
    arguments: Callable[[Sequence[str]], list[str]]
    """What the program is called with, given these files."""
    parse: Callable[[str], Iterator[Issue]]
    """The issues in its output. Raises OutputError, or whatever reading nonsense raises."""
    exits: frozenset[int] = frozenset({0})
    """The exit statuses with which it ends after having done its work."""
    joins_errors: bool = False
    """Whether what it writes to the standard error stream is part of its output."""
    adapted: Callable[[list[Issue], Inventory, Source], list[Issue]] = _as_they_are
    """The issues with advice that looks at the rest of the repository."""
    prepared: Callable[[str], str] = str
    """The text of a file as it is copied for it; lines stay where they are."""
    homepage: str = ""
