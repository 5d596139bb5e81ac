"""A label of Loki has a value of its own for nearly every line.

Loki keeps a stream, with its own chunks and an entry in the index, for each combination of labels. With the identifier
of a request or the address of a client as a label there are as many streams as lines: Loki refuses new ones at its
limit, and its memory and its disk fill.

Anti-pattern:

    pipeline_stages:
      - json: {expressions: {level: level, trace_id: traceId}}
      - labels: {level: , trace_id: }

Better:

    pipeline_stages:
      - json: {expressions: {level: level, trace_id: traceId}}
      - labels: {level: }
      - structured_metadata: {trace_id: }

Recommendation:

    Keep such values in the line or, where Loki has a schema from v13 on, in structured metadata, and filter for them
    when you ask.

References:

- https://grafana.com/docs/loki/latest/get-started/labels/cardinality/
- https://grafana.com/docs/loki/latest/get-started/labels/bp-labels/
- https://grafana.com/docs/loki/latest/get-started/labels/structured-metadata/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import images, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogLabel
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_UNBOUNDED = regex(
    r"(?:(?:request|req|trace|span|correlation|transaction|session|user|order|customer|message|event|job|task|process)_?"
    r"id|p?pid|(?:src_?|source_?|dst_?|dest(?:ination)?_?|client_?|remote_?|real_?|ssh_?|peer_?)?ip(?:_?addr(?:ess)?)?|"
    r"remote_?(?:addr(?:ess)?|host)|(?:src|source|client|remote|peer)_?port|x_forwarded_for|request|(?:request_?)?(?:uri|url|path)|http_?(?:referer|user_?agent)|user_?agent|referer|"
    r"message|msg|line|(?:request_|response_)?(?:time|duration|size)|duration(?:_ms)?|latency(?:_ms)?|bytes(?:_sent)?|"
    r"body_bytes_sent|timestamp|ts|command|cmd|e?mail)", re.IGNORECASE,
)  # fmt: skip
"""Names of values of which there are as many as lines, requests, people or clients."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration of a shipper that makes labels of such values, by what they are called."""
    found: defaultdict[str, list[LogLabel]] = defaultdict(list)
    for item in inventory.log_labels:
        unbounded = _UNBOUNDED.fullmatch(item.name) or _UNBOUNDED.fullmatch(item.source)
        if unbounded and item.extracted and not item.metric and not monitoring.is_template(item.file):
            found[item.file].append(item)
    for file, items in found.items():
        yield _evidence(inventory, file, items)


def _evidence(inventory: Inventory, file: str, items: list[LogLabel]) -> Evidence:
    first, *others = items
    names = list(dict.fromkeys(item.name for item in items))
    running = monitoring.runners(inventory, file)
    one = len(names) == 1
    told = "a label of {}: by its name it has" if one else "labels of {}: by their names they have"
    return Evidence(
        f"{file} makes {told.format(listed(names, limit=5))} a new value with each request, client or process, and "
        "Loki keeps a stream for each.",
        first.location,
        subject=file,
        service=running[0].name if running else None,
        related=tuple(Related(item.location, f"the label {item.name}", member=True) for item in others),
        recommendation=f"Take {listed(names, limit=3)} out of the stage `labels` of {file}.",
        example=files.into(file, _lines(file, names) if _takes_metadata(inventory) else _without(file, names)),
    )


def _takes_metadata(inventory: Inventory) -> bool:
    """Whether no Loki of the repository refuses lines with structured metadata, as release 2 does unless it is told."""
    stores = inventory.loki_settings
    lokis = (service for service in inventory.distinct_services if images.repository(service.image) == "grafana/loki")
    old = any(images.tag(service.image).lstrip("v").startswith(("1.", "2.")) for service in lokis)
    return not any(item.metadata is False or (old and item.metadata is None) for item in stores) and (
        bool(stores) or not old
    )


def _without(file: str, names: list[str]) -> str:
    sign = "//" if file.endswith((".alloy", ".river")) else "#"
    return f"{sign} out of the labels: {', '.join(names[:5])}"


def _lines(file: str, names: list[str]) -> str:
    if file.endswith((".alloy", ".river")):
        values = "".join(f"    {name} = null,\n" for name in names[:5])
        return f"stage.structured_metadata {{\n  values = {{\n{values}  }}\n}}"
    return "- structured_metadata:  # in place of labels\n" + "".join(f"    {name}:\n" for name in names[:5])
