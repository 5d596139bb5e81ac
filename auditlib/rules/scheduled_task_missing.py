"""The schedule names a task that nobody has written.

Celery's beat sends whatever name the schedule has. A worker that doesn't know it throws the message away with an error
in its log, and what was to happen every day never happens.

Anti-pattern:

    CELERY_BEAT_SCHEDULE = {
        "reminders": {"task": "materials.tasks.remind", "schedule": timedelta(days=1)},
    }
    # the application is called shop; there is no package materials

Better:

    CELERY_BEAT_SCHEDULE = {
        "reminders": {"task": "shop.tasks.remind", "schedule": timedelta(days=1)},
    }

Recommendation:

    Write the path of the task as the worker registers it; `celery -A shop inspect registered` shows all.

References:

- https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html
- https://docs.celeryq.dev/en/stable/userguide/tasks.html#names
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.tasks import ScheduledTask
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every task of a schedule that no module of the repository defines and no dependency can bring."""
    needed = {need.name.replace("-", "_") for item in inventory.manifests for need in item.requirements}
    for task in inventory.scheduled_tasks:
        package = task.name.partition(".")[0].lower()
        installed = any(package in name or name in package for name in needed)
        if not task.defined and (task.package_here or (needed and not installed)):
            where = "its package has no such task" if task.package_here else f"there is no package {package}"
            yield Evidence(
                f"The schedule sends {task.name}, and {where}: no worker knows it, and it never runs.",
                task.location,
                subject=task.name,
                recommendation=f"Write the name of a task that there is in place of {task.name}.",
                confidence=None if task.package_here else Confidence.MEDIUM,
                example=_written(task),
            )


def _written(task: ScheduledTask) -> str:
    """The task in the module that its name says, or another name where there is no such package."""
    if not task.package_here:
        return files.into(task.location.file, '"task": "<package of the application>.tasks.<name>"')
    module, _, name = task.name.rpartition(".")
    lines = f"@shared_task\ndef {name}() -> None:\n    <what is to happen>"
    return files.into(f"{module.replace('.', '/')}.py", lines)
