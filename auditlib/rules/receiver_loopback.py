"""A receiver of Alertmanager sends to the loopback address.

Inside a container `localhost` is the container itself. Nothing listens there but Alertmanager, so that every
notification is refused; `http://127.0.0.1:5001/` is what Alertmanager's example configuration ships with.

Anti-pattern:

    receivers:
      - name: web.hook
        webhook_configs:
          - url: http://127.0.0.1:5001/

Better:

    receivers:
      - name: chat
        webhook_configs:
          - url: http://alert-bridge:8080/alerts

Recommendation:

    Name the service that takes the notifications, or `host.docker.internal` for a program on the host.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
- https://docs.docker.com/compose/how-tos/networking/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SERVICE = "service that takes the notification"
_TAKES = {"email": "mail server, as this container sees it"}
_URL = "url: http://<the service that takes it>:<the port it listens on>"
_END = {"email": "smarthost: <the mail server>:587  # in `global`: smtp_smarthost"}


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every integration whose host is the loopback, unless Alertmanager shares a network namespace with others."""
    routed = {(item.file, item.receiver) for item in inventory.alert_routes}
    rooted = {file for file, _ in routed}
    for receiver in inventory.receivers:
        if receiver.file in rooted and (receiver.file, receiver.name) not in routed:
            continue  # which gets no alert at all
        managers = _managers(inventory, receiver.file)
        if any(_shares_network(inventory, manager) for manager in managers):
            continue
        for item in receiver.integrations:
            if item.host != "localhost" and not item.host.startswith("127.") and item.host != "::1":
                continue
            doubt = "" if managers else ", if Alertmanager runs in a container"
            yield Evidence(
                f"The receiver {receiver.name} sends to {item.host}, which is Alertmanager's own container: nobody "
                f"gets the notification{doubt}.",
                item.host_location or item.location,
                subject=f"{receiver.name}/{item.kind}",
                related=tuple(Related(manager.location, "Alertmanager runs here") for manager in managers[:1]),
                recommendation=f"Let {receiver.name} in {receiver.file} name the {_TAKES.get(item.kind, _SERVICE)}.",
                change=(f"{item.host}:", "<the mail server>:")
                if item.kind == "email"
                else (f"//{item.host}:", "//<the service that takes it>:"),
                example=files.into(receiver.file, _END.get(item.kind, _URL)),
                confidence=None if managers else Confidence.MEDIUM,
            )


def _managers(inventory: Inventory, file: str) -> list[Service]:
    """The services that run with this configuration; if none mounts it, those that run Alertmanager at all."""
    mounting = monitoring.runners(inventory, file)
    return list(mounting or services.of_product(inventory, "Alertmanager"))


def _shares_network(inventory: Inventory, manager: Service) -> bool:
    beside = f"service:{manager.name}"
    return bool(manager.network_mode) or any(item.network_mode == beside for item in inventory.services)
