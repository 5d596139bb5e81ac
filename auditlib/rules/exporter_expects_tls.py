"""PostgreSQL's exporter wants TLS from a server that has none.

The exporter's driver asks for TLS unless the address says otherwise, and the official image of PostgreSQL starts
without. Each connection ends with "SSL is not enabled on the server": the target is up, and there are no metrics of the
database.

Anti-pattern:

    DATA_SOURCE_NAME: postgresql://monitoring:${PASSWORD}@db:5432/shop

Better:

    DATA_SOURCE_NAME: postgresql://monitoring:${PASSWORD}@db:5432/shop?sslmode=disable

Recommendation:

    Add `?sslmode=disable` to the address, or give the server a certificate.

References:

- https://github.com/prometheus-community/postgres_exporter/issues/45
- https://pkg.go.dev/github.com/lib/pq#hdr-Connection_String_Parameters
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import exporters, images, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _exporter_server as exporter_server
from auditlib.rules._exporter_server import Asked
from auditlib.rules._rule import Evidence, rule

_WITHOUT_TLS = frozenset({"postgres", "postgis/postgis", "pgvector/pgvector", "timescale/timescaledb"})
"""Images that start without TLS unless a command or a file of settings turns it on."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every exporter whose address says nothing of TLS and leads to such a server of the repository."""
    for service in inventory.distinct_services:
        known = exporters.of_image(service.image) if service.build is None else None
        if known is None or known.name != "PostgreSQL exporter" or _is_told(inventory, service):
            continue
        asked = exporter_server.postgres(inventory, graph, service)
        if asked and _has_none(asked.server):
            yield _evidence(service, asked)


def _is_told(inventory: Inventory, service: Service) -> bool:
    """Whether a variable says whether to use TLS, or may do so in a file that isn't here."""
    texts = (f"{item.name} {item.value.text if item.value else ''}" for item in service.environment)
    return services.lacks_env_file(inventory, service) or any("sslmode" in text.lower() for text in texts)


def _has_none(server: Service) -> bool:
    """Whether nothing turns on TLS in a server: no word of its command, and no file that is mounted."""
    told = any("ssl" in word or "config" in word for word in (*server.command, *server.entrypoint))
    mounted = any(mount.target.endswith((".conf", ".sh", "initdb.d")) for mount in server.mounts)
    plain = server.build is None and not server.configs and images.repository(server.image) in _WITHOUT_TLS
    return plain and not told and not mounted


def _evidence(service: Service, asked: Asked) -> Evidence:
    name = asked.address.name
    sign = "&" if asked.address.value and "?" in asked.address.value.text else "?"
    return Evidence(
        f"{name} of {service.name} says nothing of TLS, which its driver then asks for, and {asked.server.name} has "
        "none: no connection succeeds, and there are no metrics of the database.",
        asked.address.location,
        subject=f"{service.name}/sslmode",
        service=service.name,
        related=(Related(asked.server.location, f"{asked.server.name} starts without TLS"),),
        recommendation=f"Add `{sign}sslmode=disable` to {name} of {service.name}.",
        example=compose_lines.of_service(service, f"environment:\n  {name}: <as it is>{sign}sslmode=disable"),
    )
