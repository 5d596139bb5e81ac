"""An inhibition asks for two alerts of one name, and no name occurs on both sides.

An inhibition keeps the lesser alert quiet while the greater one fires. With `alertname` among `equal` both must have
the same name. Where each alert has one severity only, no pair ever matches, and both are sent.

Anti-pattern:

    inhibit_rules:
      - source_matchers: [severity="critical"]
        target_matchers: [severity="warning"]
        equal: [alertname]
    # rules: ApiDown is critical, ApiSlow is a warning

Better:

    inhibit_rules:
      - source_matchers: [severity="critical"]
        target_matchers: [severity="warning"]
        equal: [instance]

Recommendation:

    Compare the labels that both alerts have, as `instance` or `job`, and leave `alertname` out.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#inhibition-related-settings
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import InhibitRule
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TOGETHER = regex(r"\b(?:sum|max|min|avg|count|quantile|topk|bottomk|group|absent)\b|histogram_quantile")
"""What may leave an alert without the labels of its targets."""


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every inhibition by name of which the repository has alerts on both sides, and no name on both."""
    for inhibition in inventory.inhibit_rules:
        if "alertname" not in inhibition.equal or monitoring.is_template(inhibition.file):
            continue
        alerts = monitoring.reaching(inventory, inhibition.file)
        sources = [alert for alert in alerts if monitoring.may_match(alert, inhibition.source)]
        targets = [alert for alert in alerts if monitoring.may_match(alert, inhibition.target)]
        if sources and targets and not {item.name for item in sources} & {item.name for item in targets}:
            yield _evidence(inhibition, sources, targets)


def _shared(alerts: list[AlertRule]) -> str:
    """A label that all alerts have; two that lack one count as equal in it, so that it must be there."""
    known = [{name for name, _ in alert.labels} - {"severity"} for alert in alerts]
    own = sorted(set.intersection(*known))
    together = any(_TOGETHER.search(alert.query.expression) for alert in alerts)
    return own[0] if own else "<a label that both alerts have>" if together else "instance"


def _is_on_all(label: str, alerts: list[AlertRule]) -> bool:
    """Whether all alerts have a label, as far as the files tell: what two lack counts as equal."""
    if label == "alertname":
        return False
    return label in ("instance", "job") or all(
        label in dict(alert.labels) or label in alert.query.expression for alert in alerts
    )


def _evidence(inhibition: InhibitRule, sources: list[AlertRule], targets: list[AlertRule]) -> Evidence:
    alerts = [*sources, *targets]
    kept = [label for label in inhibition.equal if _is_on_all(label, alerts)] or [_shared(alerts)]
    return Evidence(
        f"This inhibition asks for the same `alertname` on both sides, and no name of the repository's alerts is on "
        f"both: {listed((item.name for item in sources), 3)} would silence, and "
        f"{listed((item.name for item in targets), 3)} would be silenced.",
        inhibition.location,
        subject="/".join(f"{m.name}{m.operator}{m.value}" for m in (*inhibition.source, *inhibition.target)),
        related=tuple(Related(item.location, f"{item.name}") for item in (sources[0], targets[0])),
        recommendation=f"Leave `alertname` out of `equal` in {inhibition.file}, and name labels that both alerts have.",
        example=files.into(
            inhibition.file, f"inhibit_rules:\n  - # matchers as they are\n    equal: [{', '.join(kept)}]"
        ),
    )
