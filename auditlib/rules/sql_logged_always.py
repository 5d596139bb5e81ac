"""Every statement to the database is logged, in production too.

A switch that helps while queries are written stays on: the log grows by a multiple of the requests, what matters drowns
in it, and with the statements their values get into the log, such as addresses and hashes of passwords.

Anti-pattern:

    engine = create_engine(url, echo=True)
    spring.jpa.show-sql=true

Better:

    engine = create_engine(url, echo=settings.sql_echo)   # False unless somebody asks

Recommendation:

    Leave the log of statements off, or let a variable turn it on that production doesn't set.

References:

- https://docs.sqlalchemy.org/en/20/core/engines.html#configuring-logging
- https://gorm.io/docs/logger.html
- https://typeorm.io/docs/advanced-topics/logging/
- https://learn.microsoft.com/en-us/ef/core/logging-events-diagnostics/extensions-logging#sensitive-data
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import code_traits
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_INSTEAD = {
    "echo=True": "echo=False",
    "LogMode(logger.Info)": "LogMode(logger.Warn)",
    "logging: true": "logging: ['error', 'warn']",
    "log: ['query']": "log: ['warn', 'error']",
    "show-sql: true": "show-sql: false",
    "EnableSensitiveDataLogging()": "if (environment.IsDevelopment()) options.EnableSensitiveDataLogging();",
}
_LOGS = {
    "log: ['query']": "every statement to the database",
    "show-sql: true": "every statement to the database, beside the format of its other lines",
    "EnableSensitiveDataLogging()": "the values in statements to the database",
}
_TOLD = ("SHOW_SQL", "SHOWSQL", "ORG_HIBERNATE_SQL")


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each way the places where code or configuration of deployed services logs each statement, unasked."""
    ways: defaultdict[str, list[Use]] = defaultdict(list)
    for use in code_traits.of(inventory, "sql log"):
        if not any(entry.name.endswith(_TOLD) for item in use.services for entry in item.environment):
            ways[use.trait.word].append(use)
    for word, uses in ways.items():
        yield _evidence(word, uses)


def _evidence(word: str, uses: list[Use]) -> Evidence:
    file = uses[0].trait.location.file
    what = _LOGS.get(word, "every statement to the database with its values")
    several = len({item.key for use in uses for item in use.services}) > 1
    return Evidence(
        f"{code_traits.names(uses)} {'log' if several else 'logs'} {what} (`{word}`), whatever the environment.",
        uses[0].trait.location,
        subject=f"sql-log/{word}",
        service=code_uses.first_service(uses),
        related=code_uses.members(uses),
        recommendation=f"Turn `{word}` off in {file}, or let a variable decide.",
        example=files.into(file, _INSTEAD[word]),
    )
