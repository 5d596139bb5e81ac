"""An alert links a runbook that speaks of other alerts, and not of it.

Whoever is woken follows the link and finds a page that describes other troubles. What this alert means and what to do
about it stands nowhere, and the page's steps may be wrong for it.

Anti-pattern:

    - alert: TooManyRequests
      annotations:
        runbook_url: https://github.com/acme/shop/blob/main/docs/latency.md   # names HighLatency alone

Better:

    - alert: TooManyRequests
      annotations:
        runbook_url: https://github.com/acme/shop/blob/main/docs/saturation.md#toomanyrequests

Recommendation:

    Write a section for the alert into the runbook that it links, or link the page that describes it.

References:

- https://prometheus.io/docs/practices/alerting/
- https://sre.google/sre-book/being-on-call/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Document
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NAMES = regex(r"run-?book(?:_?ur[li]|_?link)?|play-?book(?:_?ur[li]|_?link)?", re.I)
_OF_FILE = regex(
    r"(?:https?://[^/\s]{1,200}/[^\s#?]{1,300}/blob/[^/\s]{1,100}/)?/?(?P<path>[\w./-]{1,200}\.md)(?:[#?]|$)"
)
_PLAIN = regex(r"[a-z0-9]+")
_WORD = regex(r"[a-z0-9]+|[A-Z]+(?![a-z])|[A-Z][a-z0-9]*")


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each document that alerts link as their runbook, which names some of these alerts and not the others."""
    documents = {item.path: item for item in inventory.documents}
    linked: defaultdict[str, list[AlertRule]] = defaultdict(list)
    for alert in monitoring.alerts(inventory):
        path = next(filter(None, (_path(value) for name, value in alert.annotations if _NAMES.fullmatch(name))), "")
        if path in documents and not environments.is_for_development(alert.file):
            linked[path].append(alert)
    for path, alerts in linked.items():
        named = [item for item in alerts if documents[path].names(item.name)]
        left = [item for item in alerts if item not in named and not _is_described(documents[path], item)]
        if named and left:
            yield _evidence(documents[path], named, left)


def _path(link: str) -> str:
    """The file of a repository that a link leads to; empty for another one."""
    match = _OF_FILE.fullmatch(link.partition("#")[0])
    return match["path"] if match else ""


def _is_described(document: Document, alert: AlertRule) -> bool:
    """Whether a heading of the document may mean an alert without its name as it is written."""
    words = {word.lower() for word in _WORD.findall(alert.name)}
    spelt = ["".join(_PLAIN.findall(heading.text.lower())) for heading in document.headings]
    name = "".join(_PLAIN.findall(alert.name.lower()))
    told = [set(_PLAIN.findall(heading.text.lower())) for heading in document.headings]
    return any(name in text for text in spelt) or any(words <= heading for heading in told)


def _evidence(document: Document, named: list[AlertRule], left: list[AlertRule]) -> Evidence:
    first, *others = left
    names = listed(item.name for item in left)
    return Evidence(
        f"{names} {'links' if not others else 'link'} {document.path} as the runbook, which describes "
        f"{listed(item.name for item in named)} and doesn't name {'it' if not others else 'them'}.",
        first.location,
        subject=f"{document.path}/omits",
        related=(
            *(Related(item.location, f"nor {item.name}", member=True) for item in others),
            Related(Location(document.path), "the runbook"),
        ),
        recommendation=f"Write a section for {listed((item.name for item in left), limit=3)} into {document.path}.",
        example=files.into(document.path, f"## {first.name}\n\n<what it means, how to look, and what to try>"),
    )
