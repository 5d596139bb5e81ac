"""A configuration of Loki 2 is given to Loki 3, which refuses it.

Loki reads its configuration strictly. Release 3 has no `shared_store` any more, wants `delete_request_store` where logs
are deleted, and keeps structured metadata, which schemas before v13 can't hold. It ends at its start: no log arrives.

Anti-pattern:

    # loki.yml, run by grafana/loki:3.2.0
    schema_config:
      configs:
        - {from: 2020-10-24, store: boltdb-shipper, object_store: filesystem, schema: v11}
    compactor: {shared_store: filesystem, retention_enabled: true}

Better:

    schema_config:
      configs:
        - {from: 2024-01-01, store: tsdb, object_store: filesystem, schema: v13}
    compactor: {delete_request_store: filesystem, retention_enabled: true}

Recommendation:

    Change the configuration by the upgrade guide of Loki 3, and have `loki -verify-config` look at it in the pipeline.

References:

- https://grafana.com/docs/loki/latest/setup/upgrade/#300
- https://grafana.com/docs/loki/latest/operations/storage/retention/
- https://grafana.com/docs/loki/latest/get-started/labels/structured-metadata/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import environments, images, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LokiSettings
from auditlib.inventory.monitoring import LOKI_NO_DELETE_STORE, LOKI_OLD_SCHEMA
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TOLD = {
    LOKI_NO_DELETE_STORE: "wants `delete_request_store` where `retention_enabled` is true",
    LOKI_OLD_SCHEMA: "keeps structured metadata, which this schema can't hold",
}
_OPTIONS = {
    LOKI_NO_DELETE_STORE: "compactor.delete-request-store",
    LOKI_OLD_SCHEMA: "validation.allow-structured-metadata=false",
}
_LINES = {
    LOKI_NO_DELETE_STORE: "compactor:\n  delete_request_store: {store}",
    LOKI_OLD_SCHEMA: "limits_config:\n  allow_structured_metadata: false  # until a period has schema v13 and tsdb",
}
_FIELD = "# delete the line of `{}`"


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration that a service with a release of Loki from 3 on mounts, and that it can't start with."""
    for settings in inventory.loki_settings:
        for service in monitoring.runners(inventory, settings.file) if settings.refused else ():
            refused = [item for item in settings.refused if not _is_said(service, item[0])]
            if refused and settings.has_schema and _is_new(service) and not monitoring.is_template(settings.file):
                yield _evidence(service, settings, refused)
                break


def _is_new(service: Service) -> bool:
    """Whether a service runs Loki from its release 3 on."""
    if images.repository(service.image) != "grafana/loki" or service.build or {"@", "$"} & set(service.image):
        return False
    tag = images.tag(service.image)
    release = re.match(r"v?(\d+)(?:\.|$)", tag)
    return tag == "latest" or ":" not in service.image or (release is not None and int(release[1]) >= 3)


def _is_said(service: Service, what: str) -> bool:
    """Whether an option of the command says it."""
    return what in _OPTIONS and any(_OPTIONS[what] in word for word in service.command)


def _evidence(service: Service, settings: LokiSettings, refused: list[tuple[str, Location]]) -> Evidence:
    (_, place), *others = refused
    gone = [what for what, _ in refused if what not in _TOLD]
    told = [f"has no {listed(f'`{what}`' for what in gone)}"] if gone else []
    told += [_TOLD[what] for what, _ in refused if what in _TOLD]
    store = "filesystem" if settings.in_files else "<the `object_store` of schema_config>"
    lines = [_LINES.get(what, _FIELD.format(what)).replace("{store}", store) for what, _ in refused]
    return Evidence(
        f"{service.name} runs {service.image} with {settings.file}, which was written for Loki 2: release 3 "
        f"{listed(told)}, and doesn't start.",
        place,
        subject=f"{service.name}/{settings.file}",
        service=service.name,
        related=(
            *(Related(item, _TOLD.get(what, f"`{what}` is gone"), member=True) for what, item in others),
            Related(service.image_location, "the release that runs"),
        ),
        recommendation=f"Change {settings.file} by the upgrade guide of Loki 3.",
        severity=Severity.LOW if environments.only_for_development(service) else None,
        example=files.into(settings.file, "\n".join(lines)),
    )
