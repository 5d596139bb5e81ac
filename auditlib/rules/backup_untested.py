"""Backups are made, and nothing ever restores one.

A dump that nobody has read back is a hope: truncated, encrypted with a lost key, or without the one table that was
added last year. It is found out on the day that it is needed.

Anti-pattern:

    # crontab
    0 3 * * * pg_dump shop | gzip > /backup/shop.sql.gz

Better:

    0 3 * * * backup.sh
    0 5 * * 0 restore_test.sh        # restores the newest dump into a scratch database and counts the rows

Recommendation:

    Restore the newest backup into a scratch database every week, automatically, and alert when that fails.

References:

- https://sre.google/sre-book/data-integrity/
- https://www.postgresql.org/docs/current/app-pgrestore.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import backups, deployment, kept_data
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules._rule import Evidence, rule

_RESTORES = regex(
    r"\bpg_restore\b|\bmongorestore\b|\b(?:restic|borg|kopia|duplicity|velero|wal-g|pgbackrest|barman|litestream)\b.*"
    r"\b(?:restore|check|extract|recover|verify|backup-fetch)\b|(?<!dotnet )(?<!nuget )(?<!git )(?<!cache/)\brestore\b|"
    r"\bpsql\b.*(?:<|--file|\s-f\s)|\b(?:mysql|mariadb)\b.*<",
    re.I,
)

_FED = regex(r"\bpsql\b.*(?:--file[= ]|\s-f\s)(?P<file>\S+)", re.I)
_BRINGS_BACK = regex(
    r"\bpg_restore\b|\bmongorestore\b|\bpsql\b.*<|\b(?:mysql|mariadb)\b.*<|"
    r"\b(?:restic|borg|kopia|pgbackrest|litestream|wal-g)\b.*\b(?:restore|extract|backup-fetch)\b"
)
"""What tells of the act itself, and not only of a thing called after it."""
_OF_TOOLS = {
    "pg_": frozenset({"PostgreSQL"}), "mysql": frozenset({"MySQL", "MariaDB"}),
    "mariadb": frozenset({"MySQL", "MariaDB"}), "mongo": frozenset({"MongoDB"}), "redis": frozenset({"Redis"}),
}  # fmt: skip
"""The products whose data a tool dumps, by what is in its name."""
_UNPACKS = frozenset({"gunzip", "zcat", "gzip", "cat", "bzcat", "bunzip2", "xzcat", "zstdcat", "zstd", "pv", "openssl"})
_CLIENTS = frozenset({"mysql", "mariadb", "psql", "mongorestore", "sqlite3"})
_DUMP = regex(r"\.(?:sql|dump|gz|bz2|xz|zst|archive)\b")

_RESTORE = """# every week, on another host than the one that makes the backups
docker run -d --name restored {}
<the command that restores the newest backup into it>
<a query that fails when too few rows are there, or the newest is too old>
docker rm -f restored"""


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding where something makes backups and no command, script, job or document restores them."""
    made = _made(inventory)
    if made is None or _is_restored(inventory):
        return
    what, place, tool = made
    told = _told(inventory)
    described = bool(backups.recovery_headings(inventory))
    heading = " A document has a heading on backups or recovery; whether anybody has restored one isn't known."
    by_hand = f" {told.file} has commands for people to do it by; whether anybody has isn't known." if told else ""
    note = by_hand or (heading if described else "")
    yield Evidence(
        f"{what} makes backups, and no command, script or job of the repository restores one.{note}",
        place,
        subject="restore",
        recommendation="Add a scheduled job that restores the newest backup into a scratch database and checks it.",
        example=_RESTORE.format(_image(inventory, tool)),
        related=(Related(told, "how people restore one"),) if told else (),
        severity=Severity.INFO if told else (Severity.LOW if described else None),
    )


def _told(inventory: Inventory) -> Location | None:
    """The first command of a document that brings a dump back into a database."""
    said = (item for item in deployment.documented_commands(inventory) if _RESTORES.search(item.text))
    return next((item.location for item in said if _BRINGS_BACK.search(item.text)), None)


def _made(inventory: Inventory) -> tuple[str, Location, str] | None:
    """What makes backups, by a command or an image, with its text; a name alone is not enough."""
    for service in inventory.distinct_services:
        text = " ".join((service.image, *service.entrypoint, *service.command))
        if backups.TOOL.search(text):
            return service.name, service.location, text
    for command in deployment.commands(inventory):
        text = " ".join(command.words)
        if backups.TOOL.search(text) and not _RESTORES.search(text):
            return command.location.file, command.location, text
    return None


def _piped(inventory: Inventory) -> Iterator[str]:
    """`restore` for each dump that a script unpacks into the client of a database."""
    for script in inventory.scripts:
        sources = {
            item.location.line
            for item in script.commands
            if item.caught and item.words[:1] and item.words[0] in _UNPACKS and _DUMP.search(" ".join(item.words))
        }
        clients = (item for item in script.commands if item.location.line in sources)
        yield from ("restore" for item in clients if _CLIENTS & set(item.words))


def _is_restored(inventory: Inventory) -> bool:
    names = [script.path for script in inventory.scripts] + [job.id for job in inventory.jobs]
    names += [target.name for item in inventory.manifests for target in item.targets]
    texts = [" ".join(command.words) for command in deployment.commands(inventory)]
    texts += _piped(inventory)
    texts += [" ".join((*service.entrypoint, *service.command)) for service in inventory.services]
    return any("restore" in name.lower() for name in names) or any(_restores(inventory, text) for text in texts)


def _restores(inventory: Inventory, text: str) -> bool:
    """Whether a command brings data back; a file that the repository keeps is a schema or seeds, and no backup."""
    fed = _FED.search(text)
    own = fed is not None and any(path.endswith(fed["file"].lstrip("./")) for path in inventory.files)
    return not own and _RESTORES.search(text) is not None


def _image(inventory: Inventory, made: str) -> str:
    """The image of the data store that a tool is for, so that the dump meets the version that it is of."""
    stores = (item for project in inventory.base_projects for item in kept_data.stores(inventory, project))
    wanted = next((names for tool, names in _OF_TOOLS.items() if tool in made), frozenset())
    found = (service.image for service, kind, _ in stores if service.image and (not wanted or kind.name in wanted))
    return next(found, "<the image of the database>")
