"""Records of task queues."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location


class TaskQueue(Struct, frozen=True):
    """A place where code sets up Celery, or says when its tasks are acknowledged."""

    framework: str
    acknowledges_late: bool | None
    """Whether a task leaves the queue only when it is done; None where this place doesn't say."""
    location: Location
