"""Alertmanager sends its mail to a mail catcher.

A mail catcher accepts every message and delivers none: that is what it is for in tests. Alerts that go there stand in
its web page until it restarts, and nobody's mailbox hears of them.

Anti-pattern:

    # alertmanager.yml, beside a service mailhog of the image mailhog/mailhog
    global:
      smtp_smarthost: mailhog:1025

Better:

    global:
      smtp_smarthost: smtp.example.com:587
      smtp_auth_password_file: /run/secrets/smtp_password

Recommendation:

    Name a mail server that delivers, or a receiver of another kind, and send a test alert.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#email_config
- https://github.com/mailhog/MailHog
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Integration, Receiver
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file of Alertmanager whose mail server is a service that only catches mail."""
    found: defaultdict[tuple[str, Location], list[Receiver]] = defaultdict(list)
    for receiver in inventory.receivers:
        for item in receiver.integrations:
            catcher = _catcher(inventory, receiver.file, item)
            if catcher is not None and not environments.is_for_development(receiver.file):
                found[receiver.file, catcher.location].append(receiver)
    for (file, catcher_at), receivers in found.items():
        yield _evidence(file, catcher_at, receivers)


def _catcher(inventory: Inventory, file: str, item: Integration) -> Service | None:
    """The mail catcher that an integration sends to, in a project that runs Alertmanager with the file."""
    projects = {service.project for service in monitoring.runners(inventory, file)}
    for service in inventory.services if item.kind == "email" and item.host else ():
        kind = services.product(inventory, service)
        meant = item.host in (service.name, service.container_name, service.hostname)
        if meant and service.project in projects and kind is not None and kind.kind == "mail":
            return None if environments.only_for_development(service) else service
    return None


def _evidence(file: str, catcher: Location, receivers: list[Receiver]) -> Evidence:
    names = list(dict.fromkeys(receiver.name for receiver in receivers))
    return Evidence(
        f"{listed(names)} of {file} {'sends' if len(names) == 1 else 'send'} mail to a mail catcher, which delivers "
        "none, unless another configuration is used in production.",
        receivers[0].location,
        subject="mail-catcher",
        related=(
            *(Related(item.location, f"{item.name} sends its mail there too", member=True) for item in receivers[1:]),
            Related(catcher, "the service that catches mail"),
        ),
        recommendation=f"Name a mail server that delivers in {file}, and send a test alert.",
        example=files.into(file, "global:\n  smtp_smarthost: <mail server that delivers>:587\n  smtp_from: <address>"),
    )
