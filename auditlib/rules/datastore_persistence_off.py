"""A data store confirms data that it may still lose.

A Redis without the append-only file writes snapshots: between them everything is in memory alone, up to an hour of it
in the default configuration. For a cache that is right. For a queue of tasks, or sessions, each restart loses work.

Anti-pattern:

    redis:
      image: redis:7
      command: redis-server --save ""
    worker:
      environment: {CELERY_BROKER_URL: redis://redis:6379/1}

Better:

    redis:
      image: redis:7
      command: redis-server --appendonly yes --maxmemory-policy noeviction

Recommendation:

    Turn the append-only file on for a Redis that holds more than a cache, and leave `fsync` on in databases.

References:

- https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
- https://www.postgresql.org/docs/current/runtime-config-wal.html
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditlib.conventions import environments, kept_data, services, stacks
from auditlib.graph import DependencyGraph, Edge
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed, specified
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _durability as durability
from auditlib.rules._rule import Evidence, rule

_OFF = regex(r" --(?:appendonly[ =]\S+|save[ =](?:''|\"\"))")
_AGAIN = " As far as the code that is here tells, its schedule alone makes tasks, and makes lost ones again."


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every Redis that is a queue and keeps no log, and every database that is told not to write through."""
    for service, product in durability.stores(inventory):
        if environments.only_for_development(service):
            continue
        if product in services.REDIS:
            found = list(_queue(inventory, graph, service, product))
            yield from found or _empty_volume(inventory, service, product)
        for option in durability.careless_options(service):
            yield Evidence(
                f"{specified(service.name, product)} runs with {option}: after a crash confirmed data is missing or "
                "damaged.",
                service.command_location or service.location,
                subject=f"{service.name}/{option.partition('=')[0]}",
                service=service.name,
                recommendation=f"Remove {option} from the command of {service.name}.",
                severity=Severity.HIGH,
                change=(f" -c {option}", ""),
                example=compose_lines.of_service(service, _without(service, option)),
            )


def _empty_volume(inventory: Inventory, service: Service, product: str) -> Iterator[Evidence]:
    """A server that has a volume for its data and writes nothing to it; whether as a cache, the files don't say."""
    volume = kept_data.keeps_data(service, services.product(inventory, service))
    writes = stacks.somewhere(
        inventory, service, lambda item: durability.redis_persistence(inventory, item) in ("log", "snapshots")
    )
    if volume is None or writes or durability.redis_persistence(inventory, service) != "off":
        return
    yield Evidence(
        f"{specified(service.name, product)} has {volume.source} for its data and writes nothing there: with snapshots "
        "and the append-only file off all of it is lost at each restart, which is right for a cache alone.",
        service.command_location or service.image_location,
        subject=f"{service.name}/empty volume",
        service=service.name,
        related=(Related(volume.location, "what stays empty"),),
        recommendation=f"Let {service.name} write to disk, or take its volume away, so that nobody counts on it.",
        severity=Severity.LOW,
        example=compose_lines.of_service(service, _written(service)),
    )


def _written(service: Service) -> str:
    """The command as it is with the append-only file on."""
    return f"command: {_OFF.sub('', shlex.join(service.command))} --appendonly yes"


def _without(service: Service, option: str) -> str:
    """The command as it is without the option, and without the `-c` before it."""
    words = shlex.join(service.command)
    kept = words.replace(f" -c {option}", "").replace(f" {option}", "")
    return f"command: {kept}" if kept != words else ""


def _queue(inventory: Inventory, graph: DependencyGraph, service: Service, product: str) -> Iterator[Evidence]:
    users = durability.queue_users(inventory, graph, service)
    mode = durability.redis_persistence(inventory, service)
    keeps = stacks.somewhere(inventory, service, lambda item: durability.redis_persistence(inventory, item) == "log")
    if not users or mode not in ("off", "snapshots") or keeps:
        return
    if mode == "snapshots" and not kept_data.lasting(service):
        return  # they go into no volume, which is a finding of its own
    loss = "nothing is written to disk" if mode == "off" else "only snapshots are written, minutes to an hour apart"
    first = users[0][1]
    again = _is_scheduled(inventory, users)
    told = stacks.somewhere(inventory, service, lambda item: bool(item.command))
    server = f"{product.lower()}-server"
    what = first.attributes.get("variable") or "its address"
    yield Evidence(
        f"{specified(service.name, product)} holds the tasks of {listed(user.name for user, _ in users)} ({what}), and "
        f"keeps no append-only file: {loss}.{_AGAIN if again else ''}",
        service.command_location or service.image_location,
        subject=f"{service.name}/appendonly",
        service=service.name,
        related=tuple(
            Related(edge.location, f"{user.name} puts or takes tasks here")
            for user, edge in {user.name: (user, edge) for user, edge in reversed(users)}.values()
        ),
        recommendation=f"Start {service.name} with `--appendonly yes`, or move the tasks to a broker of their own.",
        severity=Severity.LOW if again else Severity.HIGH if mode == "off" else None,
        change=(f"{server} ", f"{server} --appendonly yes ") if service.command else ("", ""),
        example="\n".join(filter(None, (_switched_on(inventory, service, product), compose_lines.of_service(
            service,
            f"command: {server} --appendonly yes"
            + (f"  # and the options that stand in {_told_in(inventory, service)} now" if told else ""),
        )))),
    )  # fmt: skip


def _is_scheduled(inventory: Inventory, users: list[tuple[Service, Edge]]) -> bool:
    """Whether a schedule alone asks for tasks of Celery, as far as the code of all who use their queue is here, and
    variables of its broker lead them there; by another one they may leave other things.
    """
    here = bool(inventory.task_queues) and all(item.build and not item.build.outside for item, _ in users)
    told = {item.key for item, edge in users if "BROKER" in edge.attributes.get("variable", "").upper()}
    here = here and all(item.key in told for item, _ in users)
    kinds = {item.kind for item in inventory.task_options}
    return here and "schedule" in kinds and "sent" not in kinds


def _told_in(inventory: Inventory, service: Service) -> str:
    """The files that give a service a command."""
    places = [item.command_location for item in stacks.variants(inventory, service) if item.command]
    return listed(dict.fromkeys(place.file for place in places if place)) or service.location.file


def _switched_on(inventory: Inventory, service: Service, product: str) -> str:
    """What makes the file of the data that is there: a server that starts with the option passes over the snapshot."""
    if not kept_data.lasting(service):
        return ""
    call = f"{compose_lines.call(inventory, service.project)} exec {shlex.quote(service.name)}"
    return (
        "# first, while it runs without the option, so that it takes what a snapshot holds along (with `-a` and its "
        f"password, if it has one)\n{call} {product.lower()}-cli CONFIG SET appendonly yes"
    )
