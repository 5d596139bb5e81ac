"""Tasks side by side, each in a process of its own, forked from one that has the imports done.

What costs time in a notebook's run is the start of a kernel and its imports. A fork server (the standard library's)
does both once; each notebook then gets a fresh fork, in which papermill runs it through the engine of `kernel`.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.context import ForkServerContext, SpawnContext

from auditlib.execution import drawing, kernel

TIME_LIMIT = 600.0
"""Seconds after which a task is given up."""

Context = ForkServerContext | SpawnContext
Task = tuple[Callable[..., None], tuple[object, ...]]


def warm() -> Context:
    """Start the process that imports what notebooks need, and return at once.

    Neither it nor a task takes a module from the current folder, which may be the repository that is audited.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    drawing.find_folder()
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["auditlib.execution.warm"])
    forkserver.ensure_running()
    return context


def run(context: Context, tasks: Mapping[str, Task]) -> Generator[tuple[str, str], None, None]:
    """Run the tasks, as many at once as there are processors.

    Yields the name of each as it is done, and why it did not come to its end (empty if it did). Those that are at work
    when nobody wants to know any more are ended.
    """
    waiting, working = list(tasks.items()), dict[str, _Work]()
    try:
        while waiting or working:
            while waiting and len(working) < _processors():
                name, task = waiting.pop(0)
                working[name] = _Work(context, task)
            for name in _ended(working):
                yield name, working.pop(name).reason()
    finally:
        for work in working.values():
            work.stop()


def _processors() -> int:
    with suppress(AttributeError):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ended(working: Mapping[str, _Work]) -> list[str]:
    """The names of those that have ended or had their time, once there is one."""
    left = max(0.0, min(work.deadline for work in working.values()) - time.monotonic())
    ended = connection.wait([work.process.sentinel for work in working.values()], left)
    now = time.monotonic()
    return [name for name, work in working.items() if work.process.sentinel in ended or work.deadline <= now]


class _Work:
    """A task in a process of its own."""

    def __init__(self, context: Context, task: Task) -> None:
        function, arguments = task
        self.process = context.Process(target=kernel.call, args=(function, *arguments))
        self.process.start()
        self.deadline = time.monotonic() + TIME_LIMIT

    def reason(self) -> str:
        """Why it did not come to its end, empty if it did; it is stopped if it is still at work."""
        if self.process.exitcode is None:
            self.stop()
            return f"it took longer than {TIME_LIMIT:.0f} seconds"
        return f"its process ended with status {self.process.exitcode}" if self.process.exitcode else ""

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.join()
