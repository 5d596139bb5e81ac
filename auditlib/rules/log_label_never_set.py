"""A shipper of logs makes a label, or a metric, of a value that it never takes out of the line.

The stage finds nothing and says nothing: the label doesn't exist, the metric stays empty, and whoever selects by it
sees no line at all.

Anti-pattern:

    pipeline_stages:
      - json: {expressions: {level: level, message: msg}}
      - labels: {severity: }              # it is called level

Better:

    pipeline_stages:
      - json: {expressions: {level: level, message: msg}}
      - labels: {severity: level}

Recommendation:

    Take the value out of the line in a stage before, under the name that the label asks for.

References:

- https://grafana.com/docs/loki/latest/send-data/promtail/stages/labels/
- https://grafana.com/docs/loki/latest/send-data/promtail/stages/metrics/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogLabel
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration with stages that name a value which no stage before them takes out."""
    found: defaultdict[str, list[LogLabel]] = defaultdict(list)
    for item in inventory.log_labels:
        if not item.extracted and not monitoring.is_template(item.file, item.source):
            found[item.file].append(item)
    for file, items in found.items():
        yield _evidence(inventory, file, items)


def _evidence(inventory: Inventory, file: str, items: list[LogLabel]) -> Evidence:
    first, *others = items
    told = [
        f"the {'metric' if item.metric else 'label'} {item.name}"
        f"{f' of {item.source}' if item.source != item.name else ''}"
        for item in items
    ]
    running = monitoring.runners(inventory, file)
    made = {item.name for item in items}
    rules = inventory.alert_rules
    asking = next((item for item in rules if any(each.name in made for each in item.query.matchers)), None)
    return Evidence(
        f"{file} makes {listed(dict.fromkeys(told), limit=4)}, and no stage before takes such a value out of the line: "
        f"{'it is' if not others else 'they are'} never set.",
        first.location,
        subject=f"{file}/{first.name}",
        service=running[0].name if running else None,
        related=(
            *(Related(item.location, f"{item.name} is never set either", member=True) for item in others),
            *([Related(asking.expression_location, f"{asking.name} asks for it")] if asking else []),
        ),
        severity=Severity.MEDIUM if asking else None,
        recommendation=f"Take {first.source} out of the line in a stage before, or correct its name.",
        example=files.into(file, f"- json:  # or regex, before the stage that uses it\n    expressions:\n"
                           f"      {first.source}: <the field of the line>"),
    )  # fmt: skip
