"""Tasks go into a queue that no worker takes them from.

A worker takes tasks from the queues that it is told, and without a word from the default one alone. What code sends to
another is accepted, waits, and is never done; no error says so, and the broker fills up.

Anti-pattern:

    task_routes = {"shop.tasks.send_mail": {"queue": "mail"}}
    worker: {command: celery -A shop worker}

Better:

    worker: {command: "celery -A shop worker -Q celery,mail"}

Recommendation:

    Name each queue that code sends tasks to in the command or the settings of a worker.

References:

- https://docs.celeryq.dev/en/stable/userguide/routing.html#manual-routing
- https://laravel.com/docs/queues#queue-priorities
- https://github.com/sidekiq/sidekiq/wiki/Advanced-Options#queues
- https://python-rq.org/docs/workers/
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from auditlib.conventions import deployment, starting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.tasks import QueueName
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_WORKERS = {
    "Celery": regex(r"\bcelery\b.{0,300}?\bworker\b(?P<rest>.*)"),
    "Laravel": regex(r"\b(?:queue:(?:work|listen)|(?P<horizon>artisan\W{1,4}horizon)\b)(?P<rest>.*)"),
    "RQ": regex(r"\b(?:rq worker|rqworker)\b(?P<rest>.*)"),
    "Sidekiq": regex(r"\bsidekiq\b(?P<rest>.*)"),
}
"""By system what starts a worker."""
_OPTIONS = {
    "Celery": regex(r"(?:^|\s)(?:-Q|--queues)[\s=]*[\"']?([\w.,:$ {}-]{1,300}?)(?=[\"']?(?:\s-|\s{0,9}$|\s[^,\s]))"),
    "Laravel": regex(r"--queue[\s=]+[\"']?([\w.,:${}-]+)"),
    "Sidekiq": regex(r"(?:^|\s)(?:-q|--queue)[\s=]*[\"']?([\w.,${}-]+)"),
}
_DEFAULTS = {"Celery": "celery", "Laravel": "default", "RQ": "default", "Sidekiq": "default"}
_PARKED = regex(r"(?i)dead[._-]?letters?|(?:^|[._-])dlq(?:$|[._-])|(?:^|[._-])(?:failed|failures|parking)(?:$|[._-])")
"""What is there for people to look at."""
_LISTS = {"Celery": "-Q {}", "Laravel": "--queue={}", "RQ": "{}", "Sidekiq": "-q {}"}
_SEPARATORS = {"RQ": " ", "Sidekiq": " -q "}


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each system the queues that code sends to, if all workers are known and none of them takes from it."""
    named = (item for item in inventory.queue_names if item.role == "sent")
    sent = [] if deployment.uses_orchestrator(inventory) else [item for item in named if not _PARKED.search(item.name)]
    for system in dict.fromkeys(item.system for item in sent):
        mine = [item for item in sent if item.system == system]
        taken, places = _taken(inventory, system)
        lost = [item for item in mine if item.name not in taken]
        if lost and places and "" not in taken:
            yield _evidence(system, lost, taken, places)
    yield from _by_default(inventory)


def _by_default(inventory: Inventory) -> Iterator[Evidence]:
    """The tasks of Celery that no route gives a queue, if no worker takes from the one for such tasks."""
    own = [item for item in inventory.queue_names if item.system == "Celery"]
    patterns = [item.name for item in own if item.role == "route"]
    if not patterns or {"routes elsewhere", "sent by name"} & {item.role for item in own}:
        return
    lost = [
        item for item in own
        if item.role == "called" and not any(fnmatchcase(item.name, pattern) for pattern in patterns)
    ]  # fmt: skip
    if lost and not deployment.uses_orchestrator(inventory):
        taken, places = _taken(inventory, "Celery")
        queue = _default(own, "Celery")
        if places and not {queue, ""} & taken:
            yield _unrouted(lost, queue, taken, places)


