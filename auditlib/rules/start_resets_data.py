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

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import on_servers
from auditlib.pipeline.on_servers import ServerText
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_RESETS = regex(
    r"\b(?:artisan (?:migrate:(?:fresh|reset|refresh)|db:wipe)|prisma migrate reset|"
    r"prisma db push (?:\S+ ){0,20}--(?:accept-data-loss|force-reset)|manage\.py (?:flush|reset_db)|"
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


_REFUSED_WITHOUT = (
    (regex(r"prisma migrate reset"), regex(r" (?:--force|-f)\b")),
    (regex(r"manage\.py (?:flush|reset_db)"), regex(r" --no-?input\b")),
    (regex(r"console doctrine:(?:schema|database):drop"), regex(r" (?:--force|-f)\b")),
    (regex(r"dotnet ef database drop"), regex(r" (?:--force|-f)\b")),
    (regex(r"flyway (?:\S+ ){0,20}clean"), regex(r"cleanDisabled=false")),
)
"""What asks first, or refuses, so that nothing is deleted where nobody answers."""
_IN_PRODUCTION = (
    (regex(r"artisan "), regex(r" --force\b"), "Laravel cancels it where APP_ENV is production"),
    (regex(r"(?:rails|rake) db:"), regex(r"DISABLE_DATABASE_ENVIRONMENT_CHECK"), "Rails refuses it for production"),
)
_FIRST_TIME = regex(r"(?:rails|rake) db:(?:setup|schema:load)")
"""What an entry point does in a condition where there is no database yet."""
_KEEPS_SOME = regex(r"data-loss|drizzle-kit push")
_DEVELOPS = regex(r"artisan serve|manage\.py runserver|\b(?:run|start):?[ ]?dev\b|nodemon|vite(?! build)")


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text that deploys or that a container starts by, with a command that deletes tables."""
    for text in on_servers.texts(inventory):
        found = [item for item in text.commands if _deletes(item)]
        if found:
            develops = any(_DEVELOPS.search(" ".join(item.words)) for item in text.commands)
            yield _evidence(text, found, develops=develops)


def _deletes(command: Command) -> bool:
    """Whether a command deletes tables without a question; a shell's own words are its commands' as well."""
    text = " ".join(command.words)
    if not _RESETS.search(text) or command.words[0].rpartition("/")[2] in ("sh", "bash", "ash", "echo"):
        return False
    refused = any(call.search(text) and not answer.search(text) for call, answer in _REFUSED_WITHOUT)
    return not refused and not (command.conditional and _FIRST_TIME.search(text))


def _doubt(command: Command) -> str:
    """What may keep a command from deleting in production."""
    text = " ".join((*command.words, *command.assignments))
    return next((said for call, made, said in _IN_PRODUCTION if call.search(text) and not made.search(text)), "")


def _evidence(text: ServerText, found: list[Command], *, develops: bool) -> Evidence:
    first = found[0]
    words = " ".join(first.words)
    match = _RESETS.search(words)
    said = match[0] if match else words
    some = bool(_KEEPS_SOME.search(said))
    loses = "deletes what the new schema doesn't have" if some else "deletes all tables first"
    doubt = _doubt(first)
    branch = first.conditional and text.path in text.called
    better = next((line for word, line in _BETTER if word in words), "<the command that applies the migrations>")
    others = {item.location for item in found if item.location != first.location}
    return Evidence(
        f"{text.opening} runs `{said[:70]}`{' in some case' if branch else ''}, which {loses}: "
        f"{'then' if branch else 'each time'} it takes the data that is there{f', unless {doubt}' if doubt else ''}.",
        first.location,
        subject=f"{text.path}/{said[:40]}",
        related=tuple(Related(place, "deletes data too", member=True) for place in sorted(others)),
        severity=Severity.LOW if branch else Severity.MEDIUM if some or doubt or develops else None,
        confidence=Confidence.MEDIUM if branch or doubt or develops else None,
        recommendation=f"Call `{better}` there.",
        example=files.into(text.path, better),
    )
