"""A pool of database connections has no upper bound.

Go's `database/sql`, and gorm above it, opens a connection for each query that finds none free, however many there are.
A slow query under load is enough for the program to take all of the server's connections (PostgreSQL allows 100), and
then every other program, migrations and backups among them, is refused.

Anti-pattern:

    db, err := sql.Open("pgx", dsn)

Better:

    db, err := sql.Open("pgx", dsn)
    db.SetMaxOpenConns(20)
    db.SetMaxIdleConns(10)
    db.SetConnMaxLifetime(30 * time.Minute)

Recommendation:

    Bound each program's pool so that all of them together stay below the server's `max_connections`.

References:

- https://pkg.go.dev/database/sql#DB.SetMaxOpenConns
- https://gorm.io/docs/connecting_to_the_database.html#Connection-Pool
- https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-MAX-CONNECTIONS
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import code_traits
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BOUNDS = "{0}.SetMaxOpenConns(20)\n{0}.SetMaxIdleConns(10)\n{0}.SetConnMaxLifetime(30 * time.Minute)"


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Where programs in Go open a database, if nothing in their code bounds the pool."""
    opened = code_traits.of(inventory, "pool")
    unbounded = code_traits.without(inventory, opened, "pool limit") if opened else []
    if unbounded:
        yield _evidence(unbounded)


def _evidence(uses: list[Use]) -> Evidence:
    trait = uses[0].trait
    sharing = {item.key for use in uses for item in use.services}
    together = f" The {len(sharing)} services share what the server allows." if len(sharing) > 1 else ""
    lines = _BOUNDS.format("sqlDB" if trait.word == "gorm.Open" else "db")
    first = "sqlDB, err := db.DB()\n" if trait.word == "gorm.Open" else ""
    return Evidence(
        f"{code_traits.names(uses)} may open any number of connections to the database: nothing in the code calls "
        f"SetMaxOpenConns, which is unlimited by default.{together}",
        trait.location,
        subject="go/pool",
        service=code_uses.first_service(uses),
        related=code_uses.members(uses),
        severity=Severity.MEDIUM if len(sharing) > 1 else None,
        recommendation=f"Call SetMaxOpenConns in {trait.location.file}, with a share of the server's max_connections.",
        example=files.into(trait.location.file, first + lines),
    )