def _unrouted(lost: list[QueueName], queue: str, taken: set[str], places: list[Location]) -> Evidence:
    first, *rest = lost
    names, known = listed((item.name for item in lost), limit=3), listed(sorted(taken))
    one = len(lost) == 1
    workers = f"{counted(len(places), 'worker')} {'takes' if len(places) == 1 else 'take'} from {known}"
    return Evidence(
        f"No route of Celery fits {names}, so that {'it goes' if one else 'they go'} to the queue {queue}, and no "
        f"worker takes from it: {workers}.",
        first.location,
        subject=f"Celery/{queue}",
        related=(
            *(Related(place, f"a worker takes from {known}") for place in places[:4]),
            *(Related(item.location, f"{item.name} has no route either", member=True) for item in rest[:8]),
        ),
        recommendation=f"Let a worker take from {queue}, too, or write a route that fits the names of the tasks.",
        example=files.into(places[0].file, f"<command of the worker> -Q {','.join([*sorted(taken), queue])}"),
    )


def _default(own: list[QueueName], system: str) -> str:
    """Where tasks go that name no queue."""
    return next((item.name for item in own if item.role == "default"), _DEFAULTS[system])


def _taken(inventory: Inventory, system: str) -> tuple[set[str], list[Location]]:
    """The queues that workers take from, an empty one where that isn't known; and where it is said."""
    own = [item for item in inventory.queue_names if item.system == system]
    named = {item.name for item in own if item.role == "taken"}
    if any(item.role == "open" for item in own):
        return {""}, []
    if system == "BullMQ":
        return named, [item.location for item in own if item.role == "taken"]
    texts = [(text, place) for text, place in _texts(inventory) if _WORKERS[system].search(text)]
    taken: set[str] = set()
    for text, _ in texts:
        taken |= _of_worker(system, text, own, named)
    return taken, list(dict.fromkeys(place for _, place in texts))


def _texts(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    """What services start, and the lines of files that start workers."""
    for service in inventory.services:
        yield from ((" ".join(start.words), start.location) for start in starting.of(inventory, service))
    yield from ((item.name, item.location) for item in inventory.queue_names if item.role == "line")


def _of_worker(system: str, text: str, own: list[QueueName], named: set[str]) -> set[str]:
    """The queues of one worker: those that its command names, else those of its settings, else the default."""
    match = _WORKERS[system].search(text)
    rest = match["rest"] if match else ""
    if system == "Laravel" and match and match["horizon"]:
        return {item.name for item in own if item.role == "horizon"} or {""}
    if system == "RQ":
        words = [word for word in rest.split() if word[0].isalpha()]
        return {""} if "$" in rest or "-c" in rest.split() else set(words) or {"default"}
    found = _OPTIONS[system].findall(rest)
    names = {name.strip() for part in found for name in part.split(",")}
    if any("$" in name for name in names) or (not found and "$" in rest):
        return {""}
    return {name for name in names if name} or named or {_default(own, system)}


def _evidence(system: str, lost: list[QueueName], taken: set[str], places: list[Location]) -> Evidence:
    names = list(dict.fromkeys(item.name for item in lost))
    first, *rest = lost
    known = listed(sorted(taken))
    all_names = _SEPARATORS.get(system, ",").join([*sorted(taken), *names])
    what = "it" if len(names) == 1 else "them"
    workers = f"{counted(len(places), 'worker')} {'takes' if len(places) == 1 else 'take'} from {known}"
    return Evidence(
        f"Code sends tasks of {system} to the {'queue' if len(names) == 1 else 'queues'} {listed(names)}, and no "
        f"worker takes from {what}: {workers}. "
        "Such tasks wait for ever.",
        first.location,
        subject=f"{system}/{'/'.join(names)}",
        related=(
            *(Related(place, f"a worker takes from {known}") for place in dict.fromkeys(places[:4])),
            *(Related(item.location, f"sent to {item.name}", member=True) for item in rest[:8]),
        ),
        recommendation=f"Let a worker take from {listed(names)}, too.",
        example=files.into(places[0].file, f"new Worker('{names[0]}', handle, {{ connection }})")
        if system == "BullMQ"
        else files.into(places[0].file, f"<command of the worker> {_LISTS[system].format(all_names)}"),
    )
