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

import shlex
from collections.abc import Iterator

from auditlib.conventions import database_logins, environments, exporters, image_variables, images
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
    "PostgreSQL exporter": "CREATE USER monitoring PASSWORD '<a new password>'; GRANT pg_monitor TO monitoring;",
    "MySQL exporter": "CREATE USER 'monitoring' IDENTIFIED BY '<a new password>'; "
    "GRANT PROCESS, REPLICATION CLIENT, SELECT ON *.* TO 'monitoring';",
}
_GIVEN = "${MONITORING_PASSWORD:?set it in .env}"
_TARGET = regex(r"(?:\w+://)?[^@\n]{0,200}@(?P<rest>\S{1,200})")


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every exporter of PostgreSQL or MySQL with the login of the user that its server has for everything."""
    for service in inventory.distinct_services:
        known = exporters.of_image(service.image) if service.build is None else None
        if known is None or known.name not in _GRANTS or environments.only_for_development(service):
            continue
        found = _of_mysql(service) if known.name == "MySQL exporter" else _of_postgres(inventory, graph, service)
        if found:
            yield _evidence(inventory, service, known.name, *found)


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
    if asked and (variable := _same_variable(asked)):
        return f"${{{variable}}}", asked.login.location, asked.server
    made = database_logins.made_by(asked.server) if asked else None
    return (asked.user, asked.login.location, asked.server) if asked and made and asked.user in made.users else None


def _same_variable(asked: exporter_server.Asked) -> str:
    """The variable without a value in the repository that names the server's superuser and the exporter's user."""
    made = exporter_server.entry(asked.server, "POSTGRES_USER") if asked.login.name == "DATA_SOURCE_USER" else None
    same = made and made.variables == asked.login.variables and len(made.variables) == 1
    blank = made and made.value is not None and not made.value.text and not asked.user
    official = images.repository(asked.server.image) == "postgres" and asked.server.build is None
    return asked.login.variables[0] if same and blank and official else ""


def _evidence(
    inventory: Inventory, service: Service, kind: str, user: str, place: Location, server: Service | None
) -> Evidence:
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
        example=f"{_made(inventory, kind, user, server)}\n{compose_lines.of_service(service, _login(service, kind))}",
    )


def _made(inventory: Inventory, kind: str, user: str, server: Service | None) -> str:
    """The statements that make the user, run in the server where that is of the repository."""
    if server is None:
        return f"# in the database\n{_GRANTS[kind]}"
    compose = compose_lines.call(inventory, server.project)
    if user.startswith("$"):
        asks = "sh -c 'psql -U \"$POSTGRES_USER\" -d postgres'"
        return f'echo "{_GRANTS[kind]}" | {compose} exec -T {shlex.quote(server.name)} {asks}'
    return f'{compose} exec {shlex.quote(server.name)} psql -U {shlex.quote(user)} -d postgres -c "{_GRANTS[kind]}"'


def _login(service: Service, kind: str) -> str:
    """The variables, or the option, by which the exporter takes the login."""
    whole = exporter_server.entry(service, "DATA_SOURCE_NAME")
    match = _TARGET.fullmatch(whole.value.text) if whole and whole.value else None
    rest = match["rest"] if match else "<as it is behind the @>"
    if kind == "MySQL exporter":
        if _ROOT_OPTION.search(" ".join(service.command)):
            option = "command: [--mysqld.username=monitoring]  # beside the others"
            return f"{option}\nenvironment:\n  MYSQLD_EXPORTER_PASSWORD: {_GIVEN}"
        return f"environment:\n  DATA_SOURCE_NAME: monitoring:{_GIVEN}@{rest}"
    uri = f"\n  DATA_SOURCE_URI: {rest}  # in place of DATA_SOURCE_NAME" if whole else ""
    return f"environment:{uri}\n  DATA_SOURCE_USER: monitoring\n  DATA_SOURCE_PASS: {_GIVEN}"
