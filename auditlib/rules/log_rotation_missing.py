"""Logs grow without a limit.

Docker's default logging driver keeps everything a container ever wrote in one file. The disk fills up over months, and
then the database is the first to fail. A log file that code opens by `logging.FileHandler`, by Winston's `File` without
`maxsize` or by a plain `FileAppender` grows in the same way, where no limit for containers' logs reaches it.

Anti-pattern:

    services:
      api:
        image: acme/api:1.4
        # no logging: the default driver json-file, without max-size

Better:

    x-logging: &logging
      driver: json-file
      options: {max-size: 10m, max-file: "5"}

Recommendation:

    Set `max-size` and `max-file` for every service (an `x-` anchor does it once), use the driver `local`, or set the
    limit in the daemon's configuration and say so in the deployment guide.

References:

- https://docs.docker.com/engine/logging/configure/
- https://docs.docker.com/engine/logging/drivers/json-file/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import UnrotatedLog
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LOGGING = 'logging:\n  driver: json-file\n  options:\n    max-size: "10m"\n    max-file: "3"'
_STEPS = {
    "logging.FileHandler": (
        "Where one process alone writes it, use `logging.handlers.RotatingFileHandler`",
        "import logging.handlers\n\n# one file a process: of several that share one, each begins a new one for itself, "
        "and lines are lost\n"
        "logging.handlers.RotatingFileHandler(<the file that it opens now>, maxBytes=10_000_000, backupCount=3)",
    ),
    "winston.transports.File": (
        "Give the transports `maxsize` and `maxFiles`",
        "new winston.transports.File({ filename: <as it is>, maxsize: 10_000_000, maxFiles: 3 })",
    ),
    "FileAppender": (
        "Use a rolling appender",
        '<!-- Logback: class="ch.qos.logback.core.rolling.RollingFileAppender"; Log4j: <RollingFile> -->',
    ),
}
"""By handler the first step, in words and in lines."""
_DAEMON = regex(r"(?:^|/)(?:daemon\.json|logrotate[^/]*|[^/]*\.logrotate)$|(?:^|/)logrotate\.d/")

_HELD = regex(r"\$\{?\w*(?:DAEMON|LOGROTATE)\w*", re.I)
"""A variable that by its name holds one of these files: `cat > "$DAEMON_JSON"`."""
_PUTS = frozenset({"tee", "cp", "install", "mv", "jq"})


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each project and one for all handlers of code, unless the repository configures the rotation."""
    if any(_DAEMON.search(path) for path in inventory.files) or _is_set_by_a_command(inventory):
        return
    found = [item for item in inventory.distinct_services if _is_at_fault(inventory, item)]
    for mine in stacks.gathered(stacks.by_project(found)):
        yield _evidence(mine)
    handlers = [item for item in inventory.unrotated_logs if _is_run_all_the_time(inventory, item.location)]
    if handlers and inventory.base_projects and not _is_documented(inventory):
        yield _of_code(handlers)


def _is_at_fault(inventory: Inventory, service: Service) -> bool:
    """Whether a service of production runs all the time and logs without an end."""
    aside = environments.only_for_development(service) or service.location.file in inventory.development_files
    return not aside and _grows_everywhere(inventory, service) and not services.is_one_shot(service)


def _is_run_all_the_time(inventory: Inventory, place: Location) -> bool:
    """Whether code belongs to an application; a script ends before its log is long."""
    return place.file not in inventory.scripts_by_path and not environments.is_for_development(place.file)


def _of_code(handlers: list[UnrotatedLog]) -> Evidence:
    first, *others = sorted(handlers, key=lambda item: (item.location.file, item.location.line))
    file = first.location.file
    step, lines = _STEPS[first.handler]
    return Evidence(
        f"The code opens {counted(len(handlers), 'log file')} by a handler that never begins a new one, and nothing of "
        "the repository rotates log files.",
        first.location,
        subject=f"{file}/{first.handler.rpartition('.')[2]}",
        related=tuple(Related(item.location, "opens another one") for item in others),
        recommendation=f"{step} in {file}, or log to standard output.",
        example=files.into(file, lines),
    )


def _is_documented(inventory: Inventory) -> bool:
    """Whether a document says how the host rotates log files."""
    return any("logrotate" in document.words for document in inventory.documents)


def _is_set_by_a_command(inventory: Inventory) -> bool:
    return any(
        any("daemon.json" in word or "logrotate" in word for word in (*command.words, *command.writes))
        or any(_HELD.search(word) for word in (*(command.words if _PUTS & set(command.words) else ()), *command.writes))
        for command in deployment.commands(inventory)
    )


def _grows_everywhere(inventory: Inventory, service: Service) -> bool:
    """Whether neither the file nor an overlay that may be deployed with it sets a limit."""
    return not stacks.somewhere(inventory, service, lambda item: not _grows(item))


def _grows(service: Service) -> bool:
    options = dict(service.log_options)
    return service.log_driver in ("", "json-file") and "max-size" not in options


def _evidence(unlimited: list[Service]) -> Evidence:
    names = listed(stacks.names(unlimited), limit=5)
    first, *rest = unlimited
    where = stacks.place(unlimited) or f" of {first.location.file}"
    return Evidence(
        f"{counted(len(unlimited), 'service')}{where} ({names}) {'logs' if not rest else 'log'} without a limit, "
        "unless the host's Docker daemon sets one.",
        first.location,
        subject=f"{stacks.owner(unlimited)}/log-rotation",
        related=tuple(Related(item.location, f"{item.name} has no `max-size` either", member=True) for item in rest),
        recommendation=f"Add `logging` with `max-size` to {names}{where.replace(' of ', ' in ')}.",
        change=("", "" if first.log_driver or first.log_options else _LOGGING),
        example=compose_lines.of_service(first, _LOGGING),
    )
