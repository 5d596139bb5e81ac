"""The only receiver of alerts is an application that the alerts watch.

When it is down, or its database is, the notification that says so goes to it, and nobody is told. The way of an alert
must not lead through what it is about.

Anti-pattern:

    # alertmanager.yml; prometheus.yml scrapes the backend, and an alert asks whether it is up
    receivers:
      - name: backend
        webhook_configs: [{url: "http://backend:8000/api/alerts"}]

Better:

    receivers:
      - name: backend
        webhook_configs: [{url: "http://backend:8000/api/alerts"}]
        email_configs: [{to: "on-call@shop.example.org"}]

Recommendation:

    Send alerts to a mailbox or a chat as well, which lives outside of what is watched.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#receiver
- https://sre.google/sre-book/monitoring-distributed-systems/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Receiver
from auditlib.inventory.monitoring import AlertRule
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PASSES_ON = regex(
    r"bridge|alert|notif|telegram|discord|slack|teams|hook|relay|ntfy|gotify|matrix|sms|mail|sink|bot|remediat|heal|jenkins"
)
"""Names of what is there to pass notifications on, or to act on them."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every configuration whose receivers in use lead to applications alone that are scraped and that alerts watch."""
    watched = scraping.watched(inventory, graph, monitoring.jobs(inventory, monitoring.prometheus_in_use(inventory)))
    for file in dict.fromkeys(item.file for item in inventory.receivers) if watched else ():
        routed = {route.receiver for route in inventory.alert_routes if route.file == file}
        used = [item for item in inventory.receivers if item.file == file and item.name in routed and item.integrations]
        found = [_application(inventory, graph, item, watched) for item in used]
        applications = [item for item in found if item]
        alerts = _on_applications(inventory)
        if applications and len(applications) == len(found) and alerts:
            yield _evidence(used, applications, alerts)
        else:
            yield from _of_bridge(inventory, graph, used)


def _of_bridge(inventory: Inventory, graph: DependencyGraph, used: list[Receiver]) -> Iterator[Evidence]:
    """Alerts on the one service that passes all notifications on, which they would have to pass themselves."""
    found = [_bridge(inventory, graph, item) for item in used]
    bridge = found[0] if found else None
    if bridge is None or any(item is not bridge for item in found):
        return
    jobs = monitoring.jobs(inventory, monitoring.prometheus_in_use(inventory))
    mine = {item.name for item in jobs if scraping.watched(inventory, graph, (item,)) == {bridge.key}}
    alerts = [item for item in monitoring.alerts(inventory) if "up" in item.query.metrics and _asks(item, mine)]
    if alerts:
        yield _bridge_evidence(used, bridge, alerts)


def _bridge(inventory: Inventory, graph: DependencyGraph, receiver: Receiver) -> Service | None:
    """The service of the repository to which all integrations of a receiver lead; None where one leads elsewhere."""
    hosts = {item.host if item.kind == "webhook" else "" for item in receiver.integrations}
    return scraping.service_named(inventory, graph, hosts.pop(), near=receiver.file) if len(hosts) == 1 else None


def _asks(alert: AlertRule, jobs: set[str]) -> bool:
    """Whether an alert looks at these jobs alone."""
    named = [item.value for item in alert.query.matchers if item.name == "job" and item.operator == "="]
    return bool(named) and set(named) <= jobs


def _bridge_evidence(used: list[Receiver], bridge: Service, alerts: list[AlertRule]) -> Evidence:
    first, *others = alerts
    names = listed(item.name for item in alerts)
    return Evidence(
        f"{names} {'tells' if not others else 'tell'} that {bridge.name} is down, and all receivers of {used[0].file} "
        f"lead to {bridge.name}: nobody is told.",
        first.location,
        subject=f"{used[0].file}/{bridge.name}",
        service=bridge.name,
        related=tuple(Related(item.location, f"{item.name} leads to {bridge.name}") for item in used[:5]),
        severity=Severity.LOW,
        confidence=Confidence.HIGH,
        recommendation=f"Send {names} to a receiver of {used[0].file} that leads past {bridge.name}, such as mail.",
        example=files.into(
            used[0].file,
            'receivers:\n  - name: past-it\n    email_configs: [{to: "<who is to be told>"}]\n'
            f"route:\n  routes:\n    - {{receiver: past-it, matchers: ['alertname=\"{first.name}\"']}}",
        ),
    )


def _application(
    inventory: Inventory, graph: DependencyGraph, receiver: Receiver, watched: set[str] | frozenset[str]
) -> Service | None:
    """The watched application to which all web hooks of a receiver lead; None where one leads elsewhere."""
    if any(item.kind != "webhook" for item in receiver.integrations):
        return None
    hosts = {item.host for item in receiver.integrations}
    service = scraping.service_named(inventory, graph, hosts.pop(), near=receiver.file) if len(hosts) == 1 else None
    if service is None or service.build is None or _PASSES_ON.search(service.name.lower()):
        return None
    return service if service.key in watched else None


def _on_applications(inventory: Inventory) -> list[AlertRule]:
    """The alerts on targets that are gone, and on the metrics of the repository's own code."""
    own = {name for item in inventory.own_metrics for name in scraping.series_of(item.name)} | {"up"}
    found = [item for item in monitoring.alerts(inventory) if not own.isdisjoint(item.query.metrics)]
    return sorted(found, key=lambda item: "up" not in item.query.metrics)


def _evidence(receivers: list[Receiver], applications: list[Service], alerts: list[AlertRule]) -> Evidence:
    first, *others = receivers
    names = listed(dict.fromkeys(item.name for item in applications))
    return Evidence(
        f"All notifications of {first.file} go to {names}, which alerts watch, {alerts[0].name} among them: when it is "
        "down, nobody is told.",
        first.location,
        subject=f"{first.file}/{names}",
        service=applications[0].name,
        related=(
            *(Related(item.location, f"{item.name} leads there too", member=True) for item in others),
            *(Related(item.location, f"{item.name} looks at it") for item in alerts[:3]),
        ),
        recommendation=f"Give {first.name} in {first.file} a mailbox or a chat as well.",
        example=files.into(
            first.file,
            f'receivers:\n  - name: {first.name}\n    email_configs: [{{to: "<who is to be told>"}}]',
        ),
    )
