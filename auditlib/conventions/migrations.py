"""Commands that bring the schema of a database up to date.

Sources: https://alembic.sqlalchemy.org/en/latest/tutorial.html, https://docs.djangoproject.com/en/stable/ref/django-admin/,
https://www.prisma.io/docs/orm/reference/prisma-cli-reference, https://flywaydb.org/documentation/usage/commandline and
the command line documentation of the other tools.
"""

from __future__ import annotations

from auditlib.patterns import regex

_MIGRATES = regex(
    r"\balembic\s+(?:\S+\s+){0,60}upgrade\b|\bflask\s+db\s+upgrade\b|\bmanage\.py\s+migrate\b|\bprisma\s+migrate\s+deploy\b|"
    r"\bdb:migrate\b|\bknex\s+migrate:latest\b|\btypeorm\s+(?:\S+\s+){0,60}migration:run\b|\bflyway\s+(?:\S+\s+){0,60}migrate\b|"
    r"\bartisan\s+migrate\b|\bliquibase\s+(?:\S+\s+){0,60}update\b|\bdjango-admin\s+migrate\b|"
    r"\b(?:npm|yarn|pnpm|bun)\s+(?:run\s+)?(?:db[:-])?migrate(?::(?:deploy|up|latest))?(?=\s|$)|"
    r"\bdocker[- ]compose\s+(?:\S+\s+){0,60}(?:run|exec|up)\s+(?:\S+\s+){0,60}(?:migrate|migrations?|migrator)(?=\s|$)"
)


def applies(text: str) -> bool:
    """Whether a command applies migrations, by what it says."""
    return bool(_MIGRATES.search(text))
