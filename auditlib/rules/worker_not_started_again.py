"""A worker ends by itself after a while, and nothing starts it again.

Workers of PHP are told to end after some time or number of tasks, so that they let go of memory. That end is no
failure, the exit code is 0: with `on-failure` Docker and Swarm take the work as done. From then on nobody works on the
queue, and nothing says so.

Anti-pattern:

    worker:
      command: php artisan queue:work --max-time=3600
      deploy:
        restart_policy: {condition: on-failure}

Better:

    worker:
      command: php artisan queue:work --max-time=3600
      deploy:
        restart_policy: {condition: any}

Recommendation:

    Have it started again whatever it ends with: `condition: any`, or `restart: unless-stopped` for Compose.

References:

- https://laravel.com/docs/12.x/queues#the-queue-work-command
- https://docs.docker.com/reference/compose-file/deploy/#restart_policy
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_ENDS = regex(
    r"\b(?:artisan queue:work\b[^;&|\n]{0,200}?(?P<option>--max-(?:time|jobs))|"
    r"messenger:consume\b[^;&|\n]{0,200}?(?P<limit>--(?:time-limit|limit|memory-limit)))\b"
)
_GOES_ON = regex(r"\b(?:while|until|for|exit)\b|supervisord")
"""What starts the worker again itself, or ends with a status of its own."""


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service whose worker ends in good order, and that is started again only when it fails."""
    for service in inventory.deployed_services:
        text = " ".join((*service.entrypoint, *service.command))
        found = None if _GOES_ON.search(text) else _ENDS.search(text)
        if found and _only_on_failure(inventory, service):
            yield _evidence(inventory, service, found["option"] or found["limit"])


def _only_on_failure(inventory: Inventory, service: Service) -> bool:
    """Whether the policy that counts says so: `deploy` goes before `restart`, which a swarm doesn't look at."""
    alone = "" if stacks.in_swarm(inventory, service) else service.restart
    return (service.restart_condition or alone).startswith("on-failure")


def _evidence(inventory: Inventory, service: Service, option: str) -> Evidence:
    of_deploy = bool(service.restart_condition)
    better = "deploy:\n  restart_policy: {condition: any}" if of_deploy else "restart: unless-stopped"
    said = "`condition: any`" if of_deploy else "`restart: unless-stopped`"
    return Evidence(
        f"{service.name} ends by {option} with 0, and is started again only on failure: after that nobody works on its "
        "queue.",
        service.command_location or service.location,
        subject=f"{service.name}/ends",
        service=service.name,
        recommendation=f"Give {service.name} {said}.",
        severity=Severity.LOW if environments.is_for_developers(inventory, service) else None,
        confidence=None if stacks.in_swarm(inventory, service) or not of_deploy else Confidence.MEDIUM,
        example=compose_lines.of_service(service, better),
    )
