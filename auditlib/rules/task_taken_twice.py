"""A task that is still at work is given to a second worker.

The queue takes a task for lost when nobody has said within a time that it is done: `retry_after` of Laravel,
`visibility_timeout` of Celery on Redis, an hour by default. Where tasks may take longer than that, the slow ones run
twice at the same time, mails go out twice, and customers are charged twice; only under load, when tasks are slow.

Anti-pattern:

    'retry_after' => 90,                                    // config/queue.php
    command: php artisan queue:work --timeout=120

Better:

    'retry_after' => 150,
    command: php artisan queue:work --timeout=120

Recommendation:

    Keep the time after which a queue takes a task for lost above the longest that a task may take.

References:

- https://laravel.com/docs/queues#job-expirations-and-timeouts
- https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/redis.html#visibility-timeout
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from auditlib.conventions import services, starting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.tasks import QueueName
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TIMEOUT = regex(r"\bqueue:(?:work|listen)\b.{0,300}?--timeout[= ](\d{1,7})\b")
_LINES = {
    "Laravel": "'retry_after' => {},",
    "Celery": 'app.conf.broker_transport_options = {{"visibility_timeout": {}}}',
}
_SPARE = 30
_USUAL = 3600
"""Seconds of Celery's visibility timeout on Redis, where nothing is said."""


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For Laravel and Celery the longest that a task may take, if the queue takes it for lost before."""
    known = {item.role for item in inventory.queue_names}
    if known.isdisjoint(("timeout", "retry after")):
        return
    for system in ("Laravel", "Celery"):
        longest = max(_timeouts(inventory, system), key=lambda item: item[0], default=None)
        lost = _lost(inventory, system)
        if longest and lost and longest[0] >= lost[0] > 0:
            yield _evidence(system, longest, lost)


def _seconds(item: QueueName) -> int:
    return math.prod(int(part) for part in item.name.split("*"))


def _of(inventory: Inventory, system: str, role: str) -> list[tuple[int, Location]]:
    return [
        (_seconds(item), item.location) for item in inventory.queue_names
        if (item.system, item.role) == (system, role)
    ]  # fmt: skip


def _timeouts(inventory: Inventory, system: str) -> Iterator[tuple[int, Location]]:
    """How long tasks may take, by the code and by the commands of workers."""
    yield from _of(inventory, system, "timeout")
    for service in inventory.deployed_services if system == "Laravel" else ():
        for start in starting.of(inventory, service):
            if match := _TIMEOUT.search(" ".join(start.words)):
                yield int(match[1]), start.location


def _lost(inventory: Inventory, system: str) -> tuple[int, Location | None] | None:
    """After how long the queue takes a task for lost; of several connections the longest."""
    if found := _of(inventory, system, "retry after"):
        return None if _is_told(inventory) else max(reversed(found), key=lambda item: item[0])
    late = any(item.acknowledges_late for item in inventory.task_queues)
    stores = {kind.name for item in inventory.deployed_services if (kind := services.product(inventory, item))}
    on_redis = bool(stores & services.REDIS) and "RabbitMQ" not in stores
    return (_USUAL, None) if system == "Celery" and late and on_redis else None


def _is_told(inventory: Inventory) -> bool:
    """Whether a variable sets the time in the place of the code's default."""
    entries = (entry.name for item in inventory.services for entry in item.environment)
    lines = (line.name for file in inventory.env_files for line in file.lines)
    return any(name.endswith("RETRY_AFTER") for names in (entries, lines) for name in names)


def _evidence(system: str, longest: tuple[int, Location], lost: tuple[int, Location | None]) -> Evidence:
    seconds, place = longest
    name = "retry_after" if system == "Laravel" else "visibility_timeout"
    usual = "" if lost[1] else ", its default"
    wanted = seconds + _SPARE
    file = lost[1].file if lost[1] else place.file
    return Evidence(
        f"A task of {system} may take {seconds} s, and after {lost[0]} s ({name}{usual}) the queue gives it to another "
        f"worker: a slow one runs twice at the same time{', unless it is taken off the queue first' if usual else ''}.",
        place,
        subject=f"{system}/{name}",
        related=(Related(lost[1], f"{name} is {lost[0]} s"),) if lost[1] else (),
        confidence=Confidence.MEDIUM if usual else None,  # tasks may be acknowledged late one by one
        recommendation=f"Set {name} above {seconds} s in {file}, or let tasks take less.",
        example=files.into(file, _LINES[system].format(wanted)),
    )
