"""What a rule is: a documented generator that yields evidence."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import cached_property, wraps
from inspect import cleandoc
from typing import TYPE_CHECKING

from msgspec import Struct

from auditlib.conventions import monitoring
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex

if TYPE_CHECKING:
    from auditlib.graph import DependencyGraph
    from auditlib.inventory import Inventory

    Check = Callable[[Inventory, DependencyGraph], Iterator["Evidence"]]


class Evidence(Struct, frozen=True):
    """One instance of a rule's fault.

    `subject` names what is at fault in words that survive an edit (`api/DB_PASSWORD`); with rule and file it makes
    the fingerprint. `recommendation` is a concrete first step here; without one the rule's general advice stands.
    `severity` and `confidence` differ from the rule's own where this instance is better or worse than the usual.
    `change` is the first step as an edit of the lines at fault: what stands there, and what should; or nothing, and the
    lines that the mapping lacks whose key stands there. `example` are lines to write elsewhere, in the repository's
    own names.
    """

    message: str
    location: Location
    subject: str
    service: str | None = None
    related: tuple[Related, ...] = ()
    recommendation: str = ""
    severity: Severity | None = None
    confidence: Confidence | None = None
    change: tuple[str, str] = ("", "")
    example: str = ""


class Documentation(Struct, frozen=True):
    """A rule's docstring, taken apart; each part is Markdown."""

    title: str
    why: str
    anti_pattern: str
    better: str
    recommendation: str
    references: tuple[str, ...]


class Rule(Struct, frozen=True, dict=True):
    """A rule of the catalogue; `text` is the docstring of its module."""

    id: str
    area: Area
    severity: Severity
    confidence: Confidence
    effort: Effort
    text: str
    check: Check

    @cached_property
    def documentation(self) -> Documentation:
        """The text, taken apart: for the few rules of hundreds that find something."""
        return _documentation(cleandoc(self.text))

    @property
    def title(self) -> str:
        """The fault's name in words: the first line of the docstring."""
        return self.documentation.title


def rule(
    *, area: Area, severity: Severity, confidence: Confidence, effort: Effort, retired: bool = False
) -> Callable[[Check], Rule]:
    """Make a module's `check(inventory, graph)` a rule: its id is the module's name, its text the docstring.

    `retired` is for what harms in retired files too, as secrets do: everybody with a clone can read them.
    """

    def decorate(check: Check) -> Rule:
        name = check.__module__.rpartition(".")[2].replace("_", "-")
        text = sys.modules[check.__module__].__doc__ or ""
        return Rule(name, area, severity, confidence, effort, text, check if retired else _of_what_is_in_use(check))

    return decorate


def _of_what_is_in_use(check: Check) -> Check:
    @wraps(check)
    def checked(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
        return check(monitoring.in_use(inventory.in_use), graph)

    return checked


_HEADING = regex(r"^(Anti-pattern|Better|Recommendation|References):[ ]*$", re.M)


def _documentation(docstring: str) -> Documentation:
    """A docstring, taken apart at its headings."""
    head, *rest = _HEADING.split(docstring)
    title, _, why = head.partition("\n")
    parts = {name: text.strip("\n").rstrip() for name, text in zip(rest[::2], rest[1::2], strict=True)}
    references = re.findall(r"^- (\S+)", parts.get("References", ""), re.M)
    return Documentation(
        title=title.strip().rstrip("."),
        why=why.strip(),
        anti_pattern=parts.get("Anti-pattern", ""),
        better=parts.get("Better", ""),
        recommendation=" ".join(parts.get("Recommendation", "").split()),
        references=tuple(references),
    )
