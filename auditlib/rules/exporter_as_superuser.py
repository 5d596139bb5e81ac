"""An exporter logs in to its database as the superuser.

An exporter reads statistics. With the superuser's password it can read and destroy everything, and whoever reads its
environment, or finds a hole in it, can so too.

Anti-pattern:

    postgres-exporter:
      image: prometheuscommunity/postgres-exporter:v0.15.0
      environment:
        DATA_SOURCE_NAME: postgresql://postgres:${POSTGRES_PASSWORD}@db:5432/shop

Better:

    # CREATE USER monitoring PASSWORD '…'; GRANT pg_monitor TO monitoring;
    postgres-exporter:
      environment:
        DATA_SOURCE_NAME: postgresql://monitoring:${MONITORING_PASSWORD}@db:5432/shop

Recommendation:

    Make a user that may read statistics only, and give its login to the exporter.

References:

- https://github.com/prometheus-community/postgres_exporter#running-as-non-superuser
- https://github.com/prometheus/mysqld_exporter#required-grants
- https://www.postgresql.org/docs/current/predefined-roles.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import database_logins, environments, exporters, image_variables
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _exporter_server as exporter_server
from auditlib.rules._rule import Evidence, rule

_LOGIN = regex(r"(?P<user>\w+):[^@\n]{0,200}@")
_ROOT_OPTION = regex(r"--mysqld\.username[= ]root\b")
_GRANTS = {
    "PostgreSQL exporter": "CREATE USER monitoring PASSWORD '…'; GRANT pg_monitor TO monitoring;",
    "MySQL exporter": "CREATE USER 'monitoring' IDENTIFIED BY '…'; "
    "GRANT PROCESS, REPLICATION CLIENT, SELECT ON *.* TO 'monitoring';",
}


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every exporter of PostgreSQL or MySQL with the login of the user that its server has for everything."""
    for service in inventory.distinct_services:
        known = exporters.of_image(service.image) if service.build is None else None
        if known is None or known.name not in _GRANTS or environments.only_for_development(service):
            continue
        found = _of_mysql(service) if known.name == "MySQL exporter" else _of_postgres(inventory, graph, service)
        if found:
            user, place, server = found
            yield _evidence(service, known.name, user, place, server)


def _of_mysql(service: Service) -> tuple[str, Location, Service | None] | None:
    if _ROOT_OPTION.search(" ".join(service.command)):
        return "root", service.command_location or service.location, None
    dropped = image_variables.unread(service.image)  # by releases that take options instead
    entry = None if "DATA_SOURCE_NAME" in dropped else exporter_server.entry(service, "DATA_SOURCE_NAME")
    match = _LOGIN.match(entry.value.text) if entry and entry.value else None
    return ("root", entry.location, None) if entry and match and match["user"] == "root" else None


def _of_postgres(
    inventory: Inventory, graph: DependencyGraph, service: Service
) -> tuple[str, Location, Service | None] | None:
    """The user, if the server that the exporter asks is of the repository and makes it the superuser."""
    asked = exporter_server.postgres(inventory, graph, service)
    made = database_logins.made_by(asked.server) if asked else None
    return (asked.user, asked.login.location, asked.server) if asked and made and asked.user in made.users else None


def _evidence(service: Service, kind: str, user: str, place: Location, server: Service | None) -> Evidence:
    usual = user in ("postgres", "root")
    whose = f"the superuser of {server.name}" if server else "the user that may do everything"
    return Evidence(
        f"{service.name} logs in as {user}, {whose}, to read statistics.",
        place,
        subject=f"{service.name}/{user}",
        service=service.name,
        related=(Related(server.location, f"{server.name} makes {user} its superuser"),) if server else (),
        recommendation=f"Make a user that may read statistics only, and give its login to {service.name}.",
        severity=None if usual else Severity.INFO,
        example=f"-- {_GRANTS[kind]}\n" + compose_lines.of_service(service, "# with the login of monitoring"),
    )
