"""Loki keeps logs until its disk is full.

Without `retention_enabled` of its compactor Loki deletes nothing, whatever period is written. The volume grows with
every line, and the full disk stops whatever else is on it.

Anti-pattern:

    # loki.yml
    limits_config:
      retention_period: 168h     # nothing applies it
    compactor:
      working_directory: /loki/compactor

Better:

    limits_config:
      retention_period: 168h
    compactor:
      working_directory: /loki/compactor
      retention_enabled: true
      delete_request_store: filesystem

Recommendation:

    Set `retention_period`, and let the compactor apply it by `retention_enabled: true`.

References:

- https://grafana.com/docs/loki/latest/operations/storage/retention/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, images, monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LokiSettings
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BUILT_IN = "/etc/loki/local-config.yaml"
"""The configuration that the image brings; it deletes nothing."""
_LINES = """limits_config:
  retention_period: {period}
compactor:
  working_directory: {folder}/compactor
  retention_enabled: true
  {store}: filesystem"""
_OLD = regex(r"^v?2\.")
"""Releases in which the store of requests to delete has another name."""

_OPTIONS = f"""command:
  - -config.file={_BUILT_IN}
  - -store.retention=<how long, as 168h>
  - -compactor.retention-enabled=true
  - -compactor.delete-request-store=filesystem"""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every Loki that keeps logs in files and deletes none: by its configuration, or by the one of its image."""
    for settings in inventory.loki_settings:
        running = monitoring.runners(inventory, settings.file)
        if settings.deletes or not settings.in_files or monitoring.is_template(settings.file):
            continue
        if not any(_is_told(item) or environments.only_for_development(item) for item in running):
            yield _of_settings(settings, running)
    for service in inventory.distinct_services:
        if _runs_as_shipped(service) and not _is_told(service) and not environments.only_for_development(service):
            yield _of_image(service)


def _is_told(service: Service) -> bool:
    """Whether an option says something of it."""
    return any("retention" in word for word in service.command)


def _runs_as_shipped(service: Service) -> bool:
    """Whether a service runs Loki with the configuration of its image and keeps what it stores."""
    if images.repository(service.image) != "grafana/loki" or service.build or service.configs:
        return False
    own = not any(mounts.is_below(mount.target, "/etc/loki") for mount in service.mounts)
    options = [word.partition("config.file=")[2] for word in service.command if "config.file" in word]
    kept = any(mount.kind == "volume" and mount.target.startswith("/loki") for mount in service.mounts)
    return own and kept and all(path == _BUILT_IN for path in options)


def _of_settings(settings: LokiSettings, running: tuple[Service, ...]) -> Evidence:
    period = settings.period
    off = settings.switched_off
    old = any(_OLD.search(images.tag(item.image)) for item in running)
    store = "shared_store" if old else "delete_request_store"
    lines = _LINES.format(
        period=period.path if period else "<how long, as 168h>", store=store, folder=_kept_in(running)
    )
    return Evidence(
        f"{settings.file} {_said(settings)}: Loki deletes no logs, until the disk is full.",
        period.location if period else off or settings.location,
        subject=settings.file,
        service=running[0].name if running else None,
        related=tuple(Related(item.location, f"{item.name} runs with it") for item in running[:3]),
        recommendation=f"Set `retention_period`, and `retention_enabled: true` of `compactor`, in {settings.file}.",
        example=files.into(settings.file, lines),
    )


def _said(settings: LokiSettings) -> str:
    """What a configuration says of how long logs are kept."""
    off = settings.switched_off
    if settings.period:
        return f"says {settings.period.path}, and {'switches off what applies it' if off else 'nothing applies it'}"
    return "switches the deletion of old logs off" if off else "says nothing of how long logs are kept"


def _kept_in(running: tuple[Service, ...]) -> str:
    """The folder of Loki that outlives its container: the one that a service mounts to write in."""
    targets = [mount.target for item in running for mount in item.mounts if not mount.read_only]
    kept = [target.rstrip("/") for target in targets if not target.startswith("/etc/") and "." not in target]
    return next((target for target in kept if target.rpartition("/")[2] == "loki"), "/loki")


def _of_image(service: Service) -> Evidence:
    return Evidence(
        f"{service.name} runs with the configuration of its image, which deletes no logs: its volume grows until the "
        "disk is full.",
        service.location,
        subject=service.name,
        service=service.name,
        recommendation=f"Start {service.name} with a period for its logs, and with a compactor that applies it.",
        example=compose_lines.of_service(service, _OPTIONS),
    )
