"""A document for trouble stops where the steps should be.

Under the heading on the restore stands nothing, or that it is still to be written. Who opens it has no time to find out
then, and everybody else believes that the document is there.

Anti-pattern:

    ## Restore

    TBD

    ## Escalation

Better:

    ## Restore

    ./scripts/restore.sh <dump>   # tried on 3 May, takes four minutes

Recommendation:

    Write the steps down once they were tried, or remove the heading, so that it is known that there are none.

References:

- https://sre.google/sre-book/being-on-call/
- https://sre.google/workbook/incident-response/
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Document, Mention
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_DOCUMENT = regex(
    r"(?i)run-?_?books?|play-?_?books?|incident|on-?_?call|disaster|recover|restore|backups?|roll-?_?back|troubleshoot|"
    r"operations|\bops\b|notfall|wiederherstell|recuper"
)
_HEADING = regex(
    r"(?i)\b(?:restor\w*|recover\w*|backups?|roll-?back\w*|escalat\w*|escala\w*|incidents?|disaster|on-?call|failover|"
    r"mitigation|resolution|remediation|diagnos\w*|mitiga\w*|wiederherstellung|recupera\w*|restaura\w*)\b"
)
_ASIDE = regex(
    r"(?i)(?:^|[/_.-])(?:template|example|adrs?|decisions?|plans?|roadmap|todo|changelog|vendor)s?(?=[/_.-])"
)


_LIST = regex(
    r"(?i)^\W*(?:to-?\s?dos?|roadmap|future|next steps?|follow-?ups?|open (?:points|questions|issues|items)|ideas|"
    r"(?:possible |planned )?improvements?|offene punkte|nächste schritte)\b"
)
"""Headings of what somebody means to do one day: the steps above them are whole."""


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each document one finding for all steps and sections on trouble that are empty or still to be written."""
    for document in inventory.documents:
        found = [item for item in document.mentions if item.kind == "open" and _matters(document, item)]
        found.sort(key=lambda item: item.location.line)
        if found and not _ASIDE.search(document.path):
            yield _evidence(document, found)


def _matters(document: Document, item: Mention) -> bool:
    """Whether a place stands in a document for trouble, or in a section on that, and not in a list of plans."""
    if _LIST.search(_section(document, item)):
        return False
    return bool(_DOCUMENT.search(document.path) or _HEADING.search(_section(document, item)))


def _evidence(document: Document, found: list[Mention]) -> Evidence:
    first, *others = found
    names = listed((f"“{_section(document, item)}”" for item in found), limit=4)
    return Evidence(
        f"{document.path} leaves {counted(len(found), 'place')} open that somebody in trouble would read: {names}.",
        first.location,
        subject=document.path,
        related=tuple(Related(item.location, f"open: {item.text[:60]}", member=True) for item in others),
        recommendation=f"Write these steps in {document.path}, or remove their headings.",
        example=files.into(document.path, f"## {_section(document, first)}\n\n<the commands, as they were tried>"),
    )


def _section(document: Document, item: Mention) -> str:
    """The heading above a place."""
    above = bisect.bisect_right(document.headings, item.location.line, key=lambda heading: heading.location.line)
    return (document.headings[above - 1].text if above else item.text)[:60]
