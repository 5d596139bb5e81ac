"""Nothing starts the backup.

The script is there, and it works when somebody calls it. The day on which the data is lost is rarely the day after
somebody thought of it. A dump that a deployment makes before it begins is as old as the last deployment.

Anti-pattern:

    scripts/
      backup.sh          # dumps the database; no cron line, timer or workflow calls it
      deploy.sh

Better:

    # deploy/crontab, installed by deploy.sh
    30 2 * * * root cd /opt/shop && ./scripts/backup.sh >> /var/log/shop-backup.log 2>&1

Recommendation:

    Keep the schedule in the repository too: a cron line, a systemd timer or a service that waits and dumps.

References:

- https://man7.org/linux/man-pages/man5/crontab.5.html
- https://www.freedesktop.org/software/systemd/man/latest/systemd.timer.html
- https://www.postgresql.org/docs/current/backup-dump.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib import stages
from auditlib.conventions import backups, deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.document import Document
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_SCHEDULES = regex(
    r"cron|oncalendar|timers?$|ofelia|计划任务|定时备份|планировщик|расписани|planificador|planificateur|zeitplan"
)
"""Words of a document that speaks of what starts something at its time."""
_LABELS = ("ofelia.", "deck-chores.", "swarm.cronjob", "docker-volume-backup", "chadburn.")
_NO_DATA = frozenset({"--schema-only", "-s", "--no-data", "--version", "--help"})
_WAITS = frozenset({"sleep", "crond", "supercronic", "cron", "go-cron", "dcron"})
_CRON = "# /etc/cron.d/<name>\n30 2 * * * <user> cd <the checkout> && {} >> /var/log/<name>.log 2>&1"


class _Dump(Struct, frozen=True):
    """A command that dumps a database: where it stands, and how it is called."""

    command: Command
    tool: str
    place: str
    """The script, workflow or target."""
    call: str


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding where scripts dump a database and nothing in the repository, nor a document, speaks of a schedule."""
    dumps = list(_dumps(inventory))
    if dumps and not _is_scheduled(inventory, {posixpath.basename(item.place) for item in dumps}):
        yield _evidence(dumps)


def _dumps(inventory: Inventory) -> Iterator[_Dump]:
    """The dumps by hand or with a deployment; the backups that a script is there for first."""
    for script in sorted(inventory.scripts, key=lambda item: not backups.is_script(item)):
        yield from _of(script.commands, script.path, f"./{script.path}")
    for manifest in inventory.manifests:
        for target in manifest.targets if manifest.kind == "make" else ():
            yield from _of(target.commands, manifest.path, f"make {target.name}")
    for step in inventory.steps:
        yield from _of((*step.commands, *step.remote), step.workflow, "")


def _of(commands: tuple[Command, ...], place: str, call: str) -> Iterator[_Dump]:
    for command in commands:
        match = backups.dump(command)
        if match and _NO_DATA.isdisjoint(command.words):
            yield _Dump(command, match["tool"], place, call)
            return


def _is_scheduled(inventory: Inventory, scripts: set[str]) -> bool:
    """Whether anything starts backups at their time, or may do so where nothing is known of it."""
    timed = any(trigger.schedules for item in inventory.workflows for trigger in item.triggers)
    tasks = any(backups.SCRIPT_NAME.search(item.name) for item in inventory.scheduled_tasks)
    called = any(scripts & set(item.scripts) for item in inventory.callers)
    told = any(item.tells_schedule for item in inventory.scripts if item.path.rpartition("/")[2] in scripts)
    waits = any(item.words[:1] and item.words[0] in _WAITS for script in inventory.scripts for item in script.commands
                if backups.SCRIPT_NAME.search(script.path))  # fmt: skip
    labels = any(item.name.startswith(_LABELS) for service in inventory.services for item in service.labels)
    return (
        (timed and _of_workflow(inventory)) or tasks or called or told or waits or labels
        or any(map(_is_in_service, _words_of_services(inventory))) or any(map(_speaks, inventory.documents))
        or bool(inventory.cluster_files and any("cron" in path.lower() for path in inventory.files))
        or deployment.unread_ci(inventory)
    )  # fmt: skip


def _of_workflow(inventory: Inventory) -> bool:
    """Whether a workflow with a schedule has anything to do with backups."""
    files = {item.file for item in inventory.workflows if any(trigger.schedules for trigger in item.triggers)}
    texts = (" ".join(command.words) for step in inventory.steps if step.workflow in files
             for command in (*step.commands, *step.remote))  # fmt: skip
    return any(backups.TOOL.search(text) or backups.SCRIPT_NAME.search(text) for text in texts)


def _words_of_services(inventory: Inventory) -> Iterator[str]:
    for service in inventory.services:
        yield f"{service.name} {service.image}"
        yield " ".join((*service.entrypoint, *service.command))


def _is_in_service(text: str) -> bool:
    """Whether a service is there for backups, or waits and dumps."""
    return bool(backups.SCRIPT_NAME.search(text) or backups.TOOL.search(text))


def _speaks(document: Document) -> bool:
    """Whether a document on backups speaks of what starts them, by a word or by the settings of a provider."""
    return backups.speaks_of_backups(document) and any(map(_SCHEDULES.search, document.words))


def _evidence(dumps: list[_Dump]) -> Evidence:
    first, *others = dumps
    aside = _is_by_the_way(first)
    when = "somebody deploys" if aside else "somebody calls it"
    more = f", nor {listed(item.place for item in others)}," if others else ""
    return Evidence(
        f"{first.place} dumps a database with {first.tool} when {when}, and nothing in the repository starts "
        f"it{more} at a fixed time: neither a cron line nor a timer, a workflow or a service.",
        first.command.location,
        subject="schedule",
        related=tuple(Related(item.command.location, f"{item.place} dumps too", member=True) for item in others),
        recommendation=f"Put the dump of {first.place} into a script of its own, and keep a cron line or timer for it."
        if aside
        else f"Keep a cron line or a systemd timer in the repository that starts `{first.call}` each night.",
        example=_CRON.format("./<the script>" if aside else first.call),
    )


def _is_by_the_way(dump: _Dump) -> bool:
    """Whether a dump is part of something else, such as a deployment."""
    return stages.names_production(dump.place) or dump.place.startswith((".github/", ".forgejo/", ".gitea/"))
