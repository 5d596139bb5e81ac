"""The database is migrated twice at a deployment, at the same time.

A container migrates as it starts, and the deployment's script calls the migration again right after `up -d`. Both look
at the same version and apply the same step: the second fails on a table that is there already, or waits for a lock, and
whether the deployment is reported as failed is a matter of luck.

Anti-pattern:

    # compose.yaml: command: sh -c "python manage.py migrate && gunicorn shop.wsgi"
    docker compose up -d
    docker compose exec -T web python manage.py migrate

Better:

    docker compose run --rm web python manage.py migrate
    docker compose up -d

Recommendation:

    Migrate at one place: in a step of its own before the new version starts.

References:

- https://docs.docker.com/compose/how-tos/startup-order/
- https://docs.djangoproject.com/en/5.2/topics/migrations/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import migrations, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.pipeline import on_servers
from auditlib.pipeline.on_servers import ServerText
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_Start = tuple[str, Command]


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service, or entry point, that migrates by itself and is started by texts that migrate again."""
    again = [
        (text, found)
        for text in on_servers.texts(inventory)
        if not text.starts and (found := _after_start(inventory, text))
    ]
    told: set[str] = set()
    for start in _starting(inventory) if again else ():
        tool = _tool(start[1])
        mine = [(text, command) for text, command in again if _tool(command) == tool]
        if mine and tool not in told:
            told.add(tool)
            yield _evidence(mine, start)


def _after_start(inventory: Inventory, text: ServerText) -> Command | None:
    """The command that migrates after services were started for good, and not the data stores alone."""
    products = ((item.name, services.product(inventory, item)) for item in inventory.services)
    stores = {name for name, product in products if product and product.kind in services.DATASTORES}
    started = False
    for command in text.commands:
        call = compose_command.of(command.words)
        if call and call.verb in ("up", "restart"):
            started = started or not call.services or not stores.issuperset(call.services)
        elif started and _tool(command):
            return command
    return None


def _starting(inventory: Inventory) -> Iterator[_Start]:
    """What services, or the scripts that they start by, call to migrate."""
    for service in (item for item in inventory.deployed_services if not item.profiles):
        for command in services.commands(inventory, service):
            if _tool(command):
                yield service.name, command
    scripts = on_servers.entry_scripts(inventory)
    for path in sorted(scripts):
        for command in inventory.scripts_by_path[path].commands:
            if _tool(command) and not command.conditional:
                yield path, command


def _tool(command: Command) -> str:
    """The program by which a command migrates; empty where it doesn't."""
    said = " ".join(command.words)
    names = ("alembic", "manage.py", "artisan", "prisma", "typeorm", "knex", "flyway", "db:migrate", "flask")
    return next((name for name in names if name in said), "") if migrations.applies(said) else ""


def _evidence(again: list[tuple[ServerText, Command]], start: _Start) -> Evidence:
    (text, command), *others = again
    name, first = start
    said = " ".join(command.words)
    return Evidence(
        f"{text.opening} migrates by `{said[said.index(_tool(command)) :][:60]}` right after it has started {name}, "
        "which migrates as it starts: both apply the same steps at the same time.",
        command.location,
        subject=f"{text.path}/{_tool(command)}",
        related=(
            Related(first.location, f"{name} migrates here"),
            *(Related(item.location, "migrates again too", member=True) for _, item in others),
        ),
        recommendation=f"Leave the migration out of one of them: {text.path} or {first.location.file}.",
        example=files.into(text.path, "docker compose run --rm <the service> <the migration>\ndocker compose up -d"),
    )
