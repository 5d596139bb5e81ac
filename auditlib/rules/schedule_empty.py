"""A scheduler runs that has nothing to schedule.

Celery's beat sends the tasks that its schedule names, and without a schedule it does nothing, in silence. What
everybody believes to run each night, a clean-up or a report, never runs.

Anti-pattern:

    # compose.yaml
    beat:
      command: celery -A shop beat
    # and no beat_schedule in the code

Better:

    app.conf.beat_schedule = {
        "clean-up": {"task": "shop.tasks.clean_up", "schedule": crontab(hour=3, minute=0)},
    }

Recommendation:

    Give the beat a schedule, or remove its service.

References:

- https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html#entries
- https://django-celery-beat.readthedocs.io/en/latest/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.inventory.tasks import TaskQueue
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BEAT = regex(r"\bcelery\b.*\s(?:beat\b|worker\b.*\s(?:-B\b|--beat\b))")
_OTHER = regex(r"\s(?:-S\b|--scheduler\b)")
_SCHEDULERS = regex(r"celery-?(?:.*-)?beat|redbeat")
"""Packages that keep the schedule in a database."""


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each beat of Celery in a repository with its code, where nothing says what it is to send."""
    apps = inventory.task_queues
    if not apps or _has_schedule(inventory):
        return
    for service in inventory.distinct_services:
        text = " ".join(word for item in services.commands(inventory, service) for word in item.words)
        text = text or " ".join((*service.entrypoint, *service.command))
        if _BEAT.search(text) and not _OTHER.search(text) and not environments.only_for_development(service):
            yield _evidence(service, apps[0])


def _has_schedule(inventory: Inventory) -> bool:
    """Whether code sets a schedule, or a package keeps one."""
    packages = (item.name for manifest in inventory.manifests for item in manifest.requirements)
    return any(item.kind == "schedule" for item in inventory.task_options) or any(map(_SCHEDULERS.search, packages))


def _evidence(service: Service, app: TaskQueue) -> Evidence:
    entry = '{"<name>": {"task": "<package.tasks.name>", "schedule": 3600}}'
    return Evidence(
        f"{service.name} runs the beat of Celery, and nothing in the code gives it a schedule: it sends no task, "
        "unless code outside of the repository adds some.",
        service.command_location or service.location,
        subject=f"{service.name}/schedule",
        service=service.name,
        related=(Related(app.location, "Celery is set up here"),),
        recommendation=f"Set beat_schedule in {app.location.file}, or remove {service.name}.",
        example=files.into(app.location.file, f"{app.name or 'app'}.conf.beat_schedule = {entry}"),
    )
