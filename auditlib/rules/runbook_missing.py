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
from collections import defaultdict
from collections.abc import Iterator

from auditlib import web_host
from auditlib.conventions import environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules._rule import Evidence, rule

_RUNBOOKS = "docs/runbooks.md"
_LINK = regex(r"run-?book|play-?book|https?://|docs/|\.md\b", re.I)
_STEPS = regex(r"actions?|remediation|resolution|mitigation|next_?steps?|how_?to_?fix|procedure|fix", re.I)
"""Annotations that say what to do themselves."""


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each rule file with alerts that link no runbook and that no document has a heading for."""
    described = {heading.text.lower() for document in inventory.documents for heading in document.headings}
    without: defaultdict[str, list[AlertRule]] = defaultdict(list)
    for alert in monitoring.alerts(inventory):
        links = any(
            _LINK.search(name) or _LINK.search(value) or _STEPS.fullmatch(name) for name, value in alert.annotations
        )
        if not links and not any(alert.name.lower() in heading for heading in described):
            without[alert.file].append(alert)
    for file, alerts in without.items():
        if not environments.is_for_development(file):
            yield Evidence(
                f"{counted(len(alerts), 'alert')} of {file} ({listed((item.name for item in alerts), limit=5)}) "
                f"{'links' if len(alerts) == 1 else 'link'} no runbook, and no document has a heading for "
                f"{'it' if len(alerts) == 1 else 'them'}.",
                alerts[0].location,
                subject="runbooks",
                related=tuple(Related(item.location, f"{item.name} has none", member=True) for item in alerts[1:]),
                recommendation=f"Write a runbook for {listed((item.name for item in alerts), limit=4)}, and link it as "
                f"`runbook_url` in {file}.",
                example=_linked(inventory, alerts[0]),
            )


def _linked(inventory: Inventory, alert: AlertRule) -> str:
    """An alert with a link that whoever gets it can open."""
    page = web_host.page(inventory.origin, _RUNBOOKS) or f"https://<where the documents are>/{_RUNBOOKS}"
    return f"- alert: {alert.name}\n  annotations:\n    runbook_url: {page}#{alert.name.lower()}"
