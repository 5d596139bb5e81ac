"""Code that applies database migrations by itself, mostly at the start of the application.

Follows https://alembic.sqlalchemy.org/en/latest/api/commands.html, Django's `call_command`, and the programming
interfaces of Knex, TypeORM, Sequelize, Drizzle, Flyway and Liquibase. Read only where the repository has migrations.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from auditlib.inventory.code import Migrator
from auditlib.patterns import Words, regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source, Unreadable

_MIGRATIONS = regex(r"(?:^|/)(?:versions|migrations?|drizzle)/")
_SUFFIXES = frozenset({".py", ".js", ".ts", ".mjs", ".cjs", ".java", ".kt"})
_APPLIES = regex(
    r"\bcommand\.upgrade\(|\balembic\.command\b|call_command\(\s*['\"]migrate|['\"]alembic['\"],\s*(?:['\"][^'\"]*['\"],\s*)*"
    r"['\"]upgrade|\balembic(?:\s+-c\s+\S+)?\s+upgrade\b|\bMigrationExecutor\b|\.migrate\.latest\(|\.runMigrations\(|"
    r"\bmigrationsRun\s*:\s*true|\bmigrate\(\s*db\b|\bprisma\s+migrate\s+deploy|\bumzug\b|\bFlyway\.configure\(|\bFlywayMigrationStrategy\b|\bSpringLiquibase\b|\bupgrade\(\s*(?:directory|revision)"
)
_WORDS = Words(
    "command.upgrade(", "alembic", "call_command(", "MigrationExecutor", ".migrate.latest(", ".runMigrations(",
    "migrationsRun", "migrate(", "prisma", "umzug", "upgrade(",
    "Flyway", "SpringLiquibase",
)  # fmt: skip
"""One of them is in all of these."""


def read(source: Source) -> Reading:
    """A Migrator for each file of code that applies migrations; tests don't count."""
    reading = Reading()
    if not any(_MIGRATIONS.search(path) for path in source.files):
        return reading
    for path in source.files:
        pure = PurePosixPath(path)
        if pure.suffix in _SUFFIXES and not {"tests", "test"} & set(pure.parts) and not pure.name.startswith("test_"):
            try:
                text = source.text(path)
            except Unreadable:
                continue  # reported with the kind of file that it is
            if _WORDS.any_in(text) and (match := _APPLIES.search(text)):
                reading.records.append(Migrator(path, location_at(path, text, match.start())))
    return reading
