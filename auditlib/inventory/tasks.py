"""Records of task queues."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location


class ScheduledTask(Struct, frozen=True):
    """A task that the schedule of Celery's beat names, as `package.tasks.name`."""

    name: str
    defined: bool
    """Whether a file of its module has such a name, or another file of code says the whole of it."""
    package_here: bool
    """Whether the repository has the package that it begins with."""
    location: Location


class TaskQueue(Struct, frozen=True):
    """A place where code sets up Celery, or says when its tasks are acknowledged."""

    framework: str
    acknowledges_late: bool | None
    """Whether a task leaves the queue only when it is done; None where this place doesn't say."""
    location: Location
    name: str = ""
    """What the code calls the application that it sets up here, where it gives it a name."""


class TaskOption(Struct, frozen=True):
    """A place that says something of how Celery runs tasks.

    `kind` is `schedule` (its beat is given something to do), `scheduler` (its beat takes what to do from a database),
    `sent` (code asks for a task), `limit` (a task may take so long), `lost` (a task whose process was killed goes back
    to the queue) or `kept` (its beat notes its state elsewhere than in a file of the folder in which it starts).
    """

    kind: str
    location: Location


class QueueName(Struct, frozen=True):
    """A queue that code or a file names.

    `role` is `sent` (code puts tasks into it), `taken` (something takes them), `default` (where tasks go that name
    none), `route` (a pattern for the names of tasks with a queue), `routes elsewhere` (not all of these are known),
    `called` (a task has this name, and no queue of its own), `sent by name` (code that asks for a task says in which
    queue), `horizon` (Horizon takes them), `open` (what is taken isn't written out), `line` (it starts a worker),
    `timeout` (a task may take so many seconds) or `retry after` (then the broker gives it to another worker).
    """

    system: str
    role: str
    name: str
    location: Location
