"""What a data store promises about data that it has accepted, by its command and environment.

Sources: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/ (a Redis without configuration takes
snapshots only), https://www.postgresql.org/docs/current/runtime-config-wal.html, and the images' documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import images, mounts, server_traits, services
from auditlib.graph import DependencyGraph, Edge
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.patterns import regex
from auditlib.scraping import service_of

_QUEUE_VARIABLE = regex(r"BROKER|QUEUE|CELERY|SIDEKIQ|BULL|(?:^|_)RQ_|DRAMATIQ|HUEY|ARQ_|TASKS?_|JOBS?_", re.I)
_QUEUE_CHOICES = ("QUEUE_CONNECTION", "QUEUE_DRIVER")
"""Laravel's choice of a queue (https://laravel.com/docs/queues); the store has no address of its own for it."""
_RESULTS = regex(r"RESULT", re.I)
_SCHEDULER = regex(r"\bcelery\b.*\sbeat\b|\bceleryd?-?beat\b|\brqscheduler\b|\bschedule:(?:work|run)\b")
_WORKER = regex(
    r"\bcelery\b.*\bworker\b|\bdramatiq\b|\brq(?:\s+\S+)* worker\b|\brqworker\b|\bsidekiq\b|\bhuey_consumer\b|"
    r"\barq\s|\btaskiq worker\b|\bbullmq\b|\bresque\b|\bqueue:work\b|\bhorizon\b"
)
_TAKE_NO_FILE = frozenset({"redis", "valkey/valkey"})
"""Images whose server reads a file only if its command names it (https://hub.docker.com/_/redis)."""
_TAKE_ARGUMENTS = frozenset({"redis/redis-stack", "redis/redis-stack-server"})
"""Images whose server takes options from `REDIS_ARGS` (https://hub.docker.com/r/redis/redis-stack-server)."""
_LOGS = regex(r"--appendonly[ =]+[\"']?yes")
_SAVES_NOTHING = regex(r"--save[ =]+(?:\"\"|''|\s|$|--)")
_SETTINGS_FILE = regex(r"\.conf\b|\s(?:@|--include)\s")


def is_worker(inventory: Inventory, service: Service) -> bool:
    """Whether a service takes tasks from a queue, by its command or that of its image."""
    return bool(_WORKER.search(_started(inventory, service)))


def is_scheduler(inventory: Inventory, service: Service) -> bool:
    """Whether a service only starts others' tasks by the clock, of which there is to be one."""
    return bool(_SCHEDULER.search(_started(inventory, service)))


def is_celery_worker(inventory: Inventory, service: Service) -> bool:
    """Whether it takes tasks of Celery."""
    return is_worker(inventory, service) and "celery" in _started(inventory, service)


def _started(inventory: Inventory, service: Service) -> str:
    image = (word for command in services.commands(inventory, service) for word in command.words)
    return " ".join((*service.entrypoint, *service.command, *image))


def is_idle(inventory: Inventory, workers: list[Service]) -> bool:
    """Whether all of the code is here, as far as the workers' images tell, and none of it asks for a task."""
    here = bool(inventory.task_queues) and all(item.build and not item.build.outside for item in workers)
    return here and not any(item.kind in ("sent", "schedule") for item in inventory.task_options)


def queue_users(inventory: Inventory, graph: DependencyGraph, broker: Service) -> list[tuple[Service, Edge]]:
    """The services that use a data store as the queue of tasks, each with what says so."""
    node = graph.service(broker.project, broker.name)
    edges = graph.edges_to(node, "depends_on") if node else []
    found = [(user, edge) for edge in edges if (user := service_of(inventory, graph, edge.source))]
    told = [(user, edge) for user, edge in found if _is_queue(inventory, user, edge)]
    return told or [(user, edge) for user, edge in found if _hands_on(inventory, user, broker, edge)]


def _hands_on(inventory: Inventory, user: Service, broker: Service, edge: Edge) -> bool:
    """Whether the code of a service passes work on through the only Redis of its project, whatever names that."""
    if not any(item.kind == "queue" for item in inventory.server_traits) or not services.is_redis(inventory, broker):
        return False
    stores = [item for item in inventory.services_of(broker.project).values() if services.is_redis(inventory, item)]
    cache = edge.attributes.get("variable", "").startswith("CACHE")
    return len(stores) == 1 and not cache and bool(server_traits.of(inventory, user, "queue"))


def _is_queue(inventory: Inventory, user: Service, edge: Edge) -> bool:
    variable: str = edge.attributes.get("variable", "")
    if any(entry.name in _QUEUE_CHOICES and entry.value and entry.value.text == "redis" for entry in user.environment):
        return variable.startswith("REDIS")
    named = bool(_QUEUE_VARIABLE.search(variable)) and not _RESULTS.search(variable)
    return named or (is_worker(inventory, user) and edge.attributes["inferred"] and not variable.startswith("CACHE"))


def redis_persistence(inventory: Inventory, service: Service) -> str:
    """`log` (the append-only file), `snapshots`, `off`, or empty where what decides isn't known.

    Options of the command win over the file that it names.
    """
    text = " ".join((*service.entrypoint, *service.command))
    name = images.repository(service.image)
    if name in _TAKE_ARGUMENTS and (mode := _of_arguments(service)):
        return mode
    if service.build or "bitnami" in name or "dragonfly" in name or "stack" in name:
        return ""
    mode = "snapshots"
    if _SETTINGS_FILE.search(text):
        mode = _of_file(inventory, service)
    elif not (name in _TAKE_NO_FILE and not service.entrypoint) and _mounts_settings(service):
        return ""
    if mode and _LOGS.search(text):
        return "log"
    return "off" if mode == "snapshots" and _SAVES_NOTHING.search(f"{text} ") else mode


def _of_arguments(service: Service) -> str:
    """What the variable with the server's options says; empty where it leaves that to a file of the image."""
    told = next((item.value.text for item in service.environment if item.name == "REDIS_ARGS" and item.value), "")
    if _LOGS.search(told):
        return "log"
    return "off" if _SAVES_NOTHING.search(f"{told} ") else ""


def _mounts_settings(service: Service) -> bool:
    return any(mount.target.endswith(".conf") or "/etc/redis" in mount.target for mount in service.mounts)


def _of_file(inventory: Inventory, service: Service) -> str:
    """What the one file of the repository says that the command names; empty where it is another."""
    words = [part for word in (*service.entrypoint, *service.command) for part in word.split()]
    paths = {mounts.path_outside(service, word) for word in words if word.endswith(".conf")}
    found = [item.persistence for item in inventory.redis_files if item.path in paths]
    return found[0] if len(found) == len(paths) == 1 else ""


def careless_options(service: Service) -> Iterator[str]:
    """Options with which a database confirms what it has not written."""
    text = " ".join((*service.entrypoint, *service.command))
    for pattern in (r"fsync=(?:off|0|false)", r"full_page_writes=off", r"--nojournal"):
        if match := re.search(rf"(?<![\w]){pattern}", text):
            yield match[0]
    if match := re.search(r"innodb[-_]flush[-_]log[-_]at[-_]trx[-_]commit=0", text):
        yield match[0]


def stores(inventory: Inventory) -> Iterator[tuple[Service, str]]:
    """The services that are databases, caches or brokers, with the product's name."""
    for service in inventory.distinct_services:
        found = services.product(inventory, service)
        if found and found.kind in services.DATASTORES:
            yield service, found.name
