"""A task runs once in each process of a service, and not once.

A scheduler that lives in the program is started by every worker and every replica: at three o'clock each of them sends
the report, charges the customer or deletes the old rows. The same holds for a task that the start of an application
begins, and for two copies of Celery's beat.

Anti-pattern:

    scheduler = AsyncIOScheduler(); scheduler.start()     # in the application
    api: {command: uvicorn app:app --workers 4}

Better:

    api: {command: uvicorn app:app --workers 4}
    scheduler: {command: python -m app.scheduler}         # one process, with the same image

Recommendation:

    Run the scheduler in a service of its own with one process, or take a lock in the database or Redis for each run.

References:

- https://apscheduler.readthedocs.io/en/3.x/faq.html#how-do-i-share-a-single-job-store-among-one-or-more-worker-processes
- https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html#introduction
- https://github.com/lukas-krecan/ShedLock
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import code_traits, environments, starting, worker_counts
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import CodeTrait
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_BEAT = regex(r"\bcelery\b.{0,200}\s(?:beat\b|worker\b.{0,200}\s(?:-B|--beat)\b)")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service of several processes whose code has a scheduler and no lock; and Celery's beat in several copies."""
    found = code_traits.of(inventory, "scheduler", "background")
    told: set[str] = set()
    for use in code_traits.without(inventory, found, "locked") if found else ():
        for service in use.services:
            several = worker_counts.copies(inventory, service)
            if several and service.key not in told and _runs_it(inventory, service, use):
                told.add(service.key)
                yield _evidence(service, use.trait, *several)
    for service in inventory.deployed_services:
        if (service.replicas or 1) > 1 and not environments.is_for_developers(inventory, service):
            yield from _beats(inventory, service)


def _runs_it(inventory: Inventory, service: Service, use: Use) -> bool:
    """Whether a service starts the application that a file is part of: a worker of a queue doesn't."""
    words = " ".join(word for start in starting.of(inventory, service) for word in start.words)
    return not regex(r"\b(?:celery|rq|dramatiq|arq|huey|taskiq)\b").search(words) or "uvicorn" in words


def _evidence(service: Service, trait: CodeTrait, several: str, place: Location) -> Evidence:
    name = service.name
    clock = (
        f"The code of {name} starts tasks by the clock ({trait.word}), and {name} runs as {several}: each of them runs "
    )
    begun = (
        f"{name} begins tasks of its own when it starts, and runs as {several}: each of them runs all of it, which is "
    )
    return Evidence(
        clock + "every task, as no lock is taken."
        if trait.kind == "scheduler"
        else begun + "right for what serves a process' own clients, and doubled for the rest.",
        trait.location,
        subject=f"{service.name}/{trait.kind}",
        service=service.name,
        related=(Related(place, f"{several}"),),
        severity=Severity.LOW if trait.kind == "background" else None,
        recommendation=f"Run what {trait.location.file} schedules in a service of its own, with one process.",
        example=compose_lines.of_name(
            "scheduler", f"image: <that of {service.name}>\ncommand: <the module that starts the scheduler>"
        ),
    )


def _beats(inventory: Inventory, service: Service) -> Iterator[Evidence]:
    for start in starting.of(inventory, service):
        if _BEAT.search(" ".join(start.words)):
            yield Evidence(
                f"{service.name} runs Celery's beat in {service.replicas} replicas: each sends every task of the "
                "schedule.",
                start.location,
                subject=f"{service.name}/beat",
                service=service.name,
                confidence=Confidence.HIGH,
                recommendation=f"Run the beat in one replica, and not as a part of {service.name} if that has several.",
                example=compose_lines.of_name("beat", "command: celery -A <application> beat\ndeploy: {replicas: 1}"),
            )
            return
