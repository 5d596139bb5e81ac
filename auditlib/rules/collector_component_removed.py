"""A collector is configured with a component that its release no longer has.

The collector reads its configuration as a whole and ends at a type that it doesn't know. No trace, metric or log that
the applications send it arrives anywhere, and they only note that the connection is refused.

Anti-pattern:

    # otel-collector.yaml, run by otel/opentelemetry-collector-contrib:0.88.0
    exporters:
      jaeger: {endpoint: "jaeger:14250"}

Better:

    exporters:
      otlp: {endpoint: "jaeger:4317", tls: {insecure: true}}

Recommendation:

    Read the changelog of the release that runs, and have the collector check its configuration in the pipeline.

References:

- https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/26546
- https://github.com/open-telemetry/opentelemetry-collector/issues/11337
- https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, images, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.inventory.telemetry import CollectorPart
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


class _Removed(Struct, frozen=True):
    """Since which release a component is gone, what takes its place, and how that is written."""

    since: tuple[int, int]
    instead: str
    lines: str


_REMOVED = {
    ("exporters", "jaeger"): _Removed(
        (0, 85), "`otlp`, which Jaeger takes at port 4317", "otlp:\n    endpoint: <jaeger>:4317"
    ),
    ("exporters", "logging"): _Removed((0, 111), "`debug`, which has the same settings", "debug:"),
    ("exporters", "loki"): _Removed(
        (0, 131),
        "`otlphttp`, which Loki takes from its release 3 on",
        "otlphttp:\n    endpoint: http://<loki>:3100/otlp",
    ),
}
_IMAGES = frozenset({
    "otel/opentelemetry-collector", "otel/opentelemetry-collector-contrib",
    "open-telemetry/opentelemetry-collector-releases/opentelemetry-collector",
    "open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib",
})  # fmt: skip


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every collector of a known release whose mounted configuration has components that are gone."""
    parts = [item for item in inventory.collector_parts if (item.section, item.kind) in _REMOVED]
    for service in inventory.distinct_services if parts else ():
        gone = [item for item in parts if _is_gone(service, item) and mounts.path_inside(service, item.location.file)]
        if gone:
            yield _evidence(service, gone)


def _is_gone(service: Service, part: CollectorPart) -> bool:
    release = re.match(r"v?(\d+)\.(\d+)", images.tag(service.image))
    newest = images.tag(service.image) in ("", "latest") and "@" not in service.image and "$" not in service.image
    since = _REMOVED[part.section, part.kind].since
    late = newest or (release is not None and (int(release[1]), int(release[2])) >= since)
    return service.build is None and images.repository(service.image) in _IMAGES and late


def _evidence(service: Service, gone: list[CollectorPart]) -> Evidence:
    first, *others = gone
    removed = _REMOVED[first.section, first.kind]
    since = ".".join(map(str, removed.since))
    names = listed(dict.fromkeys(f"`{item.kind}`" for item in gone))
    ways = dict.fromkeys(_REMOVED[item.section, item.kind].lines for item in gone)
    return Evidence(
        f"{service.name} runs {service.image}, which has no {first.section[:-1]} {names} since {since}: it ends at its "
        "configuration, and what the applications send it is lost.",
        first.location,
        subject=f"{service.name}/{first.kind}",
        service=service.name,
        related=(
            *(Related(item.location, f"`{item.kind}` is gone as well", member=True) for item in others),
            Related(service.image_location, "the release that runs"),
        ),
        recommendation=f"In place of `{first.kind}`, here and in the pipelines, use {removed.instead}.",
        severity=Severity.LOW if environments.only_for_development(service) else None,
        example=files.into(first.location.file, "\n".join(("exporters:", *(f"  {line}" for line in ways)))),
    )
