"""A container is stopped without the chance to finish.

On `docker stop` the first process gets SIGTERM, and SIGKILL ten seconds later. A command in shell form may have a shell
as its first process, which passes no signal on; a worker needs longer than ten seconds for its task. Either way work is
cut off at each deployment.

Anti-pattern:

    # Dockerfile
    CMD python prepare.py && uvicorn app.main:app
    # compose.yaml: a worker without stop_grace_period

Better:

    CMD ["uvicorn", "app.main:app", "--timeout-graceful-shutdown", "20"]
    # compose.yaml
    worker: {stop_grace_period: 2m}

Recommendation:

    Write commands as JSON arrays (or begin them with `exec`), and give workers as much grace as a task takes.

References:

- https://docs.docker.com/reference/dockerfile/#shell-and-exec-form
- https://docs.docker.com/reference/compose-file/services/#stop_grace_period
- https://docs.celeryq.dev/en/stable/userguide/workers.html#stopping-the-worker
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, services, starting
from auditlib.conventions.starting import Start
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _durability as durability
from auditlib.rules._rule import Evidence, rule
from auditlib.rules._wording import listed

_COMPOUND = regex(r"[;&|<>()]|\\\n")
_SERVERS = frozenset({
    "gunicorn", "uvicorn", "hypercorn", "daphne", "uwsgi", "runserver", "celery", "node", "java", "rails", "puma",
    "sidekiq", "php-fpm", "nginx", "streamlit", "flask", "fastapi",
})  # fmt: skip


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each shell-form command that services start with, and for each project the workers without grace."""
    built: defaultdict[str, list[Service]] = defaultdict(list)
    for service in inventory.distinct_services:
        if (found := services.dockerfile(inventory, service)) is not None:
            built[found.path].append(service)
    for dockerfile in inventory.dockerfiles:
        mine = built[dockerfile.path]
        target = next((item.build.target for item in mine if item.build), "")
        started = _shell_form(services.final_stage(dockerfile, target)[1])
        users = [item for item in mine if started and _uses(item, started)]
        if started and not environments.is_for_development(dockerfile.path):
            yield _shell_evidence(started, users)
    for service in inventory.distinct_services:
        last = _last_of_script(inventory, service)
        if last and not environments.only_for_development(service) and not services.is_one_shot(service):
            yield _script_evidence(service, last)
    for project in inventory.base_projects:
        own = inventory.services_of(project.name).values()
        workers = [item for item in own if durability.is_worker(item) and not item.stop_grace_period]
        lasting = [item for item in workers if not environments.only_for_development(item)]
        if lasting:
            yield _worker_evidence(project.name, lasting)


def _last_of_script(inventory: Inventory, service: Service) -> Start | None:
    """The server that a script starts last as its child, so that the shell stays the first process."""
    followed = [start for start in starting.of(inventory, service) if start.followed and start.words]
    minded = any({"trap", "wait"} & set(start.words[:1]) for start in followed)
    last = followed[-1] if followed and not minded else None
    return last if last and last.location.file in inventory.scripts_by_path and _starts_server(last) else None


def _starts_server(start: Start) -> bool:
    return start.words[0] != "exec" and not _SERVERS.isdisjoint(word.rpartition("/")[2] for word in start.words)


def _script_evidence(service: Service, last: Start) -> Evidence:
    return Evidence(
        f"{last.location.file} starts the program of {service.name} as a child of its shell, which passes no SIGTERM "
        "on; the program is killed after the grace period.",
        last.location,
        subject=f"{service.name}/script",
        service=service.name,
        related=(Related(service.command_location or service.location, f"{service.name} starts with the script"),),
        recommendation=f"Begin the last command of {last.location.file} with `exec`.",
    )


def _shell_form(instructions: tuple[Instruction, ...]) -> Instruction | None:
    """The instruction that starts the container, if it has the shell form and doesn't hand over by `exec`."""
    started = {item.keyword: item for item in instructions if item.keyword in ("CMD", "ENTRYPOINT")}
    last = started.get("ENTRYPOINT") or started.get("CMD")
    replaced = any(item.keyword == "SHELL" for item in instructions)
    if last is None or replaced or not last.shell or last.argument.lstrip().startswith(("exec ", "[")):
        return None
    hands_over = any(command.words[:1] in (("exec",), ("tini",), ("dumb-init",)) for command in last.commands)
    return None if hands_over else last


def _is_simple(started: Instruction) -> bool:
    """Whether the shell is to run one program and nothing else, so that it can become that program."""
    plain = not _COMPOUND.search(started.argument) and "=" not in started.argument.partition(" ")[0]
    return plain and len(started.commands) == 1


def _uses(service: Service, started: Instruction) -> bool:
    replaced = service.entrypoint if started.keyword == "ENTRYPOINT" else (*service.entrypoint, *service.command)
    return not replaced and not services.is_one_shot(service)


def _shell_evidence(started: Instruction, users: list[Service]) -> Evidence:
    names = f" of {listed(item.name for item in users)}" if users else ", where the image's own command is used,"
    return Evidence(
        f"{started.keyword} has the shell form, so that the first process{names} may be a shell that passes no SIGTERM "
        "on; the program is killed after the grace period.",
        started.location,
        subject=started.keyword,
        service=users[0].name if users else None,
        related=tuple(Related(item.location, f"{item.name} is started with it", member=True) for item in users),
        recommendation=f"Write the {started.keyword} as a JSON array, or begin it with `exec`.",
        confidence=None if users else Confidence.LOW,
        change=(f"{started.keyword} ", f"{started.keyword} exec ") if _is_simple(started) else ("", ""),
    )


def _worker_evidence(project: str, workers: list[Service]) -> Evidence:
    names = listed(item.name for item in workers)
    first, *rest = workers
    return Evidence(
        f"{names} {'works' if not rest else 'work'} on tasks and {'has' if not rest else 'have'} no "
        "stop_grace_period: a task of more than ten seconds is killed at each deployment.",
        first.command_location or first.location,
        subject=f"{project}/stop-grace",
        service=first.name,
        related=tuple(Related(item.location, f"{item.name} has none either", member=True) for item in rest),
        recommendation=f"Set `stop_grace_period` of {names} to the length of the longest task.",
    )
