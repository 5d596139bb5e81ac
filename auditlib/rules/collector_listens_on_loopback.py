"""A collector in a container listens on its own loopback address.

Since release 0.104 a receiver of the OpenTelemetry Collector for which no address is written listens on `localhost`,
and since release 2.7 Tempo's do, too. Inside a container nobody else reaches that: each application's exporter is
refused, drops what it holds, and only its own log says so.

Anti-pattern:

    # otel.yaml, in a container of otel/opentelemetry-collector:0.115.0
    receivers:
      otlp:
        protocols:
          grpc:
          http:

Better:

    receivers:
      otlp:
        protocols:
          grpc: {endpoint: "0.0.0.0:4317"}
          http: {endpoint: "0.0.0.0:4318"}

Recommendation:

    Write `endpoint: 0.0.0.0:<port>` below each protocol that other containers send to.

References:

- https://github.com/open-telemetry/opentelemetry-collector/releases/tag/v0.104.0
- https://github.com/open-telemetry/opentelemetry-collector/blob/main/receiver/otlpreceiver/README.md
- https://grafana.com/docs/tempo/latest/release-notes/v2-7/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, images, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.inventory.telemetry import OtlpListener
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SINCE = {
    "otel/opentelemetry-collector": (0, 104), "otel/opentelemetry-collector-contrib": (0, 104), "grafana/tempo": (2, 7)
}  # fmt: skip
_PORTS = {("otlp", "grpc"): "4317", ("otlp", "http"): "4318"}


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each mounted configuration whose receivers for OTLP nobody outside of the container reaches."""
    found: defaultdict[str, list[OtlpListener]] = defaultdict(list)
    for item in inventory.otlp_listeners:
        if (item.receiver.partition("/")[0], item.protocol) in _PORTS:
            found[item.location.file].append(item)
    for file, listeners in found.items():
        for service in monitoring.runners(inventory, file):
            local = [item for item in listeners if _is_local(service, item)]
            if local and len(local) == len(listeners) and not _is_reached_otherwise(inventory, service):
                yield _evidence(inventory, service, local)
                break


def _is_local(service: Service, item: OtlpListener) -> bool:
    """Whether a listener is told the loopback address, or nothing by a release that takes it then."""
    host = item.endpoint.rpartition(":")[0]
    return host in ("localhost", "127.0.0.1", "[::1]") or (not item.endpoint and _is_late(service))


def _is_late(service: Service) -> bool:
    since = _SINCE.get(images.repository(service.image))
    tag = images.tag(service.image)
    release = re.match(r"v?(\d+)\.(\d+)", tag)
    newest = tag in ("", "latest") and not {"@", "$"} & set(service.image) and not service.image.endswith(":")
    late = newest or (since is not None and release is not None and (int(release[1]), int(release[2])) >= since)
    return since is not None and service.build is None and late


def _is_reached_otherwise(inventory: Inventory, service: Service) -> bool:
    """Whether it shares its network with the host or another container, or was told to keep the older address."""
    names = (f"service:{service.name}", f"container:{service.container_name or service.name}")
    shared = any(other.network_mode in names for other in inventory.services)
    return shared or bool(service.network_mode) or any("UseLocalHostAsDefaultHost" in word for word in service.command)


def _evidence(inventory: Inventory, service: Service, local: list[OtlpListener]) -> Evidence:
    first, *others = local
    sender, place = _sender(inventory, service)
    protocols = listed(dict.fromkeys(item.protocol for item in local))
    said = (
        "is told the loopback address"
        if first.endpoint
        else f"is told no address, and {service.image} takes `localhost`"
    )
    return Evidence(
        f"{first.receiver} of {first.location.file} {said} for {protocols}: in {service.name}'s container nobody "
        f"else reaches that, and what {sender} is lost.",
        first.location,
        subject=f"{service.name}/{first.receiver}",
        service=service.name,
        related=(
            *(Related(item.location, f"{item.protocol} listens there, too", member=True) for item in others),
            *place,
            Related(service.image_location, f"{service.name} runs with it"),
        ),
        recommendation=f"Have {first.receiver} listen on 0.0.0.0 in {first.location.file}.",
        severity=Severity.LOW if environments.only_for_development(service) else None,
        example=files.into(first.location.file, _lines(local)),
    )


def _sender(inventory: Inventory, service: Service) -> tuple[str, tuple[Related, ...]]:
    """Who sends to it, as far as an environment says so."""
    for other in inventory.services_of(service.project).values():
        for entry in other.environment:
            if any(each.host == service.name and each.port in _PORTS.values() for each in entry.endpoints):
                return f"{other.name} sends it", (Related(entry.location, f"{other.name} sends to {service.name}"),)
    return "others send it", ()


def _lines(local: list[OtlpListener]) -> str:
    lines = [f"{local[0].receiver}:", "  protocols:"]
    for item in local:
        port = item.endpoint.rpartition(":")[2] or _PORTS[item.receiver.partition("/")[0], item.protocol]
        lines += [f"    {item.protocol}:", f"      endpoint: 0.0.0.0:{port}"]
    return "\n".join(lines)
