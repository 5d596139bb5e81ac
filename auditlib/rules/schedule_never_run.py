"""Code says when tasks are to run, and nothing that is deployed looks at the clock.

Celery's schedule is read by `celery beat`, Laravel's by `schedule:run` once a minute or `schedule:work`. Without such a
process the tasks that are believed to run each night, backups, reports, the deletion of old data, never run, and no
error says so.

Anti-pattern:

    app.conf.beat_schedule = {"clean-up": {"task": "shop.tasks.clean_up", "schedule": crontab(hour=3)}}
    worker: {command: celery -A shop worker}     # and no beat

Better:

    worker: {command: celery -A shop worker}
    beat: {command: celery -A shop beat --schedule /data/celerybeat-schedule}

Recommendation:

    Start one process that runs the schedule.

References:

- https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html#starting-the-scheduler
- https://laravel.com/docs/scheduling#running-the-scheduler
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import code_traits, deployment, starting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _durability as durability
from auditlib.rules._rule import Evidence, rule

_RUNS = regex(r"\bcelery\b.{0,300}\s(?:beat\b|-[A-Za-z]{0,4}B[A-Za-z]{0,4}\b|--beat\b)|\bcelerybeat\b|\bredbeat\b")
_RUNS_OF_LARAVEL = regex(r"\bschedule:(?:run|work)\b")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """A schedule of Celery beside workers in Compose, or one of Laravel in a deployed image, that nothing runs."""
    tasks = inventory.scheduled_tasks
    uses = code_traits.of(inventory, "schedule")
    entered = [item.location for item in inventory.task_options if item.kind == "scheduler"]
    if not tasks and not uses and not entered:
        return
    text = "\n".join(_texts(inventory))
    workers = [item for item in inventory.deployed_services if durability.is_celery_worker(inventory, item)]
    if (tasks or entered) and workers and not inventory.cluster_files and not _RUNS.search(text):
        yield _of_celery(workers[0], len(tasks), tasks[0].location if tasks else entered[0])
    if uses and uses[0].services and not inventory.cluster_files and not _RUNS_OF_LARAVEL.search(text):
        yield _of_laravel(uses)


def _texts(inventory: Inventory) -> Iterator[str]:
    """All that is started, written into an image or told to people, and the lines of files that start workers."""
    for service in inventory.services:
        yield from (" ".join(start.words) for start in starting.of(inventory, service))
        yield " ".join((*service.entrypoint, *service.command))
        yield from (label.value for label in service.labels)
    yield from (item.argument for file in inventory.dockerfiles for item in file.instructions)
    yield from (" ".join(item.words) for item in deployment.commands(inventory))
    yield from (item.text for item in deployment.documented_commands(inventory))
    yield from (item.name for item in inventory.queue_names if item.role == "line")


def _of_celery(worker: Service, number: int, place: Location) -> Evidence:
    command = " ".join(worker.command).partition(" worker")[0] or "celery -A <application>"
    what = (
        f"gives Celery a schedule of {counted(number, 'task')}"
        if number
        else "has Celery's beat keep a schedule in the"
    )
    lost = "none of them ever runs" if number else "what people enter there never runs"
    return Evidence(
        f"The code {what}{'' if number else ' database'}, and no service or script starts its beat: {lost}.",
        place,
        subject="celery/beat",
        related=(
            Related(worker.command_location or worker.location, f"{worker.name} takes tasks, and starts no beat"),
        ),
        recommendation=f"Add a service that runs `celery beat` beside {worker.name}.",
        example=compose_lines.of_name("beat", f"{_like(worker)}\ncommand: {command} beat"),
    )


def _like(worker: Service) -> str:
    """What gives another service the image and the environment of a worker."""
    if worker.container_name or worker.ports:
        return f"image: <that of {worker.name}>"
    return f"extends:\n  service: {worker.name}"


def _of_laravel(uses: list[code_traits.Use]) -> Evidence:
    trait, service = uses[0].trait, uses[0].services[0]
    return Evidence(
        f"{trait.location.file} says when tasks are to run, and neither a service nor a cron entry runs `schedule:run` "
        "or `schedule:work`: none of them ever runs.",
        trait.location,
        subject="laravel/schedule",
        service=service.name,
        related=code_uses.members(uses, "more of the schedule"),
        recommendation=f"Add a service with the image of {service.name} that runs `php artisan schedule:work`.",
        example=compose_lines.of_name(
            "scheduler", f"image: <that of {service.name}>\ncommand: php artisan schedule:work"
        ),
    )
