"""A worker that dies takes the task that it works on along.

Celery acknowledges a task when a worker takes it, before it is done: a worker that is killed, by a deployment or for
want of memory, loses what it held. So does a consumer of RabbitMQ or NATS whose messages count as done when they are
handed out. With late acknowledgement a task whose own process is killed is taken for done as well, unless
`task_reject_on_worker_lost` is set; and a task without a time limit that hangs keeps its place for ever. A broker that
keeps its queue in memory loses those that waited as well. Dramatiq acknowledges late by itself, RQ and arq keep a list
of what was begun, and of other queues no setting is read.

Anti-pattern:

    app.conf.update(task_serializer="json")        # acknowledged early, by default
    redis: {image: redis:7}                        # the broker, without an append-only file

Better:

    app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1)
    redis: {command: redis-server --appendonly yes}

Recommendation:

    Acknowledge late, make the tasks idempotent, since they may then run twice, and let the broker write its queue to
    disk.

References:

- https://docs.celeryq.dev/en/stable/userguide/configuration.html#std-setting-task_acks_late
- https://docs.celeryq.dev/en/stable/faq.html#should-i-use-retry-or-acks-late
- https://www.rabbitmq.com/docs/confirms#acknowledgement-modes
"""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import code_traits, environments, images, kept_data, mounts, services, stacks, starting
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.inventory.tasks import TaskQueue
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _durability as durability
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_WORKER = regex(r"\bcelery\b.*\bworker\b")
_TAKES_TASKS = regex(r"worker|celery|queue|tasks?\b|jobs?\b", re.I)
"""What a service is called, or tells the script that several services of one image start with."""
_SERVES = regex(r"\b(?:gunicorn|uvicorn|hypercorn|daphne|uwsgi|runserver)\b")
_OTHER_POOL = regex(r"(?:--pool[= ]|-P ?)(?:solo|threads|gevent|eventlet)\b")
_LATER = {
    "auto_ack=True": "auto_ack=False", "no_ack=True": "no_ack=False", "noAck: true": "noAck: false",
    "autoAck": "false,  // autoAck", "AckNone": "nats.AckExplicit()", "AckPolicy.None": "AckPolicy.Explicit",
    "noack=True": "noack=False", "NOACK: true": "NOACK: false",
    "AcknowledgeMode.NONE": "AcknowledgeMode.AUTO", "no_ack": "false,  // no_ack",
}  # fmt: skip
"""What stands there instead, by what code says."""
_LATE = "{}.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)"


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project the workers of Celery whose tasks are acknowledged early, with the broker that forgets; or late,
    and lost with their process."""
    yield from _taken_early(inventory)
    late = next((queue.location for queue in inventory.task_queues if queue.acknowledges_late), None)
    if late:
        yield from _lost(inventory, late)
        return
    brokers = _forgetful(inventory, graph)
    declared = stacks.by_project(inventory.distinct_services)
    for project in inventory.projects:
        own = declared.get(project.name, [])
        workers = [item for item in own if _works(inventory, item)]
        apps = _started(inventory, workers)
        forgetful = list(dict.fromkeys(broker for item in workers for broker in brokers[item.project, item.name]))
        if workers and (apps or forgetful):
            yield _evidence(project.name, workers, apps, forgetful, idle=durability.is_idle(inventory, workers))


def _taken_early(inventory: Inventory) -> Iterator[Evidence]:
    """For each way in which code has messages count as done when it gets them one finding, queues of its own aside."""
    own = {item.location.file for item in inventory.code_traits if item.kind == "own queue"}
    ways: defaultdict[str, list[Use]] = defaultdict(list)
    for use in code_traits.of(inventory, "taken early"):
        if use.trait.location.file not in own:
            ways[use.trait.word].append(use)
    for word, uses in ways.items():
        several = len({item.key for use in uses for item in use.services}) > 1
        place = uses[0].trait.location
        yield Evidence(
            f"{code_traits.names(uses)} {'take' if several else 'takes'} messages that count as done the moment that "
            f"they are handed out (`{word}`): what is at hand when the process ends is lost, unless nobody misses it.",
            place,
            subject=f"acknowledgement/{word}",
            service=code_uses.first_service(uses),
            related=code_uses.members(uses, "the same here"),
            recommendation=f"Acknowledge each message in {place.file} once the work is done.",
            example=files.into(place.file, f"{_LATER[word]}   # and acknowledge when the work is done"),
        )


def _started(inventory: Inventory, workers: list[Service]) -> list[TaskQueue]:
    """The places that set up Celery: first those of what the workers are built from, and of the module they start."""
    commands = [command.words for item in workers for command in services.commands(inventory, item)]
    asked = {words[at + 1] for words in commands for at, word in enumerate(words[:-1]) if word in ("-A", "--app")}
    ends = tuple(f"/{name.partition(':')[0].replace('.', '/')}" for name in asked)
    folders = {item.build.context for item in workers if item.build and not item.build.outside}

    def order(queue: TaskQueue) -> bool:
        module = f"/{queue.location.file.removesuffix('.py').removesuffix('/__init__')}"
        return not module.endswith(ends)

    built = [queue for queue in inventory.task_queues if any(_holds(folder, queue) for folder in folders)]
    known = bool(workers) and all(_is_whole(item) for item in workers)
    return sorted(built if known else inventory.task_queues, key=lambda queue: (queue not in built, order(queue)))


def _is_whole(service: Service) -> bool:
    """Whether all of a service's code is in the folder that it is built from, which no mount lies over."""
    here = service.build is not None and not service.build.outside
    return here and not any(mount.kind == "bind" for mount in service.mounts)


def _holds(folder: str, queue: TaskQueue) -> bool:
    return mounts.is_below(queue.location.file, "" if folder == "." else folder)


