"""A server answers one request at a time.

gunicorn starts one worker that takes one request unless it is told otherwise. While it waits for a database or another
service, everybody else waits too, the health check included; a slow client is enough to stop the whole.

Anti-pattern:

    CMD ["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000"]

Better:

    CMD ["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000", "--workers", "3", "--threads", "4"]

Recommendation:

    Give gunicorn workers or threads, as many as memory and the database's connections allow.

References:

- https://docs.gunicorn.org/en/stable/design.html#how-many-workers
- https://docs.gunicorn.org/en/stable/settings.html#workers
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditlib.conventions import environments, services, starting
from auditlib.conventions.starting import Start
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service, Variable
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_GUNICORN = regex(r"(?:^|[\s/;&])gunicorn\s")
_TOLD = regex(
    r"(?:^|\s)(?:-w|--workers|--threads|-k|--worker-class|-c|--config)(?:[\s=]|\d)|gevent|eventlet|gthread|Uvicorn"
)
_ONE = regex(r"(?:^|\s)(?:-w|--workers)[\s=]*1(?=\s|$)")
_MORE = regex(r"(?:^|\s)(?:--threads|-k|--worker-class|-c|--config)(?:[\s=]|\d)|Uvicorn")
_UNKNOWN = regex(r"(?:^|\s)[\"']?\$(?:@|\*|\{?\w+)[^\s:/=]*(?=\s|$)")
"""Arguments that a variable brings along."""
_VARIABLES = ("WEB_CONCURRENCY", "GUNICORN_CMD_ARGS")
_FILE = "gunicorn.conf.py"


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each deployed service that starts gunicorn with its one worker, where nothing gives it more."""
    configured = _FILE in inventory.files_by_name
    for service in () if configured else inventory.deployed_services:
        if environments.is_for_developers(inventory, service) or (service.replicas or 1) > 1:
            continue
        start = next((item for item in starting.of(inventory, service) if _is_single(item)), None)
        if any(item.default is None and _is_of_command(service, item) for item in inventory.variables):
            continue
        if start and not _is_told(inventory, service):
            yield _evidence(service, start)


def _is_of_command(service: Service, variable: Variable) -> bool:
    """Whether Compose puts a variable into the command of a service."""
    target = f"services.{service.name}.command"
    return variable.project == service.project and variable.target.startswith(target)


def _is_single(start: Start) -> bool:
    words = " ".join(start.words)
    match = _GUNICORN.search(words)
    text = words[match.end() - 1 :].partition("&&")[0] if match else ""
    if not text or _UNKNOWN.search(text):
        return False
    return not _TOLD.search(text) or (_ONE.search(text) is not None and not _MORE.search(text))


def _is_told(inventory: Inventory, service: Service) -> bool:
    """Whether a variable of Compose or of the image says how many workers there are, or may come from a file."""
    named = {entry.name for entry in service.environment}
    named |= {name for item in services.built_from(inventory, service)[1] for name, _ in item.variables}
    return not named.isdisjoint(_VARIABLES) or services.lacks_env_file(inventory, service)


def _as_compose(start: Start, command: str) -> str:
    """The command as its file has to write it: in Compose a doubled `$` reaches the shell."""
    return command.replace("$", "$$") if start.location.file.endswith((".yml", ".yaml")) else command


def _evidence(service: Service, start: Start) -> Evidence:
    text = " ".join(start.words)
    said = _ONE.search(text)
    related = (Related(service.location, f"{service.name} starts so"),) if start.location != service.location else ()
    command = next((word for word in start.words if "gunicorn " in word), "") or shlex.join(start.words)
    return Evidence(
        f"{service.name} runs gunicorn with one worker of one thread"
        f"{'' if said else ', which is its default'}: it answers one request at a time, and who asks meanwhile waits.",
        start.location,
        subject=f"{service.name}/workers",
        service=service.name,
        related=related,
        severity=Severity.LOW if said else None,
        recommendation=f"Add `--threads 4`, or more workers, to the command of {service.name}.",
        example=files.into(start.location.file, f"{_as_compose(start, command)} --threads 4"),
    )
