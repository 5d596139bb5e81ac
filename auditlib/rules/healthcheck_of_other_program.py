"""A container is asked for a web page that its command doesn't serve.

The HEALTHCHECK of an image goes into every container made from it. One that asks a port by HTTP suits the web server;
a worker that is started from the same image with another command listens on nothing, and counts as unhealthy for ever:
whoever waits for its health waits in vain, and a real failure of it looks the same as every day.

Anti-pattern:

    # Dockerfile
    HEALTHCHECK CMD curl -f http://localhost:8000/health
    # compose.yaml
    worker:
      build: .
      command: celery -A app worker

Better:

    worker:
      build: .
      command: celery -A app worker
      healthcheck:
        test: ["CMD-SHELL", "celery -A app inspect ping -d celery@$$HOSTNAME"]

Recommendation:

    Give each service that doesn't serve HTTP a health check of its own, or disable the one of its image.

References:

- https://docs.docker.com/reference/dockerfile/#healthcheck
- https://docs.docker.com/reference/compose-file/services/#healthcheck
- https://docs.celeryq.dev/en/stable/userguide/monitoring.html#commands
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, listening, probes
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _durability as durability
from auditlib.rules._rule import Evidence, rule

_ROLE = regex(r"(?:^|[\s/_:.-])(?:workers?|beat|scheduler|consumer)(?=$|[\s_:.-])")
_SERVES = regex(
    r"\b(?:gunicorn|uvicorn|hypercorn|daphne|waitress|runserver|flask|fastapi|nginx|httpd|flower|http|https|serve|server|"
    r"web|api|metrics)\b|--port|--bind|[&;|]"
)
_CLIENTS = frozenset({"curl", "wget"})


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each HEALTHCHECK that asks for a web page one finding, with the workers that have no check of their own."""
    asked: defaultdict[Location, list[Service]] = defaultdict(list)
    for service in inventory.distinct_services:
        place = _web_check(inventory, service) if _only_works(inventory, service) else None
        if place and not environments.only_for_development(service):
            asked[place].append(service)
    for place, workers in asked.items():
        yield _evidence(inventory, place, workers)


def _only_works(inventory: Inventory, service: Service) -> bool:
    """Whether a service is told to work on tasks, and nothing says that it serves anything."""
    words = (*service.entrypoint, *service.command)
    text = " ".join(words)
    if not service.command or service.ports or service.expose or listening.in_command(words) or _SERVES.search(text):
        return False
    return durability.is_worker(inventory, service) or bool(_ROLE.search(text))


def _web_check(inventory: Inventory, service: Service) -> Location | None:
    """Where its image says that the service is asked for a web page."""
    probe = None if service.healthcheck else probes.of(inventory, service)
    if probe is None or not probes.ports(probe):
        return None
    programs = {command.words[0].rpartition("/")[2] for command in probe.commands if command.words}
    return probe.location if programs & _CLIENTS else None


def _evidence(inventory: Inventory, place: Location, workers: list[Service]) -> Evidence:
    first, *others = workers
    names = listed(item.name for item in workers)
    waited = any(
        item.service in {one.name for one in workers} and item.condition == "service_healthy"
        for service in inventory.services_of(first.project).values()
        for item in service.dependencies
    )
    is_one = not others
    return Evidence(
        f"{names} {'is' if is_one else 'are'} asked for a web page by the HEALTHCHECK of {place.file}, and "
        f"{'starts with a command that serves' if is_one else 'start with commands that serve'} none: unless "
        f"{'its' if is_one else 'their'} code opens the port as well, Docker calls {'it' if is_one else 'them'} "
        "unhealthy for ever.",
        first.command_location or first.location,
        subject=f"{first.project}/{first.name}/web-check",
        service=first.name,
        related=(
            Related(place, "the health check"),
            *(
                Related(item.command_location or item.location, f"{item.name} works too", member=True)
                for item in others
            ),
        ),
        severity=Severity.HIGH if waited else None,
        recommendation=f"Give {names} a check that asks the program itself, or `healthcheck: {{disable: true}}`.",
        example="\n".join(compose_lines.of_service(item, _own_check(inventory, item)) for item in workers),
    )


def _own_check(inventory: Inventory, service: Service) -> str:
    if durability.is_celery_worker(inventory, service):
        words = [word for text in service.command for word in text.split()]
        app = words[words.index("-A") + 1] if "-A" in words[:-1] else "<application>"
        test = f'["CMD-SHELL", "celery -A {app} inspect ping -d celery@$$HOSTNAME"]'
        return f"healthcheck:\n  test: {test}"
    return "healthcheck:\n  disable: true"
