"""An alert links to a runbook that isn't there.

Whoever is woken by the alert follows the link first. It leads to the example's own domain, or to a file that was moved,
and the minutes in which the instructions were to help go into looking for them.

Anti-pattern:

    annotations:
      runbook_url: https://github.com/your-org/shop/blob/main/docs/runbooks/api.md

Better:

    annotations:
      runbook_url: https://github.com/acme/shop/blob/main/docs/runbooks/api.md

Recommendation:

    Link to a page that exists, in the repository or wherever the runbooks are kept.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
- https://www.rfc-editor.org/rfc/rfc2606
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, monitoring, placeholders
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NAMES = regex(r"(?:run|play)-?book(?:_?(?:ur[li]|link|page|path|section|anchor))?", re.I)
_PAGE = regex(r"(?:\.{0,2}/){0,9}(?P<path>[\w.-]+(?:/[\w.-]+){0,20}\.(?:md|markdown|rst|adoc))(?:#(?P<part>\S*))?")
"""A page of the repository, by its path."""
_ELSEWHERE = ", unless another one is meant"
_OF_FILE = regex(r"(?P<page>https?://[^/]+/[^/]+/[^/]+)/(?:-/)?blob/[^/]+/(?P<path>[^#?]+)(?:#(?P<part>\S*))?")
_NO_LETTERS = regex(r"[\W_]+")
_COUNTED = regex(r"\d+$")
"""What stands behind the second heading of one text (`#high-latency-1`)."""
_OTHERWISE = ", unless that page marks it by other means"


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file of rules one finding for each way in which links to runbooks lead nowhere."""
    found: defaultdict[tuple[str, str], list[AlertRule]] = defaultdict(list)
    for alert in monitoring.alerts(inventory):
        links = (value for name, value in alert.annotations if _NAMES.fullmatch(name))
        fault = next(filter(None, (_fault(inventory, link) for link in links)), "")
        if fault and not environments.is_for_development(alert.file):
            found[alert.file, fault].append(alert)
    for (file, fault), alerts in found.items():
        yield _evidence(file, fault, alerts)


def _fault(inventory: Inventory, link: str) -> str:
    """What is wrong with the address of a runbook; empty for one that may be right."""
    if stand_in := placeholders.of_address(link):
        return f"{stand_in}, which stands for an address that nobody filled in"
    match = _OF_FILE.match(link)
    if match and match["page"].lower() == inventory.origin.lower():
        if match["path"] not in inventory.file_set:
            return f"{match['path']}, which this repository lacks"
        return _section_fault(inventory, match["path"], match["part"])
    page = _PAGE.fullmatch(link)
    if page is None:
        return ""
    ends = [path for path in inventory.files if f"/{path}".endswith(f"/{page['path']}")]
    if not ends:
        return f"{page['path']}, which this repository lacks{_ELSEWHERE}"
    return _section_fault(inventory, ends[0], page["part"]) if len(ends) == 1 else ""


def _section_fault(inventory: Inventory, path: str, part: str | None) -> str:
    """A section of a document under which it has no heading, however its name is spelled."""
    document = next((item for item in inventory.documents if item.path == path), None)
    asked = _plain(part or "")
    if not asked or document is None or not document.headings:
        return ""
    known = {_plain(heading.text) for heading in document.headings}
    near = any(name.startswith(asked) for name in known)  # whoever follows it finds the section all the same
    return "" if near or _COUNTED.sub("", asked) in known else f"{path}#{part}, a section it lacks{_OTHERWISE}"


def _plain(text: str) -> str:
    return _NO_LETTERS.sub("", text.lower())


def _evidence(file: str, fault: str, alerts: list[AlertRule]) -> Evidence:
    first, *others = alerts
    return Evidence(
        f"{counted(len(alerts), 'alert')} of {file} {'link' if others else 'links'} to a runbook at {fault}.",
        first.location,
        subject=f"{file}/{fault.partition(',')[0]}",
        related=tuple(Related(item.location, f"{item.name} links there too", member=True) for item in others),
        recommendation=f"Correct the link in {counted(len(alerts), 'alert')} of {file}, or write what it promises.",
        confidence=Confidence.MEDIUM if fault.endswith((_ELSEWHERE, _OTHERWISE)) else None,
        example=files.into(file, f"annotations:  # of {first.name}\n  runbook_url: <a page that exists>"),
    )
