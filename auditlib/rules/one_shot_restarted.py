"""A task that ends is started again for ever.

`restart: always` and `unless-stopped` start a container again whatever it ended with. A migration or the creation of a
bucket that did its work runs again at once, and again, with a longer pause each time up to a minute: the logs fill up,
a task that isn't harmless twice does harm, and what waits with `service_completed_successfully` never starts.

Anti-pattern:

    services:
      migrate:
        build: ./api
        command: alembic upgrade head
        restart: unless-stopped

Better:

    services:
      migrate:
        build: ./api
        command: alembic upgrade head
        restart: on-failure

Recommendation:

    Let a task that ends start again after a failure at most (`restart: on-failure` or `"no"`).

References:

- https://docs.docker.com/reference/compose-file/services/#restart
- https://docs.docker.com/engine/containers/start-containers-automatically/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Dependency, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_ALWAYS = frozenset({"always", "unless-stopped"})
_ENDS = regex(
    r"^(?:[\w./-]*/)?(?:"
    r"(?:python3? -m )?alembic upgrade\b.*|(?:python3? (?:-\w )?)?\S*manage\.py (?:migrate|collectstatic|loaddata|"
    r"createsuperuser)\b.*|(?:npx (?:--\S+ )?|pnpm (?:exec |dlx )?|yarn )?prisma (?:migrate deploy|db (?:push|seed))\b"
    r".*|php artisan (?:migrate|db:seed)\b.*|(?:bundle exec )?rails db:\S+.*|flyway\b.* migrate\b.*|"
    r"liquibase\b.* update\b.*|goose\b.* up\b.*|(?:go-)?migrate\b.* up\b.*|dbmate\b.* (?:up|migrate)\b.*|"
    r"atlas migrate apply\b.*|"
    r"mc (?:mb|alias|anonymous|policy|admin (?!trace|logs|console|top)\S+|cp|mirror(?!.* (?:-w|--watch)\b)|version|ilm|"
    r"ls|event)\b.*|"
    r"kafka-topics(?:\.sh)? .*--create\b.*|typeorm\b.* migration:run\b.*|sequelize\b.* db:migrate\b.*|"
    r"knex migrate:latest\b.*|exit(?: 0)?|echo\b.*|true)$"
)
"""Commands after which nothing is left to do."""
_STAYS = regex(r"\b(?:while|until|sleep|tail|wait|cron|crond|supercronic|serve|server|watch|exec)\b|&\s*$")


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service whose last command does its work and ends, and that is to run all the time."""
    for service in inventory.deployed_services:
        policy = service.restart_condition or "any"  # Compose takes `deploy.restart_policy` before `restart`
        if service.restart not in _ALWAYS or policy != "any" or not service.commands or service.ports:
            continue
        last = _last(service) if _runs_command(inventory, service) else ""
        if last and not environments.is_for_developers(inventory, service):
            yield _evidence(inventory, service, last)


def _builder(inventory: Inventory, service: Service) -> Service:
    """The service whose build makes the image that this one runs."""
    return service if service.build else inventory.image_builders.get((service.project, service.image), service)


def _runs_command(inventory: Inventory, service: Service) -> bool:
    """Whether the command is what runs last: the entry point of the image, where there is one, hands over to it."""
    _, steps = services.built_from(inventory, _builder(inventory, service))
    entry = next((item for item in reversed(steps) if item.keyword == "ENTRYPOINT"), None)
    if service.entrypoint or service.clears_entrypoint or entry is None or not entry.words:
        return True
    name = entry.words[-1].rpartition("/")[2]
    script = next((item for item in inventory.scripts if item.path.rpartition("/")[2] == name), None)
    return script is not None and script.commands[-1:] != () and script.commands[-1].words == ("exec", "$@")


def _is_known(inventory: Inventory, service: Service) -> bool:
    """Whether the files tell what the container starts by: Compose's entry point, or a Dockerfile."""
    told = bool(service.entrypoint) or service.clears_entrypoint
    return told or services.dockerfile(inventory, _builder(inventory, service)) is not None


def _last(service: Service) -> str:
    """The command with which the service ends; empty if that isn't known to end, or something before it stays."""
    text = " ".join((*service.entrypoint, *service.command))
    if _STAYS.search(text):
        return ""
    called = [" ".join(item.words) for item in service.commands if not _is_shell(item)]
    return called[-1] if called and all(map(_ENDS.match, called)) and not all(map(_is_idle, called)) else ""


def _is_shell(command: Command) -> bool:
    return command.words[0].rpartition("/")[2] in ("sh", "bash", "ash", "set", "export", "cd")


def _is_idle(text: str) -> bool:
    return text.startswith(("echo", "exit", "true"))


def _evidence(inventory: Inventory, service: Service, last: str) -> Evidence:
    waiting = list(_waiting(inventory, service))
    names = listed(item.name for item, _ in waiting)
    stuck = (
        f" {names} {'waits' if len(waiting) == 1 else 'wait'} until it has ended, which it never has."
        if waiting
        else ""
    )
    done = last if len(last) < 60 else " ".join(last.split()[:3]) + " …"
    known = _is_known(inventory, service)
    unless = "" if known else ", unless the entry point of its image does more"
    return Evidence(
        f"{service.name} ends when `{done}` is done{unless}, and `restart: {service.restart}` starts it again, for "
        f"ever.{stuck}",
        service.command_location or service.location,
        subject=f"{service.name}/restart",
        service=service.name,
        related=tuple(Related(place.location, f"{item.name} waits for its end") for item, place in waiting),
        recommendation=f"Set `restart: on-failure` for {service.name}, which is a task and no server.",
        severity=Severity.HIGH if waiting else None,
        confidence=None if known else Confidence.MEDIUM,
        example=compose_lines.of_service(service, "restart: on-failure"),
    )


def _waiting(inventory: Inventory, service: Service) -> Iterator[tuple[Service, Dependency]]:
    for item in inventory.services_of(service.project).values():
        for waits in item.dependencies:
            if waits.service == service.name and waits.condition == "service_completed_successfully":
                yield item, waits
