"""The beat of Celery notes its state beside the volume that is there for it.

Without an option for its file the beat writes `celerybeat-schedule` into the folder in which it starts. A volume at
another folder keeps nothing: each new container begins without a memory. An interval of a day is then counted from the
start of the container, and with a release a day its task never runs.

Anti-pattern:

    beat:
      working_dir: /app
      command: celery -A shop beat
      volumes: ["beat:/app/beat"]

Better:

    beat:
      working_dir: /app
      command: celery -A shop beat --schedule /app/beat/celerybeat-schedule
      volumes: ["beat:/app/beat"]

Recommendation:

    Start the beat with `--schedule` and a file in the volume.

References:

- https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html#starting-the-scheduler
- https://docs.celeryq.dev/en/stable/userguide/configuration.html#beat-schedule-filename
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_BEAT = regex(r"\bcelery\b.{0,300}\sbeat\b")
_ELSEWHERE = regex(r"\s(?:-S|--scheduler)[ =]|DatabaseScheduler|redbeat|\s--workdir[ =]")
_FILE = regex(r"\s(?:-s|--schedule)[ =](\S+)")
_FOR_IT = regex(r"beat|schedule", 2)
"""What a volume or its folder is called that is there for the state (any case)."""
_NAME = "celerybeat-schedule"


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each beat with a volume that is called after it, and whose file lies in none of its mounts."""
    if any(item.kind == "kept" for item in inventory.task_options):
        return
    for service in inventory.distinct_services:
        text = " ".join((*service.entrypoint, *service.command))
        if not _BEAT.search(text) or _ELSEWHERE.search(text) or environments.is_for_developers(inventory, service):
            continue
        volume = next((item for item in service.mounts if item.kind == "volume" and _is_for_it(item)), None)
        file = _file(inventory, service, text) if volume else ""
        if volume and file and not any(mounts.is_below(file, item.target) for item in service.mounts):
            yield _evidence(service, volume, file)


def _is_for_it(mount: Mount) -> bool:
    return bool(_FOR_IT.search(f"{mount.source} {mount.target}"))


def _file(inventory: Inventory, service: Service, text: str) -> str:
    """Where the beat notes its state; empty where the folder that it starts in isn't known."""
    said = _FILE.search(text)
    name = said[1].strip("\"'") if said else _NAME
    if "$" in name or name.startswith("/"):
        return "" if "$" in name else posixpath.normpath(name)
    folder = service.working_dir
    for item in () if folder else services.built_from(inventory, service)[1]:
        if item.keyword == "WORKDIR":
            folder = posixpath.join(folder or "/", item.argument.strip("\"' "))
    return posixpath.normpath(posixpath.join(folder, name)) if folder.startswith("/") and "$" not in folder else ""


def _evidence(service: Service, volume: Mount, file: str) -> Evidence:
    kept = posixpath.join(volume.target, _NAME)
    return Evidence(
        f"{service.name} notes in {file} when its tasks ran last, and its volume {volume.source} is at "
        f"{volume.target}: in each new container all intervals begin anew, and one of a day may never end.",
        volume.location,
        subject=f"{service.name}/state",
        service=service.name,
        recommendation=f"Start {service.name} with `--schedule {kept}`.",
        example=compose_lines.of_service(service, f"command: {' '.join(service.command)} --schedule {kept}"),
    )
