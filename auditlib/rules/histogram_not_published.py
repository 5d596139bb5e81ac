"""A quantile is computed from buckets that the application doesn't publish.

Spring Boot gives `http_server_requests_seconds` as a count, a sum and a maximum. Its buckets come only with
`percentiles-histogram`; without them `histogram_quantile` has no result, an alert on latency never fires, and the panel
stays empty.

Anti-pattern:

    expr: histogram_quantile(0.99, rate(http_server_requests_seconds_bucket[5m])) > 5
    # application.yml
    management.endpoints.web.exposure.include: prometheus

Better:

    # application.yml
    management:
      metrics:
        distribution:
          percentiles-histogram:
            http.server.requests: true

Recommendation:

    Publish the histogram in the application's configuration.

References:

- https://docs.spring.io/spring-boot/reference/actuator/metrics.html#actuator.metrics.customizing.per-meter-properties
- https://docs.micrometer.io/micrometer/reference/concepts/histogram-quantiles.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring, spring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BUCKETS = regex(r"http_(?:server|client)_requests_seconds_bucket")
_BY_VARIABLE = "MANAGEMENT_METRICS_DISTRIBUTION"
_SETTING = """management:
  metrics:
    distribution:
      percentiles-histogram:
        http.server.requests: true"""
_PROPERTY = "management.metrics.distribution.percentiles-histogram.http.server.requests=true"


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all queries of such buckets, if the repository's applications of Spring publish none."""
    settings = spring.settings_read(inventory)
    uses = [item for item in monitoring.asking(inventory) if any(map(_BUCKETS.fullmatch, item.query.metrics))]
    job = spring.scraped_by(inventory)
    if not settings or not uses or job is None or _may_publish(inventory):
        return
    first, *others = uses
    names = list(dict.fromkeys(item.called for item in uses))
    yield Evidence(
        f"{listed(names)} {'asks' if len(names) == 1 else 'ask'} for buckets of http_server_requests, and no "
        "configuration of Spring in the repository publishes any: there is no result, unless one outside of it does.",
        first.location,
        subject="http_server_requests",
        related=(
            Related(job.location, f"the job {job.name} asks Spring Boot's Actuator"),
            Related(settings[0].location, "no percentiles-histogram here"),
            *(Related(item.location, f"{item.called} has no result either", member=True) for item in others[:10]),
        ),
        recommendation=f"Set percentiles-histogram for http.server.requests in {settings[0].location.file}.",
        example=files.into(
            settings[0].location.file, _PROPERTY if settings[0].location.file.endswith(".properties") else _SETTING
        ),
    )


def _may_publish(inventory: Inventory) -> bool:
    told = any(item.publishes_histograms or item.asks_elsewhere for item in inventory.spring_settings)
    return told or any(
        entry.name.startswith((_BY_VARIABLE, "SPRING_APPLICATION_JSON", "JAVA_"))
        for service in inventory.services
        for entry in service.environment
    )
