"""One target that is down silences the alerts of all others.

An inhibition keeps alerts quiet that have the same labels as the one that fires. Where the rule of `up == 0` gives the
label itself, every target that is down has the same value, and so do the alerts of the rest: an exporter that nobody
misses keeps the alert on the shop's errors quiet.

Anti-pattern:

    # rules.yml
    - alert: TargetDown
      expr: up == 0
      labels: {severity: critical, service: shop}
    # alertmanager.yml
    inhibit_rules:
      - source_matchers: [alertname = TargetDown]
        target_matchers: [severity = warning]
        equal: [service]

Better:

    inhibit_rules:
      - source_matchers: [alertname = TargetDown]
        target_matchers: [severity = warning]
        equal: [instance]

Recommendation:

    Compare a label that the targets give, as `instance` or `job`, and not one that all rules write themselves.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#inhibition-related-settings
- https://prometheus.io/docs/practices/alerting/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import InhibitRule
from auditlib.inventory.monitoring import AlertRule, LabelMatcher
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ANY_DOWN = regex(r"\s*up(?:\{\s*(?:job\s*=~\s*\"\.[+*]\"\s*)?\})?\s*(?:==\s*0|!=\s*1|<\s*1)\s*")
"""Whatever is scraped and doesn't answer."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each inhibition by labels that the alert on any target and others write themselves, in the same words."""
    for inhibition in inventory.inhibit_rules:
        if not inhibition.equal or monitoring.is_template(inhibition.file):
            continue
        alerts = monitoring.reaching(inventory, inhibition.file)
        sources = (item for item in alerts if _matches(item, inhibition.source) and _is_of_any(inventory, item))
        for source in sources:
            silenced = [item for item in alerts if item.name != source.name and _is_silenced(item, source, inhibition)]
            if silenced:
                yield _evidence(inhibition, source, silenced)
                break


def _matches(alert: AlertRule, matchers: Iterable[LabelMatcher]) -> bool:
    """Whether an alert is meant for sure: by labels that its rule sets."""
    labels = {**dict(alert.labels), "alertname": alert.name}
    return all(
        matcher.name in labels and "{{" not in labels[matcher.name] and monitoring.takes(matcher, labels[matcher.name])
        for matcher in matchers
    )


def _is_of_any(inventory: Inventory, alert: AlertRule) -> bool:
    """Whether an alert fires for each of several jobs."""
    if not _ANY_DOWN.fullmatch(alert.query.expression):
        return False
    return len({job.name for job in monitoring.jobs(inventory, monitoring.loading(inventory, alert.file))}) > 1


def _is_silenced(alert: AlertRule, source: AlertRule, inhibition: InhibitRule) -> bool:
    own, others = dict(alert.labels), dict(source.labels)
    same = (own.get(name, "") == others.get(name) and "{{" not in own.get(name, "{{") for name in inhibition.equal)
    return _matches(alert, inhibition.target) and all(same)


def _evidence(inhibition: InhibitRule, source: AlertRule, silenced: list[AlertRule]) -> Evidence:
    values = dict(source.labels)
    labels = listed(f"`{name}: {values[name]}`" for name in inhibition.equal)
    quiet = listed((item.name for item in silenced), 4)
    return Evidence(
        f"While {source.name} fires for any target, {inhibition.file} keeps {quiet} quiet: "
        f"the rules write {labels} themselves, so that it is the same for all.",
        inhibition.location,
        subject=source.name,
        related=(
            Related(source.location, f"{source.name} fires for each target that is down"),
            *(Related(item.location, f"{item.name} is kept quiet", member=True) for item in silenced),
        ),
        recommendation=f"Compare `instance` or `job` in {inhibition.file}, which the targets give, not {labels}.",
        example=files.into(inhibition.file, "equal: [instance]"),
    )
