"""A start of the application drops the tables of its database.

What is handy on a laptop, an empty schema at each start, deletes what users have entered once the same command or
setting runs on the server: at the next deployment, after a crash, or when the host starts again. No backup is asked.

Anti-pattern:

    command: sh -c "npx prisma db push --accept-data-loss && node server.js"
    spring.jpa.hibernate.ddl-auto=create

Better:

    command: sh -c "npx prisma migrate deploy && exec node server.js"
    spring.jpa.hibernate.ddl-auto=validate

Recommendation:

    Apply migrations at the start, and keep what drops tables to a command that people call on their own machines.

References:

- https://www.prisma.io/docs/orm/reference/prisma-cli-reference#db-push
- https://docs.spring.io/spring-boot/how-to/data-initialization.html
- https://laravel.com/docs/migrations#drop-all-tables-migrate
- https://sequelize.org/docs/v6/core-concepts/model-basics/#model-synchronization
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import code_traits, environments, services, stacks, starting
from auditlib.conventions.code_traits import Use
from auditlib.conventions.starting import Start
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_DROPS = regex(
    r"\bprisma db push\b[^;&|]{0,80}(?P<option>--accept-data-loss|--force-reset)|\bprisma migrate reset\b|"
    r"\bmigrate:(?:fresh|refresh|reset)\b|\bdb:(?:schema:load|reset|drop|setup)\b|\bmanage\.py (?:flush|reset_db)\b|"
    r"\bdoctrine:(?:schema|database):drop\b|\btypeorm(?:-ts-node-\w{1,10})? (?:\S{1,60} ){0,4}schema:drop\b|\bdropdb\b|"
    r"\bsequelize(?:-cli)? db:drop\b|\balembic downgrade base\b"
)
_INSTEAD = {
    "prisma": "npx prisma migrate deploy",
    "db:": "bin/rails db:migrate",
    "migrate:": "php artisan migrate --force",
    "doctrine": "php bin/console doctrine:migrations:migrate --no-interaction",
    "typeorm": "npx typeorm migration:run",
    "alembic": "alembic upgrade head",
    "manage.py": "python manage.py migrate --noinput",
    "sequelize": "npx sequelize-cli db:migrate",
}
"""By a word of the command that drops tables."""


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service whose start drops tables by a command, and what code or settings of services do so."""
    for service in inventory.deployed_services:
        if not environments.is_for_developers(inventory, service) and not services.is_on_demand(service):
            yield from _of_command(inventory, service)
    for use in code_traits.of(inventory, "drop"):
        if not any(entry.name.endswith("_DDL_AUTO") for item in use.services for entry in item.environment):
            yield _of_code(use)


def _of_command(inventory: Inventory, service: Service) -> Iterator[Evidence]:
    changed = any(item.command != service.command for item in stacks.in_operation(inventory, service))
    for start in () if changed else starting.of(inventory, service):
        match = _DROPS.search(" ".join(start.words))
        if match and not _is_conditional(inventory, start):
            yield _evidence(service, start, match[0], match["option"] or "")
            return


def _is_conditional(inventory: Inventory, start: Start) -> bool:
    script = inventory.scripts_by_path.get(start.location.file) if start.followed else None
    commands = script.commands if script else ()
    return any(item.conditional and item.location == start.location for item in commands)


def _evidence(service: Service, start: Start, said: str, option: str) -> Evidence:
    instead = next(
        (better for word, better in _INSTEAD.items() if word in said), "<the command that applies migrations>"
    )
    tells = (
        "drops the tables at each start: after a deployment, a crash or a restart of the host the data is gone"
        if option != "--accept-data-loss"
        else "changes the schema at each start whatever data that costs: a version that renames a column empties it"
    )
    related = (Related(service.location, f"{service.name} starts so"),) if start.followed else ()
    return Evidence(
        f"{service.name} {tells} (`{said}`).",
        start.location,
        subject=f"{service.name}/drop",
        service=service.name,
        related=related,
        recommendation=f"Start {service.name} with `{instead}` instead.",
        example=files.into(start.location.file, instead),
    )


def _of_code(use: Use) -> Evidence:
    trait = use.trait
    name = code_traits.names([use])
    end = ", and when it stops" if trait.word == "ddl-auto: create-drop" else ""
    return Evidence(
        f"{name} drops its tables at each start{end} (`{trait.word}`), and the data in them.",
        trait.location,
        subject=f"{trait.location.file}/{trait.word}",
        service=code_uses.first_service([use]),
        confidence=Confidence.MEDIUM,
        recommendation=f"Take `{trait.word}` out of {trait.location.file}, and apply migrations instead.",
        example=files.into(trait.location.file, _settled(trait.location.file))
        if trait.word.startswith("ddl-auto")
        else f"<apply migrations before {name} starts>",
    )


def _settled(file: str) -> str:
    return "spring.jpa.hibernate.ddl-auto=validate" if file.endswith(".properties") else "ddl-auto: validate"
