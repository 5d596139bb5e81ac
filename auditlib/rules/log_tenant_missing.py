"""Loki asks for a tenant, and what sends to it names none.

Without `auth_enabled: false` every request has to carry the header `X-Scope-OrgID`. A shipper that sends none is
answered 401, drops what it has read, and no log arrives.

Anti-pattern:

    # loki.yml: no auth_enabled
    # promtail.yml
    clients:
      - url: http://loki:3100/loki/api/v1/push

Better:

    # loki.yml
    auth_enabled: false

Recommendation:

    Write `auth_enabled: false`, or give each shipper and data source a tenant.

References:

- https://grafana.com/docs/loki/latest/operations/multi-tenancy/
- https://grafana.com/docs/loki/latest/send-data/promtail/configuration/#clients
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import images, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogShipper, LokiSettings
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.redaction import host_of
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every Loki that runs with such a configuration, and to which a shipper sends without a word of a tenant."""
    for settings in inventory.loki_settings:
        if not settings.asks_for_tenant or monitoring.is_template(settings.file):
            continue
        keys = {item.key for item in monitoring.runners(inventory, settings.file) if _obeys(item)}
        senders = [item for item in inventory.log_shippers if keys & _receivers(inventory, graph, item)]
        silent = [item for item in senders if not _names_tenant(inventory, item)]
        if silent:
            yield _evidence(settings, silent)


def _names_tenant(inventory: Inventory, shipper: LogShipper) -> bool:
    """Whether a shipper names a tenant in its file, or by an option, or may do so where a program fills it in."""
    running = monitoring.runners(inventory, shipper.file)
    words = (word for item in running for word in (*item.command, *(entry.name for entry in item.environment)))
    by_option = any("tenant" in word.lower() for word in words)
    return shipper.names_tenant or by_option or monitoring.is_template(shipper.file)


def _obeys(service: Service) -> bool:
    """Whether a service is a Loki that no option tells otherwise."""
    return images.repository(service.image) == "grafana/loki" and not any("auth" in word for word in service.command)


def _receivers(inventory: Inventory, graph: DependencyGraph, shipper: LogShipper) -> set[str]:
    """The keys of the services that a shipper sends to."""
    found = set()
    for sink in shipper.sinks:
        url = next((word for word in sink.split() if word.startswith("http")), "")
        service = scraping.service_named(inventory, graph, host_of(url), near=shipper.file)
        found |= {service.key} if service else set()
    return found


def _evidence(settings: LokiSettings, silent: list[LogShipper]) -> Evidence:
    names = listed(item.file for item in silent)
    return Evidence(
        f"{settings.file} doesn't turn `auth_enabled` off, which is on without a word, and {names} "
        f"{'names' if len(silent) == 1 else 'name'} no tenant: Loki answers 401, and no log arrives.",
        settings.location,
        subject=settings.file,
        related=tuple(Related(item.location, f"sends {item.kind}'s logs without a tenant") for item in silent),
        recommendation=f"Write `auth_enabled: false` in {settings.file}.",
        example=files.into(settings.file, "auth_enabled: false"),
    )
