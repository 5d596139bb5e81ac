"""A deployment changes the database's schema and has made no copy before.

A migration that drops a column, or fails half way, can't be taken back by starting the old image: the data is gone, or
the old code doesn't fit the new schema. With a dump from right before it the way back is a restore; without one it is
the backup of last night, if there is one.

Anti-pattern:

    git pull
    docker compose run --rm api alembic upgrade head
    docker compose up -d

Better:

    git pull
    docker compose exec -T db pg_dump -Fc -U shop shop > "/var/backups/before-$(git rev-parse --short HEAD).dump"
    docker compose run --rm api alembic upgrade head
    docker compose up -d

Recommendation:

    Dump the database before the migration, and stop the deployment where the dump fails.

References:

- https://www.postgresql.org/docs/current/app-pgdump.html
- https://dev.mysql.com/doc/refman/8.4/en/mysqldump.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import backups, migrations, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.pipeline import on_servers
from auditlib.pipeline.on_servers import ServerText
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_DUMPS = {
    "PostgreSQL": "{} exec -T {} pg_dump -Fc -U <user> <database> > <a folder outside>/before.dump",
    "MySQL": "{} exec -T {} mysqldump --single-transaction <database> > <a folder outside>/before.sql",
    "MariaDB": "{} exec -T {} mariadb-dump --single-transaction <database> > <a folder outside>/before.sql",
}


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for the scripts and servers' commands that migrate and dump nothing before."""
    stores = {kind: name for name, kind in _stores(inventory)}
    found = [(text, item) for text in on_servers.texts(inventory) if not text.starts and (item := _bare(text))]
    if found and stores:
        yield _evidence(found, stores)


def _stores(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """The databases that the repository runs, by the service's name and the product's."""
    for service in inventory.deployed_services:
        kind = services.product(inventory, service)
        if kind and kind.name in _DUMPS:
            yield service.name, kind.name


def _bare(text: ServerText) -> Command | None:
    """The first command of a text that migrates, if nothing before it makes a copy."""
    for command in text.commands:
        said = " ".join(command.words)
        if backups.dump(command) or backups.SCRIPT_NAME.search(said) or "snapshot" in said:
            return None
        if migrations.applies(said):
            return command
    return None


def _compose(text: ServerText) -> str:
    """Compose as these commands call it, with the files and the project that they name."""
    calls = (call for item in text.commands if (call := compose_command.of(item.words)))
    return " ".join(("docker compose", *next((call.options for call in calls), ())))


def _evidence(found: list[tuple[ServerText, Command]], stores: dict[str, str]) -> Evidence:
    (text, first), *others = found
    kind = next(iter(stores))
    more = (
        f", and so {'does' if len(others) == 1 else 'do'} {listed(item.called for item, _ in others)}" if others else ""
    )
    return Evidence(
        f"{text.opening} migrates the database ({kind}) and makes no dump before{more}: a migration that "
        "drops what was needed can't be taken back.",
        first.location,
        subject="migration",
        related=tuple(Related(item.location, "migrates without a dump too", member=True) for _, item in others),
        recommendation=f"Dump {stores[kind]} in {text.path} before the migration, and stop where the dump fails.",
        example=files.into(text.path, f"{_DUMPS[kind].format(_compose(text), stores[kind])}\n<the migration>"),
    )
