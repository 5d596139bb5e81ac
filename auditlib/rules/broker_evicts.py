"""A queue drops tasks when its memory is full.

With an `allkeys-…` policy Redis throws away whatever it likes to make room, and a queue is a key like any other. Under
load, when tasks pile up, they vanish: nothing fails, and whoever waits for the mail or the invoice waits for ever.

Anti-pattern:

    redis:
      image: redis:8
      command: redis-server --maxmemory 256mb --maxmemory-policy allkeys-lru
    worker:
      command: celery -A shop worker
      environment: {CELERY_BROKER_URL: redis://redis:6379/0}

Better:

    redis:
      command: redis-server --maxmemory 256mb --maxmemory-policy noeviction

Recommendation:

    Let the store of a queue refuse what it has no room for (`noeviction`), and keep a cache that may forget in another.

References:

- https://redis.io/docs/latest/develop/reference/eviction/
- https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/redis.html#key-eviction
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _durability as durability
from auditlib.rules._rule import Evidence, rule

_POLICY = regex(r"--maxmemory-policy[ =]+[\"']?(?P<policy>allkeys-\w+)")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every store that is told to make room at the cost of any key, and that services queue their tasks in."""
    for service, _ in durability.stores(inventory):
        told = [(item, match["policy"]) for item in stacks.in_operation(inventory, service) if (match := _policy(item))]
        users = durability.queue_users(inventory, graph, service) if told else []
        if told and users:
            yield _evidence(*told[0], {user.name: edge.location for user, edge in users})


def _policy(service: Service) -> re.Match[str] | None:
    return _POLICY.search(" ".join((*service.entrypoint, *service.command)))


def _evidence(service: Service, policy: str, users: dict[str, Location]) -> Evidence:
    return Evidence(
        f"{service.name} makes room by {policy}, and holds the queue of {listed(users)}: when its memory is full, "
        "tasks that wait are thrown away.",
        service.command_location or service.location,
        subject=f"{service.name}/{policy}",
        service=service.name,
        related=tuple(Related(place, f"{name} queues its tasks there") for name, place in users.items()),
        recommendation=f"Start {service.name} with `--maxmemory-policy noeviction`, or, if it is a cache too, give the "
        "queue a store of its own.",
        change=(policy, "noeviction"),
        example=compose_lines.of_service(
            service, "command: redis-server --maxmemory-policy noeviction  # and the options that stand there now"
        ),
    )
