"""Grafana asks a database as the user that may do everything there.

Grafana checks no query: whoever may see a dashboard can send any statement through its interface, under the login of
the data source. As the owner it reads every table, changes and deletes rows, and as PostgreSQL's superuser it runs
programs in the database's container.

Anti-pattern:

    datasources:
      - name: Database
        type: postgres
        url: db:5432
        user: app                     # POSTGRES_USER of db, its superuser

Better:

    datasources:
      - name: Database
        type: postgres
        url: db:5432
        user: grafana                 # GRANT SELECT on the tables of the dashboards

Recommendation:

    Make a user that may read the tables of the dashboards only, and give the data source its login.

References:

- https://grafana.com/docs/grafana/latest/datasources/postgres/configure/
- https://grafana.com/docs/grafana/latest/datasources/mysql/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import database_logins, environments, grafana, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Datasource
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import service_named

_TYPES = {"postgres": "5432", "grafana-postgresql-datasource": "5432", "mysql": "3306"}
_FIRST = {"postgres": "postgres", "grafana-postgresql-datasource": "postgres", "mysql": "root"}


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each data source of PostgreSQL or MySQL with the login that its server makes for everything."""
    for source in inventory.datasources:
        if source.type in _TYPES and source.user and not monitoring.is_template(source.file):
            server = _server(inventory, graph, source)
            made = database_logins.made_by(server) if server else None
            user = _user(inventory, source)
            if server and (user == _FIRST[source.type] or (source.type != "mysql" and made and user in made.users)):
                yield _evidence(inventory, source, server, user)


def _server(inventory: Inventory, graph: DependencyGraph, source: Datasource) -> Service | None:
    host, _, port = source.url.rpartition("://")[2].partition("/")[0].partition(":")
    return service_named(inventory, graph, host, port or _TYPES[source.type], source.file)


def _user(inventory: Inventory, source: Datasource) -> str:
    """The user, of a variable the value that Compose gives Grafana for it."""
    if "$" not in source.user:
        return source.user
    name = source.user.strip("${}")
    given = (entry for item in grafana.servers(inventory) for entry in item.environment if entry.name == name)
    return next((entry.value.text for entry in given if entry.value), "")


def _evidence(inventory: Inventory, source: Datasource, server: Service, user: str) -> Evidence:
    servers = grafana.servers(inventory)
    quiet = bool(servers) and all(map(environments.only_for_development, servers))
    mysql = source.type == "mysql"
    whole = "may do everything in" if mysql else "is the superuser of"
    return Evidence(
        f"The data source {source.name} of {source.file} logs in to {server.name} as {user}, which {whole} it: whoever "
        "may use the data source in Grafana can read, change and delete everything there.",
        source.location,
        subject=f"{source.file}/{source.name}",
        service=servers[0].name if servers else None,
        related=(Related(server.location, f"{server.name} makes {user} at its first start"),),
        recommendation=f"Make a user of {server.name} that may only read what the dashboards show, and name it in "
        f"{source.file}.",
        severity=Severity.LOW if quiet else None,
        example=_lines(source, mysql),
    )


def _lines(source: Datasource, mysql: bool) -> str:
    database = source.database or "<the database>"
    made = (
        f"CREATE USER 'grafana' IDENTIFIED BY '<a new password>'; GRANT SELECT ON {database}.* TO 'grafana';"
        if mysql
        else f"CREATE USER grafana PASSWORD '<a new password>'; GRANT CONNECT ON DATABASE {database} TO grafana;\n"
        "GRANT SELECT ON <the tables of the dashboards> TO grafana;"
    )
    return f"-- in the database\n{made}\n{files.into(source.file, 'user: grafana')}"
