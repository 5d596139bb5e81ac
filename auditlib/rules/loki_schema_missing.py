"""A configuration of Loki says nothing of how logs are stored.

Loki refuses to start without `schema_config`. The container starts again and again, and no log arrives.

Anti-pattern:

    # loki.yml
    auth_enabled: false
    server: {http_listen_port: 3100}
    storage: {filesystem: {directory: /loki}}

Better:

    auth_enabled: false
    server: {http_listen_port: 3100}
    common:
      path_prefix: /loki
      storage: {filesystem: {chunks_directory: /loki/chunks}}
    schema_config:
      configs:
        - {from: 2024-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}

Recommendation:

    Begin with the configuration that the image brings, and change what has to be different.

References:

- https://grafana.com/docs/loki/latest/configure/#schema_config
- https://grafana.com/docs/loki/latest/configure/examples/configuration-examples/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LokiSettings
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LINES = """schema_config:
  configs:
    - from: 2024-01-01
      store: tsdb
      object_store: filesystem
      schema: v13
      index: {prefix: index_, period: 24h}"""
_COMMON = """common:
  path_prefix: {home}
  replication_factor: 1
  ring: {{kvstore: {{store: inmemory}}}}
  storage:
    filesystem: {{chunks_directory: {home}/chunks, rules_directory: {home}/rules}}
"""
"""Where a single Loki keeps what it stores, which the schema alone doesn't say."""
_HOME = "/loki"


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every configuration of Loki without a schema."""
    for settings in inventory.loki_settings:
        if settings.has_schema or monitoring.is_template(settings.file):
            continue
        running = monitoring.runners(inventory, settings.file)
        places = {item.location: item.name for item in running}  # an overlay shows the service of its base again
        yield Evidence(
            f"{settings.file} has no `schema_config`, without which Loki doesn't start.",
            settings.location,
            subject=settings.file,
            service=running[0].name if running else None,
            related=tuple(Related(place, f"{name} runs with it") for place, name in places.items())[:3],
            recommendation=f"Add `schema_config` to {settings.file}, and check the file by `loki -verify-config`.",
            example=files.into(settings.file, f"{_storage(settings, running)}{_LINES}"),
        )


def _storage(settings: LokiSettings, running: tuple[Service, ...]) -> str:
    """What has to be said of files where nothing is; they go into the volume that the service has."""
    if settings.in_files:
        return ""
    volumes = (mount.target for item in running for mount in item.mounts if mount.kind == "volume")
    return _COMMON.format(home=next(volumes, _HOME).rstrip("/"))
