"""An alert links no runbook that says what to do when it fires.

At three in the morning somebody gets a name and a number. Without a runbook each such night begins with finding out
what the alert means and which commands help.

Anti-pattern:

    - alert: QueueLong
      annotations:
        summary: More than 500 tasks wait

Better:

    - alert: QueueLong
      annotations:
        summary: More than 500 tasks wait
        runbook_url: https://github.com/acme/shop/blob/main/docs/runbooks.md#queuelong

Recommendation:

    Write a few lines for each alert (what it means, how to look, what to try), and link them as `runbook_url`.

References:

- https://prometheus.io/docs/practices/alerting/
- https://sre.google/sre-book/being-on-call/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib import web_host
from auditlib.conventions import environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Document
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules._rule import Evidence, rule

_RUNBOOKS = "docs/runbooks.md"
_USUAL = "runbook_url"
_NAME = regex(r"(?:run|play)[-_]?book(?:[-_]?(?:url|link))?", re.I)
"""Annotations that link one."""
_LINK = regex(r"run-?book|play-?book|https?://|docs/|\.md\b", re.I)
_STEPS = regex(r"actions?|remediation|resolution|mitigation|next_?steps?|how_?to_?fix|procedure|fix", re.I)
"""Annotations that say what to do themselves."""

_FOR_TROUBLE = regex(r"troubleshoot|run-?_?book|play-?_?book|incident|on-?_?call", re.I)
"""Documents that say what to do when something is wrong."""

_PARTS = regex(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+")
_VAGUE = frozenset({
    "alert", "alerts", "scenario", "high", "low", "too", "many", "few", "is", "the", "and", "of", "service", "services",
    "critical", "warning", "error", "errors", "rate", "down", "up", "usage", "runbook", "incident", "on", "in", "not",
})  # fmt: skip
"""Words of an alert's name that don't tell it from others."""

_UNFILLED = regex(r"\byour\b|\bexample\b|[<{]", re.I)
"""An address that nobody filled in, or that differs from alert to alert."""


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all alerts that link no runbook, have no heading, and that no document on troubles names."""
    described = {heading.text.lower() for document in inventory.documents for heading in document.headings}
    for_trouble = [document for document in inventory.documents if _FOR_TROUBLE.search(document.path)]
    troubles = [_parts(text) for document in inventory.documents for text in _headings_for_trouble(document)]
    without = []
    for alert in monitoring.alerts(inventory):
        links = any(
            _LINK.search(name) or _LINK.search(value) or _STEPS.fullmatch(name) for name, value in alert.annotations
        )
        aside = environments.is_for_development(alert.file)
        known = any(item.names(alert.name) for item in for_trouble)
        known = known or any(alert.name.lower() in heading for heading in described)
        known = known or any(len(_parts(alert.name) & heading) > 1 for heading in troubles)
        if not links and not aside and not known:
            without.append(alert)
    if without:
        yield _evidence(inventory, without)


def _headings_for_trouble(document: Document) -> list[str]:
    """The headings of a document under which people look when something is wrong: all that follow one that says so."""
    if _FOR_TROUBLE.search(document.path):
        return [item.text for item in document.headings]
    found: list[str] = []
    above = 0
    for item in document.headings:
        if above and item.level <= above:
            above = 0
        if above:
            found.append(item.text)
        elif _FOR_TROUBLE.search(item.text):
            above = item.level
    return found


def _parts(text: str) -> set[str]:
    """The telling words of an alert's name (`KafkaLagHigh`) or of a heading."""
    return {word.lower() for word in _PARTS.findall(text)} - _VAGUE


def _evidence(inventory: Inventory, alerts: list[AlertRule]) -> Evidence:
    first, *others = alerts
    files = listed(dict.fromkeys(item.file for item in alerts), limit=4)
    names = [item.name for item in alerts]
    return Evidence(
        f"{counted(len(alerts), 'alert')} of {files} ({listed(names, limit=5)}) {'link' if others else 'links'} no "
        f"runbook, and no document has a heading for {'them' if others else 'it'}.",
        first.location,
        subject="runbooks",
        related=tuple(Related(item.location, f"{item.name} has none", member=True) for item in others),
        recommendation=f"Write a runbook for {listed(names, limit=4)}, and link it as "
        f"`{_own_name(inventory)}` in {files}.",
        example=_linked(inventory, first),
    )


def _own_name(inventory: Inventory) -> str:
    """The annotation by which other alerts of the repository link theirs, as their messages print that one."""
    names = [name for alert in monitoring.alerts(inventory) for name, _ in alert.annotations if _NAME.fullmatch(name)]
    return max(names, key=names.count, default=_USUAL)


def _linked(inventory: Inventory, alert: AlertRule) -> str:
    """An alert with a link that whoever gets it can open: beside those of the others, if there are any."""
    own = _own_name(inventory)
    linked = [value for other in monitoring.alerts(inventory) for name, value in other.annotations
              if name == own and "#" in value and not _UNFILLED.search(value)]  # fmt: skip
    page = linked[0].partition("#")[0] if linked else web_host.page(inventory.origin, _RUNBOOKS)
    page = page or f"https://<where the documents are>/{_RUNBOOKS}"
    return f"- alert: {alert.name}\n  annotations:\n    {own}: {page}#{alert.name.lower()}"
