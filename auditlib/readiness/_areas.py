"""The areas about which a repository holds nothing, so that a score of them would reward what is absent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditlib.conventions import deployment, images
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area
from auditlib.readiness import _subjects as subjects

_WATCHING = frozenset({"exporter", "metrics", "alerting", "dashboards", "logs"})
"""The kinds of products that belong to a monitoring; one that keeps traces tells nobody that something is down."""


def unknown_areas(inventory: Inventory) -> dict[Area, str]:
    """The areas that can't be judged, each with the reason."""
    return {area: reason for area, held, reason in _held(inventory) if not any(True for _ in held)}


def _held(inventory: Inventory) -> Iterator[tuple[Area, Iterable[object], str]]:
    """What the repository holds of each area, and what is said where it is nothing."""
    services = inventory.services
    configured = (*services, *inventory.settings, *inventory.env_files)
    delivery = (*inventory.workflows, *inventory.test_suites, *deployment.other_ci(inventory))
    yield Area.ORCHESTRATION, services, "no service in the repository"
    yield Area.CONFIGURATION, configured, "no service, setting or environment file in the repository"
    yield Area.MONITORING, _monitoring(inventory), _unmonitored(inventory)
    yield Area.CICD, delivery, "no workflow or test in the repository"
    yield Area.RESILIENCE, services, "no service in the repository"


def _unmonitored(inventory: Inventory) -> str:
    """What is said where nothing monitors: what is collected instead, if anything."""
    ways = (record.message for record in subjects.telemetry(inventory))
    return "; ".join(("no metrics, alerts, dashboards or collected logs in the repository", *ways))


def _monitoring(inventory: Inventory) -> Iterator[object]:
    yield from (*inventory.prometheus, *inventory.scrape_jobs, *inventory.alert_rules, *inventory.receivers)
    yield from (*inventory.datasources, *inventory.dashboards, *inventory.dashboard_providers)
    yield from subjects.log_shipping(inventory)
    yield from filter(_watches, inventory.services)


def _watches(service: Service) -> bool:
    product = images.product(service.image)
    return product is not None and product.kind in _WATCHING
