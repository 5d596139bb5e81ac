"""Reads where Python code sets up Celery, when its tasks are acknowledged, and which tasks its schedule names.

Follows https://docs.celeryq.dev/en/stable/userguide/configuration.html: `task_acks_late`, which Django projects call
`CELERY_TASK_ACKS_LATE`, and `acks_late` of a single task.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from auditlib.inventory.tasks import ScheduledTask, TaskOption, TaskQueue
from auditlib.patterns import regex
from auditlib.readers import python_code
from auditlib.readers.python_code import Module
from auditlib.readers.reading import Reading, each, location_at
from auditlib.readers.settings import is_test
from auditlib.source import Source, Unreadable

KIND = "task queue"

_ACKNOWLEDGES_LATE = regex(r"(?:\w+_)?(?:task_)?acks_late", re.I)
_OPTIONS = {
    "schedule": regex(r"beat_?schedule|add_periodic_task|celery_beat|DatabaseScheduler|redbeat|PeriodicTask\b", re.I),
    "scheduler": regex(
        r"^[^#\n]{0,80}beat_?scheduler[\"']?\s{0,3}[=:]\s{0,3}[\"'][\w.]{0,80}[.:]DatabaseScheduler[\"']", re.I | re.M
    ),
    "limit": regex(
        r"(?<!\w)(?:\w+_)?(?:task_)?(?:soft_)?time_?limit\s*=|[\"'](?:task_)?(?:soft_)?time_limit[\"']", re.I
    ),
    "lost": regex(r"reject_on_worker_lost", re.I),
    "kept": regex(
        r"beat_?schedule_?filename[\"'\]]*\s*[=:](?!\s*r?[\"'][^/\"']*[\"'])|DatabaseScheduler|redbeat", re.I
    ),
}
"""What sets an option, however it is written; a comment that names it is taken for that."""
_SENT = (
    regex(r"\.(?:delay(?:_on_commit)?|apply_async\w*|send_task|signature|si?\()\b"),
    regex(r"import (?<!\w.{7}).*\b(?:chain|group|chord)\b"),
)
"""Each begins with a literal: together, as one expression, they take twenty times as long."""
_WORDS = ("celery", "acks_late", "beat_schedule", "add_periodic_task", "time_limit", "redbeat")
_SCHEDULE = regex(r"(?:\w+_)?beat_?schedule", re.I)
_DOTTED = regex(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


def read(source: Source) -> Reading:
    """Every Celery application and every word on acknowledging; what can't be parsed is reported as settings code."""
    files = [
        path for path in source.files if path.endswith(".py") and not is_test(path) and _is_of_interest(source, path)
    ]
    options = [item for path in files for item in _options(path, source.glance(path))]
    options += [
        item for path in source.files if path.endswith(".py") and not is_test(path) for item in _sent(source, path)
    ]
    return Reading(each(source, files, KIND, _read).records + options, [])


def _sent(source: Source, path: str) -> Iterator[TaskOption]:
    """The first place of a file that asks for a task, whatever the task is called."""
    text = source.glance(path)
    if starts := [match.start() for pattern in _SENT if (match := pattern.search(text))]:
        yield TaskOption("sent", location_at(path, text, min(starts)))


def _options(path: str, text: str) -> Iterator[TaskOption]:
    for kind, pattern in _OPTIONS.items():
        if match := pattern.search(text):
            yield TaskOption(kind, location_at(path, text, match.start()))


def _is_of_interest(source: Source, path: str) -> bool:
    try:
        text = source.text(path).lower()
    except Unreadable:
        return False
    return any(word in text for word in _WORDS)


def _read(source: Source, path: str) -> Iterator[Any]:
    module = python_code.parse(source, path)
    names = {
        id(node.value): node.targets[0].id
        for node in module.nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in module.nodes:
        if isinstance(node, ast.Call) and module.origin(node.func).endswith("celery.Celery"):
            yield TaskQueue("celery", None, module.location(node), names.get(id(node), ""))
        if isinstance(node, ast.Call):
            yield from (_said(module, word.value) for word in node.keywords if _says(word.arg))
        elif isinstance(node, ast.Assign):
            targets = [_name(target) for target in node.targets]
            yield from (_said(module, node.value) for name in targets if _says(name))
            if any(name and _SCHEDULE.fullmatch(name) for name in targets):
                yield from _scheduled(source, module, node.value)


def _says(name: str | None) -> bool:
    return name is not None and _ACKNOWLEDGES_LATE.fullmatch(name) is not None


def _name(target: ast.expr) -> str | None:
    return target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", None)


def _said(module: Module, value: ast.expr) -> TaskQueue:
    """An expression that is not plainly false counts as late: a setting may turn it on."""
    late = not (isinstance(value, ast.Constant) and not value.value)
    return TaskQueue("celery", late, module.location(value))


def _scheduled(source: Source, module: Module, schedule: ast.expr) -> Iterator[ScheduledTask]:
    """The tasks that a schedule written out as a dictionary names."""
    entries = schedule.values if isinstance(schedule, ast.Dict) else []
    for entry in entries:
        for key, value in zip(entry.keys, entry.values, strict=True) if isinstance(entry, ast.Dict) else ():
            named = isinstance(key, ast.Constant) and key.value == "task" and isinstance(value, ast.Constant)
            name = value.value if named and isinstance(value, ast.Constant) else None
            if isinstance(name, str) and _DOTTED.fullmatch(name) and not name.startswith("celery."):
                top = name.partition(".")[0]
                here = any(f"/{top}/" in f"/{path}" or path.endswith(f"/{top}.py") for path in source.files)
                yield ScheduledTask(name, _is_defined(source, name, module.file), here, module.location(value))


def _is_defined(source: Source, name: str, schedule: str) -> bool:
    """Whether a module of that path has the name, or a file of code other than the schedule's says the whole name."""
    path, _, function = name.rpartition(".")
    made_up = regex(rf"\bf[\"']{re.escape(path)}\.\w*\{{")  # f"shop.tasks.{name}"
    ends = tuple(f"/{path.replace('.', '/')}{end}" for end in (".py", "/__init__.py"))
    for file in source.files:
        if not file.endswith(".py"):
            continue
        try:
            text = source.text(file)
        except Unreadable:
            return True
        in_module = f"/{file}".endswith(ends) and re.search(rf"\b{function}\b|import \*", text)
        if in_module or (file != schedule and (name in text or made_up.search(text))):
            return True
    return False
