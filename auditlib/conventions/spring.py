"""What Compose and Prometheus tell of Spring Boot's applications.

Sources: https://docs.spring.io/spring-boot/reference/features/profiles.html and
https://docs.spring.io/spring-boot/reference/actuator/metrics.html#actuator.metrics.export.prometheus.
"""

from __future__ import annotations

from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import ScrapeJob
from auditlib.inventory.stack import EnvironmentEntry


def profiles(entry: EnvironmentEntry) -> list[str]:
    """The profiles that a variable activates, in order; none for another variable."""
    given = entry.value.text if entry.name == "SPRING_PROFILES_ACTIVE" and entry.value else ""
    return [name for part in given.split(",") if (name := part.strip())]


def scraped_by(inventory: Inventory) -> ScrapeJob | None:
    """The first job that asks Spring Boot's Actuator."""
    return next((job for job in inventory.scrape_jobs if job.metrics_path.endswith("/actuator/prometheus")), None)
