"""Records of task queues."""

from __future__ import annotations

from dataclasses import dataclass

from auditlib.model import Location


@dataclass(frozen=True, slots=True)
class TaskQueue:
    """A place where code sets up Celery, or says when its tasks are acknowledged."""

    framework: str
    acknowledges_late: bool | None
    """Whether a task leaves the queue only when it is done; None where this place doesn't say."""
    location: Location
