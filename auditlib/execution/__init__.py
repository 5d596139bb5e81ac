"""Tasks side by side, each in a process of its own, forked from one that has the imports done.

What costs time in a notebook's run is the start of a kernel and its imports. A fork server (the standard library's)
does both once; each notebook then gets a fresh fork, in which papermill runs it through the engine of `kernel`.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from multiprocessing.context import ForkServerContext, SpawnContext

from auditlib.execution import kernel

TIME_LIMIT = 600.0
"""Seconds after which a task is given up."""

Context = ForkServerContext | SpawnContext
Task = tuple[Callable[..., None], tuple[object, ...]]


def warm() -> Context:
    """Start the process that imports what notebooks need, and return at once."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["auditlib.execution.warm"])
    forkserver.ensure_running()
    return context


def run(context: Context, tasks: Mapping[str, Task]) -> Iterator[tuple[str, str]]:
    """Run the tasks, as many at once as there are processors.

    Yields the name of each as it is done, and why it did not come to its end (empty if it did).
    """
    with ThreadPoolExecutor(max_workers=_processors()) as threads:
        waiting = {threads.submit(_run_one, context, task): name for name, task in tasks.items()}
        for done in as_completed(waiting):
            yield waiting[done], done.result()


def _processors() -> int:
    with suppress(AttributeError):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _run_one(context: Context, task: Task) -> str:
    function, arguments = task
    process = context.Process(target=kernel.call, args=(function, *arguments))
    process.start()
    process.join(TIME_LIMIT)
    if process.is_alive():
        process.kill()
        process.join()
        return f"it took longer than {TIME_LIMIT:.0f} seconds"
    return f"its process ended with status {process.exitcode}" if process.exitcode else ""
