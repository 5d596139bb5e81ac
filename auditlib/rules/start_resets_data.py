"""What deploys or starts the application empties its database.

`migrate:fresh`, `prisma migrate reset`, `db:drop` and their like delete all tables before they make them anew. They are
for development: in an entry point or in a deployment the next start deletes what users have entered.
`prisma db push --accept-data-loss` deletes what the new schema no longer has.

Anti-pattern:

    # entrypoint.sh
    php artisan migrate:fresh --seed --force
    exec php-fpm

Better:

    # entrypoint.sh
    php artisan migrate --force
    exec php-fpm

Recommendation:

    Apply migrations there, and keep what deletes data in a script of its own that asks.

References:

- https://laravel.com/docs/12.x/migrations#drop-all-tables-migrate
- https://www.prisma.io/docs/orm/reference/prisma-cli-reference#migrate-reset
- https://docs.djangoproject.com/en/5.2/ref/django-admin/#flush
- https://guides.rubyonrails.org/active_record_migrations.html#resetting-the-database
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import command_texts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import on_servers
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_RESETS = regex(
    r"\b(?:artisan (?:migrate:(?:fresh|reset|refresh)|db:wipe)|prisma migrate reset|"
    r"prisma db push (?:\S+ ){0,20}--(?:accept-data-loss|force-reset)|manage\.py (?:flush|reset_db|sqlflush)|"
    r"(?:rails|rake) db:(?:drop|reset|migrate:reset|schema:load|setup)|sequelize(?:-cli)? db:(?:drop|migrate:undo:all)|"
    r"typeorm (?:\S+ ){0,20}schema:drop|knex (?:\S+ ){0,20}migrate:rollback --all|alembic (?:\S+ ){0,20}downgrade base|"
    r"console doctrine:(?:schema|database):drop|drizzle-kit push (?:\S+ ){0,20}--force|flyway (?:\S+ ){0,20}clean|"
    r"mix ecto\.(?:drop|reset)|dotnet ef database drop)(?= |$)"
)
_BETTER = (
    ("artisan", "php artisan migrate --force"),
    ("prisma", "npx prisma migrate deploy"),
    ("manage.py", "python manage.py migrate --noinput"),
    ("sequelize", "npx sequelize-cli db:migrate"),
    ("typeorm", "npx typeorm migration:run"),
    ("alembic", "alembic upgrade head"),
    ("rails", "bin/rails db:migrate"),
    ("rake", "bin/rake db:migrate"),
    ("doctrine", "php bin/console doctrine:migrations:migrate --no-interaction"),
    ("flyway", "flyway migrate"),
    ("ecto", "mix ecto.migrate"),
)


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text that deploys or that a container starts by, with a command that deletes tables."""
    for text in on_servers.texts(inventory):
        found = [item for item in text.commands if _RESETS.search(" ".join(item.words))]
        if found:
            yield _evidence(text.path, text.called, found)


def _evidence(path: str, called: str, found: list[Command]) -> Evidence:
    first, *others = found
    text = " ".join(first.words)
    match = _RESETS.search(text)
    said = match[0] if match else text
    loses = "deletes what the new schema doesn't have" if "data-loss" in said else "deletes all tables first"
    better = next((line for word, line in _BETTER if word in text), "<the command that applies the migrations>")
    opening = command_texts.opening(called)
    return Evidence(
        f"{opening} runs `{said[:70]}`, which {loses}: each time it takes the data that is there.",
        first.location,
        subject=f"{path}/{said[:40]}",
        related=tuple(Related(item.location, "deletes data too", member=True) for item in others),
        severity=Severity.MEDIUM if first.conditional or "data-loss" in said else None,
        confidence=Confidence.MEDIUM if first.conditional else None,
        recommendation=f"Call `{better}` there.",
        example=files.into(path, better),
    )
