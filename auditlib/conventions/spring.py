"""What Compose and Prometheus tell of Spring Boot's applications.

Sources: https://docs.spring.io/spring-boot/reference/features/profiles.html and
https://docs.spring.io/spring-boot/reference/actuator/metrics.html#actuator.metrics.export.prometheus.
"""

from __future__ import annotations

import posixpath

from auditlib.inventory import Inventory
from auditlib.inventory.configuration import SpringSettings
from auditlib.inventory.monitoring import ScrapeJob
from auditlib.inventory.stack import EnvironmentEntry


def profiles(entry: EnvironmentEntry) -> list[str]:
    """The profiles that a variable activates, in order; none for another variable."""
    given = entry.value.text if entry.name == "SPRING_PROFILES_ACTIVE" and entry.value else ""
    return [name for part in given.split(",") if (name := part.strip())]


def scraped_by(inventory: Inventory) -> ScrapeJob | None:
    """The first job that asks Spring Boot's Actuator."""
    return next((job for job in inventory.scrape_jobs if job.metrics_path.endswith("/actuator/prometheus")), None)


def settings_read(inventory: Inventory) -> list[SpringSettings]:
    """The files of the applications, first those that every profile reads, then those of the profiles that run here."""
    active = {name for service in inventory.services for entry in service.environment for name in profiles(entry)}
    mine = [item for item in inventory.spring_settings if "/main/" in f"/{item.location.file}"]
    return sorted(mine, key=lambda item: _rank(posixpath.basename(item.location.file).rpartition(".")[0], active))


def _rank(name: str, active: set[str]) -> int:
    kind, _, profile = name.partition("-")
    if kind != "application":
        return 3
    return 0 if not profile else 1 if profile in active else 2