def _lost(inventory: Inventory, late: Location) -> Iterator[Evidence]:
    """The workers whose tasks are acknowledged late, and are gone when the kernel kills their process."""
    kinds = {item.kind for item in inventory.task_options}
    workers = [item for item in inventory.distinct_services if _works(inventory, item) and not _is_alone(item)]
    if not workers or "lost" in kinds:
        return
    limited = "limit" in kinds or any("time-limit" in " ".join(item.command) for item in workers)
    endless = "" if limited else ", and one that hangs is never ended, as there is no time limit"
    options = "task_reject_on_worker_lost=True" + ("" if limited else ", task_time_limit=<seconds of the longest task>")
    named = [item for item in inventory.task_queues if item.name]
    here = [item for item in named if item.location.file == late.file] or (named if len(named) == 1 else [])
    file, name = (here[0].location.file, here[0].name) if here else (late.file, "<the application>")
    some = "Some tasks" if any(item.acknowledges_late is False for item in inventory.task_queues) else "Tasks"
    yield Evidence(
        f"{some} of Celery are acknowledged late, and nothing sets task_reject_on_worker_lost: one whose process is "
        f"killed for want of memory fails and isn't tried again{endless}.",
        late,
        subject="tasks/lost",
        related=tuple(
            Related(item.command_location or item.location, f"{item.name} takes tasks")
            for item in workers
            if durability.is_celery_worker(inventory, item)
        ),
        recommendation="Set task_reject_on_worker_lost for tasks that may run twice"
        + ("." if limited else ", and task_time_limit for all."),
        severity=Severity.LOW,
        example=files.into(file, f"{name}.conf.update({options})"),
    )


def _is_alone(service: Service) -> bool:
    """Whether a worker has no processes of its own that it could lose and outlive, nor end for want of time."""
    return bool(_OTHER_POOL.search(" ".join((*service.entrypoint, *service.command))))


def _works(inventory: Inventory, service: Service) -> bool:
    """Whether a service may take tasks of Celery: it is told to, or its script decides."""
    if environments.only_for_development(service):
        return False
    if durability.is_celery_worker(inventory, service):
        return True
    started = [" ".join(start.words) for start in starting.of(inventory, service) if start.followed]
    called = " ".join((service.name, service.container_name, *service.entrypoint, *service.command))
    alone = not any(map(_SERVES.search, started))
    return (alone or bool(_TAKES_TASKS.search(called))) and any(map(_WORKER.search, started))


def _forgetful(inventory: Inventory, graph: DependencyGraph) -> defaultdict[tuple[str, str], list[Service]]:
    """The brokers that lose their queue at a restart, by the project and name of the services that use them."""
    found: defaultdict[tuple[str, str], list[Service]] = defaultdict(list)
    for service, product in durability.stores(inventory):
        written = durability.redis_persistence(inventory, service) if product in services.REDIS else ""
        early = written in ("off", "snapshots")
        kind = services.product(inventory, service)
        volatile = product == "RabbitMQ" and kept_data.keeps_data(service, kind) is None
        if early or volatile:
            for user, _ in durability.queue_users(inventory, graph, service):
                found[user.project, user.name].append(service)
    return found


def _settings(apps: list[TaskQueue], brokers: list[Service]) -> str:
    """Late acknowledgement in the code, and a queue that is on disk."""
    name = (apps[0].name if apps else "") or "<the application>"
    code = files.into(apps[0].location.file if apps else "<where Celery is configured>", _LATE.format(name))
    broker = next((item for item in brokers if images.repository(item.image) == "redis"), None)
    kept = "  # and the options that stand there now" if broker and broker.command else ""
    command = f"command: redis-server --appendonly yes{kept}"
    if broker is None:
        return code
    if any(mounts.is_below("/data", mount.target) for mount in kept_data.lasting(broker)):
        return f"{code}\n{compose_lines.of_service(broker, command)}"
    volume = f"{broker.name}-data"
    lines = textwrap.indent(compose_lines.of_service(broker, f"{command}\nvolumes: [{volume}:/data]"), "  ")
    return f"{code}\nservices:\n{lines}\nvolumes:\n  {volume}:"


def _unset(apps: list[TaskQueue]) -> str:
    return (
        "task_acks_late is off"
        if any(item.acknowledges_late is False for item in apps)
        else "nothing sets task_acks_late"
    )


def _evidence(
    project: str, workers: list[Service], apps: list[TaskQueue], brokers: list[Service], *, idle: bool
) -> Evidence:
    names = listed(item.name for item in workers)
    first = workers[0]
    early = (
        f"{_unset(apps)}: a task is acknowledged before it is done"
        if apps
        else "tasks are acknowledged before they are done, unless code outside the repository sets task_acks_late"
    )
    queue = f", and {listed(item.name for item in brokers)} may lose the tasks that wait" if brokers else ""
    unused = " No code of the repository asks for a task yet." if idle else ""
    place = first.command_location or first.location
    return Evidence(
        f"{names} {'loses' if len(workers) == 1 else 'lose'} the task at hand when killed: {early}{queue}.{unused}",
        apps[0].location if apps else place,
        subject=f"{project}/tasks",
        service=first.name,
        related=(
            *(
                Related(item.command_location or item.location, f"{item.name} takes tasks", member=True)
                for item in workers
            ),
            *(Related(item.location, f"{item.name} keeps no log of its queue") for item in brokers),
        ),
        recommendation="Set task_acks_late and task_reject_on_worker_lost for Celery where tasks may run twice"
        + (f", and let {brokers[0].name} write its queue to disk." if brokers else "."),
        severity=None if brokers and not idle else Severity.LOW,
        confidence=None if apps else Confidence.LOW,
        example=_settings(apps, brokers),
    )
