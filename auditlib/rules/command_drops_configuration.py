"""Options in Compose take the place of the one that names the configuration.

`command` replaces the image's own command as a whole. With the retention written there, and nothing else, the program
is no longer told where its configuration lies: it looks in its working folder, finds none, and ends.

Anti-pattern:

    prometheus:
      image: prom/prometheus:v3.0.0
      command: ["--storage.tsdb.retention.time=30d"]
      volumes: ["./prometheus.yml:/etc/prometheus/prometheus.yml:ro"]

Better:

    prometheus:
      image: prom/prometheus:v3.0.0
      command:
        - --config.file=/etc/prometheus/prometheus.yml
        - --storage.tsdb.path=/prometheus
        - --storage.tsdb.retention.time=30d
      volumes: ["./prometheus.yml:/etc/prometheus/prometheus.yml:ro"]

Recommendation:

    Repeat the option of the image that names the configuration beside your own ones.

References:

- https://docs.docker.com/reference/compose-file/services/#command
- https://github.com/prometheus/prometheus/blob/main/Dockerfile
- https://github.com/grafana/loki/blob/main/cmd/loki/Dockerfile
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, images, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


class _Image(Struct, frozen=True):
    """The options that an image starts its program with, and what the program reads where none names it."""

    option: str
    given: tuple[str, ...]
    otherwise: tuple[str, ...]


_PROMETHEUS = _Image(
    "config.file", ("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"),
    ("/prometheus/prometheus.yml",),
)  # fmt: skip
_IMAGES = {
    "prom/prometheus": _PROMETHEUS,
    "prom/alertmanager": _Image(
        "config.file", ("--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"),
        ("/alertmanager/alertmanager.yml",),
    ),
    "prom/blackbox-exporter": _Image(
        "config.file", ("--config.file=/etc/blackbox_exporter/config.yml",), ("/blackbox.yml",)
    ),
    "grafana/loki": _Image(
        "config.file", ("-config.file=/etc/loki/local-config.yaml",), ("/config.yaml", "/config/config.yaml")
    ),
    "grafana/promtail": _Image(
        "config.file", ("-config.file=/etc/promtail/config.yml",), ("/config.yaml", "/config/config.yaml")
    ),
    "otel/opentelemetry-collector": _Image("config", ("--config=/etc/otelcol/config.yaml",), ()),
    "otel/opentelemetry-collector-contrib": _Image("config", ("--config=/etc/otelcol-contrib/config.yaml",), ()),
}  # fmt: skip


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service on such an image with options of its own, none of which names the configuration."""
    for service in inventory.distinct_services:
        image = _IMAGES.get(images.repository(service.image)) if service.command else None
        if image and _is_started_so(service) and not _names(service, image):
            yield _evidence(service, image)


def _is_started_so(service: Service) -> bool:
    """Whether the program of the image gets the options as they are written."""
    options = all(word.startswith("-") for word in service.command[:1])
    return options and not (service.entrypoint or service.build or any("$" in word for word in service.command))


def _names(service: Service, image: _Image) -> bool:
    """Whether an option names a configuration, or one lies where the program looks without it, or it wants none."""
    words = [word.lstrip("-").partition("=")[0] for word in service.command]
    given = any(word == image.option for word in words) or any(word in ("version", "help", "h") for word in words)
    mounted = [mount.target.rstrip("/") for mount in service.mounts if mount.kind == "bind"]
    there = any(mounts.is_below(path, target) for path in image.otherwise for target in mounted)
    return given or there or bool(service.working_dir or service.configs)


def _evidence(service: Service, image: _Image) -> Evidence:
    own = [word for word in service.command if word.partition("=")[0] not in {x.partition("=")[0] for x in image.given}]
    mounted = next((mount.target for mount in service.mounts if mount.target.endswith((".yml", ".yaml"))), "")
    first, *rest = image.given
    named = f"{first.partition('=')[0]}={mounted}" if mounted else first
    lines = "".join(f"\n  - {word}" for word in (named, *rest, *own))
    return Evidence(
        f"The command of {service.name} replaces the one of {images.repository(service.image)}, and has no "
        f"`{first.partition('=')[0]}`: {service.name} finds no configuration and ends.",
        service.command_location or service.location,
        subject=service.name,
        service=service.name,
        recommendation=f"Add `{named}` to the command of {service.name}.",
        severity=Severity.LOW if environments.only_for_development(service) else None,
        example=compose_lines.of_service(service, f"command:{lines}"),
    )
