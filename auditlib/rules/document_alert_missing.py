"""A document lists an alert that no rule raises.

Who reads the list believes that somebody is told when the disk is full or the queue stands still. Nobody is, and the
gap shows in the incident that the alert was to announce.

Anti-pattern:

    # docs/alerts.md
    | Alert        | Severity |
    |--------------|----------|
    | HighLatency  | warning  |
    | DiskAlmostFull | critical |    <- no rule of that name

Better:

    # rules.yml
    - alert: DiskAlmostFull
      expr: node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1

Recommendation:

    Write the rule, call the alert as the rule does, or take it out of the document.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
- https://prometheus.io/docs/practices/alerting/
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Document, Mention
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ASIDE = regex(r"(?i)(?:^|[/_.-])(?:change(?:log|s)|history|roadmap|todo|plans?|proposals?|ideas?|examples?)(?=[/_.-])")

_NOT_THERE = regex(
    r"\b(?:planned|plans?|proposed|proposals?|future|to-?do|roadmap|recommended|suggested|ideas?|missing|not yet|"
    r"removed|deprecated|retired|examples?|next)\b",
    re.I,
)


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each document one finding for all names in its tables of alerts that are those of no rule.

    Where the repository has rules, the table has to name one of them, so that it is about these.
    """
    known = {item.name for item in inventory.alert_rules}
    for document in inventory.documents:
        named = [item for item in document.mentions if item.kind == "alert" and not _is_planned(document, item)]
        if not named or _ASIDE.search(document.path) or not _is_about(inventory, known, named):
            continue
        if missing := [item for item in named if item.text not in known]:
            yield _evidence(document, known, missing)


def _is_planned(document: Document, item: Mention) -> bool:
    """Whether the heading above says that the alerts of its table aren't there, or not any more."""
    above = [each for each in document.headings if each.location.line < item.location.line]
    return bool(above) and bool(_NOT_THERE.search(above[-1].text))


def _is_about(inventory: Inventory, known: set[str], named: list[Mention]) -> bool:
    """Whether a table is about the rules of Prometheus that the repository has, or would have."""
    return any(item.text in known for item in named) if known else bool(inventory.prometheus)


def _evidence(document: Document, known: set[str], missing: list[Mention]) -> Evidence:
    first, *others = missing
    names = list(dict.fromkeys(item.text for item in missing))
    near = difflib.get_close_matches(first.text, sorted(known), 1, 0.75)
    hint = f"; there is {near[0]}" if near else "" if known else "; there is no rule at all"
    return Evidence(
        f"{document.path} lists {counted(len(names), 'alert')} that no rule of the repository raises: "
        f"{listed(names)}{hint}.",
        first.location,
        subject=f"{document.path}/alerts",
        related=tuple(Related(item.location, f"lists {item.text}", member=True) for item in others),
        recommendation=f"Write rules for {listed(names, limit=3)}, or correct {document.path}.",
        severity=None if known else Severity.MEDIUM,
        example=files.into(document.path, near[0])
        if near
        else f"- alert: {first.text}\n  expr: <what {document.path} says of it>",
    )
