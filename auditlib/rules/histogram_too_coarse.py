"""A histogram of seconds has bounds for milliseconds.

OpenTelemetry's own bounds begin with 0, 5, 10 and 25. A duration in seconds nearly always lies below 5, so that all of
them fall into one bucket: each quantile is a guess between 0 and 5 seconds, and an alert on it fires at random or
never.

Anti-pattern:

    meter.Float64Histogram("upload_duration_seconds", metric.WithUnit("s"))

Better:

    meter.Float64Histogram("upload_duration_seconds", metric.WithUnit("s"),
        metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10))

Recommendation:

    Give each histogram bounds that fit its unit, and have one of them where an alert has its limit.

References:

- https://opentelemetry.io/docs/specs/otel/metrics/sdk/#explicit-bucket-histogram-aggregation
- https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.telemetry import CoarseHistogram
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BOUNDS = "0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10"
_LINES = {
    ".go": f"metric.WithExplicitBucketBoundaries({_BOUNDS}),",
    ".py": f"explicit_bucket_boundaries_advisory=[{_BOUNDS}],",
}
_OF_WORK = regex(
    r"(?i)job|batch|backup|build|import|export|pipeline|workflow|deploy|migrat|train|session|sync|crawl|scan|queue|wait|"
    r"_age|\\.age|lag|uptime|task|run"
)
"""What takes minutes as a rule, so that nobody asks how much of it is below five seconds."""
_OTHERS = f"advice: {{ explicitBucketBoundaries: [{_BOUNDS}] }},"


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all such histograms; more severe where an alert asks for one of them."""
    found = [item for item in inventory.coarse_histograms
             if not environments.is_for_development(item.location.file) and not _OF_WORK.search(item.name)]  # fmt: skip
    if found:
        yield _evidence(inventory, found)


def _evidence(inventory: Inventory, items: list[CoarseHistogram]) -> Evidence:
    first, *others = items
    wanted = {f"{item.name.replace('.', '_')}_bucket" for item in items}
    asking = next((item for item in monitoring.asking(inventory) if not wanted.isdisjoint(item.query.metrics)), None)
    file = first.location.file
    names = listed(dict.fromkeys(item.name for item in items), limit=3)
    asked = f", and {asking.called} asks for it" if asking else ""
    return Evidence(
        f"{names} {'count' if others else 'counts'} seconds in the bounds that OpenTelemetry has for milliseconds (0, "
        f"5, 10, 25 …): all that takes less than 5 s falls into one bucket{asked}.",
        first.location,
        subject=f"{file}/{first.name}",
        related=(
            *(Related(item.location, f"{item.name} as well", member=True) for item in others),
            *([Related(asking.location, f"{asking.called} asks for a quantile")] if asking else []),
        ),
        recommendation=f"Give {first.name} bounds for seconds in {file}.",
        severity=Severity.MEDIUM if asking else None,
        example=files.into(file, _LINES.get(file[file.rfind(".") :], _OTHERS)),
    )
