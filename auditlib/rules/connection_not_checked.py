"""Connections that the database has closed are used once more.

SQLAlchemy keeps connections open between requests. When the database restarts, or a firewall drops idle connections,
the pool doesn't notice: each of its connections fails one request before it is opened anew. With `pool_pre_ping` a
connection is tried when it is taken, which costs a round trip and saves the request.

Anti-pattern:

    engine = create_engine(settings.database_url)

Better:

    engine = create_engine(settings.database_url, pool_pre_ping=True)

Recommendation:

    Set `pool_pre_ping=True` where engines of long-lived programs are made.

References:

- https://docs.sqlalchemy.org/en/20/core/pooling.html#disconnect-handling-pessimistic
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import code_traits
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SERVERS = (
    "asyncpg",
    "psycopg",
    "pg8000",
    "mysqlclient",
    "pymysql",
    "aiomysql",
    "asyncmy",
    "oracledb",
    "pymssql",
    "pyodbc",
)


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Where programs make an engine of SQLAlchemy for a database on a server, without a check of its connections."""
    uses = code_traits.of(inventory, "engine")
    if not uses or not _asks_server(inventory):
        return
    trait = uses[0].trait
    yield Evidence(
        f"{code_traits.names(uses)} {'take' if len(uses[0].services) > 1 else 'takes'} connections from the pool "
        "without `pool_pre_ping`: after a restart of the database each pooled connection fails one request.",
        trait.location,
        subject="sqlalchemy/pre-ping",
        service=code_uses.first_service(uses),
        related=code_uses.members(uses),
        recommendation=f"Give the engine in {trait.location.file} `pool_pre_ping=True`.",
        example=files.into(trait.location.file, f"{trait.word}(…, pool_pre_ping=True)"),
    )


def _asks_server(inventory: Inventory) -> bool:
    """Whether Python's requirements hold the driver of a database that is a server."""
    names = (item.name.lower() for manifest in inventory.manifests for item in manifest.requirements)
    return any(name.startswith(_SERVERS) for name in names)
