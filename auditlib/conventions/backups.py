"""How backups look: tools that make them, and words with which people write of them.

Sources: the documentation of the databases (https://www.postgresql.org/docs/current/backup.html,
https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/ …) and of the tools named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from auditlib import command_words
from auditlib.conventions import deployment
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.inventory.document import Document, Mention
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.patterns import regex

TOOL = regex(
    r"\b(?:pg_dump(?:all)?|pg_basebackup|pgbackrest|barman|wal-g|wal-e|mysqldump|mariadb-dump|mydumper|xtrabackup|"
    r"mariabackup|mongodump|restic|borg(?:matic|backup)?|duplicity|duplicati|kopia|rclone|velero|influx backup|"
    r"clickhouse-backup|neo4j-admin (?:database )?dump|etcdctl snapshot|rdiff-backup|rsnapshot|bgsave|"
    r"redis-cli .*--rdb|docker-volume-backup|postgres-backup\S*|mysql-backup\S*|mc(?::[\w.-]{1,60})? mirror|"
    r"aws rds create-db-snapshot|"
    r"aws backup|gcloud sql backups|litestream)\b",
    re.I,
)
"""Commands, images and services that copy data away."""

DATABASE_DUMP = regex(
    r"(?:^|[\s/])(?P<tool>pg_dump(?:all)?|pg_basebackup|mysqldump|mariadb-dump|mydumper|xtrabackup|mariabackup|mongodump|"
    r"redis-cli(?=\s.*--rdb\b))(?=\s|$)"
)
"""Those of them that write what a database holds."""

SCRIPT_NAME = regex(r"(?:^|[/_.-])(?:back[-_]?ups?|dump(?:[-_]db)?|snapshots?)(?=$|[/_.-])", re.I)
"""A name by which a script, a job or a service says that it makes backups."""

_SCHEDULED = regex(r"(?:ofelia|chadburn|deck-chores)\..*\.command")
"""https://github.com/mcuadros/ofelia#docker-labels-configurations, https://deck-chores.readthedocs.io"""
_PACKS = regex(r"(?:^|[\s;&|'\"])(?:tar|zip|gzip)\s")
_COPIES = frozenset({"tar", "cp", "rsync", "zip", "gzip"})
"""Programs that make a copy as well, where a script is there for backups."""

WORDS = frozenset({
    "backup", "backups", "back-up", "restore", "restores", "restoring", "restored",
    "pg_restore", "pg_dump", "rpo", "rto", "disaster", "disaster-recovery", "point-in-time",
    "datensicherung", "sicherung", "wiederherstellung", "wiederherstellen",
    "sauvegarde", "sauvegardes", "restauration", "restaurer",
    "respaldo", "respaldos", "restauración", "restaurar",
    "restauração", "резервное", "резервная", "восстановление", "备份", "恢复", "バックアップ", "復元",
})  # fmt: skip
"""Words of a document that speaks of backups or of recovery, in the languages that documents are often written in."""

_UNPACKS = regex(r"-?[a-wyz]*x[a-wyz]*|--extract")
"""The option of `tar` by which it gives back what was kept."""
_MAKES_ARCHIVE = regex(r"-?[a-wyz]*c[a-wyz]*|--create")
_BACKUP_WORD = regex(
    r"backups?$|datensicherung|sicherung(?:en|skopien?)?$|sauvegardes?$|respaldos?$|резервн|.*(?:备份|バックアップ)"
)

RECOVERY_HEADING = regex(
    r"\b(?:disaster|recover(?:y|ing)?|restor(?:e|ing|ation)|back-?ups?|wiederherstell\w*|restauraci[oó]n|restauration|"
    r"notfall\w*|sauvegarde\w*)\b|备份|恢复|復元|バックアップ|восстановлен",
    re.I,
)


def are_made(inventory: Inventory) -> bool:
    """Whether a command, an image, a service, a script or a job of the repository makes backups."""
    return next(makers(inventory), None) is not None


def makers(inventory: Inventory) -> Iterator[Location]:
    """The commands, images, services, scripts and jobs that make backups, by their tools or by their names."""
    yield from (place for text, place in _texts(inventory) if TOOL.search(text))
    yield from (place for name, place in _names(inventory) if SCRIPT_NAME.search(name))


def _texts(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    yield from ((" ".join(command.words), command.location) for command in deployment.commands(inventory))
    for service in inventory.services:
        yield service.image, service.location
        yield told(service), service.location
    yield from ((item.argument, item.location) for file in inventory.dockerfiles for item in file.instructions)
    yield from ((step.uses, step.location) for step in inventory.steps)


def _names(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    yield from ((service.name, service.location) for service in inventory.services)
    yield from ((script.path, script.location) for script in inventory.scripts)
    yield from ((job.id, job.location) for job in inventory.jobs)
    yield from ((target.name, target.location) for item in inventory.manifests for target in item.targets)


def told(service: Service) -> str:
    """What a service runs: by its command, and by labels that tell a scheduler of containers."""
    scheduled = (label.value for label in service.labels if _SCHEDULED.fullmatch(label.name))
    return " ".join((*service.entrypoint, *service.command, *scheduled))


def keeps(service: Service) -> bool:
    """Whether a service makes backups, by a tool, or by a program that copies where it is called after backups."""
    text = f"{service.image} {told(service)}"
    return bool(TOOL.search(text) or (SCRIPT_NAME.search(service.name) and _PACKS.search(text)))


def dump(command: Command) -> re.Match[str] | None:
    """The program with which a command dumps a database; asking whether it is there is no dump."""
    found = DATABASE_DUMP.search(" ".join(command.words))
    return None if found is None or command_words.only_names(command.words) else found


def packs(command: Command) -> bool:
    """Whether a command writes an archive."""
    return any(word.rpartition("/")[2] == "tar" and _MAKES_ARCHIVE.fullmatch(after)
               for word, after in pairwise(_told(command)))  # fmt: skip


def _told(command: Command) -> list[str]:
    """The words of a command, less the folder in which tar is to work (`tar -C /data -czf …`)."""
    words = list(command.words)
    for option in ("-C", "--directory"):
        if option in words[:-1]:
            at = words.index(option)
            del words[at : at + 2]
    return words


def is_script(script: Script) -> bool:
    """Whether a script is called after backups, and not after bringing one back."""
    return bool(SCRIPT_NAME.search(script.path)) and "restor" not in script.path.lower()


def copies(command: Command) -> bool:
    """Whether a command of such a script makes a copy."""
    programs = {word.rpartition("/")[2] for word in command.words}
    return bool(_COPIES & programs or TOOL.search(" ".join(command.words)))


def are_described(inventory: Inventory) -> bool:
    """Whether a document speaks of backups or of restoring data."""
    return any(document.words & WORDS for document in inventory.documents) or bool(recovery_headings(inventory))


def touched_on(inventory: Inventory) -> Document | None:
    """A document that names a snapshot, from which data may come back, and says no more of it."""
    near = {"snapshot", "snapshots", "reindex", "reindexing"}
    return next((item for item in inventory.documents if near & (item.words - item.denied)), None)


def are_spoken_of(inventory: Inventory) -> bool:
    """Whether a document has a word for backups; whoever speaks of restoring may mean a service."""
    return any(speaks_of_backups(document) for document in inventory.documents)


def by_hand(inventory: Inventory) -> Mention | None:
    """The command with which a document has its reader make a backup."""
    commands = (item for file in inventory.documents for item in file.mentions if item.kind == "command")
    return next((item for item in commands if _makes_backup(item)), None)


def _makes_backup(mention: Mention) -> bool:
    unpacks = any(word == "tar" and _UNPACKS.fullmatch(after) for word, after in pairwise(mention.words))
    copies = "tar" in mention.words and "backup" in mention.text.lower() and not unpacks
    return "install" not in mention.words and (copies or bool(TOOL.search(mention.text)))


def speaks_of_backups(document: Document) -> bool:
    """Whether a document has a word for backups."""
    return any(_BACKUP_WORD.match(word) for word in document.words - document.denied)


def is_on_backups(document: Document) -> bool:
    """Whether all of a document is about backups, by its name or its title."""
    return bool(SCRIPT_NAME.search(document.path) or RECOVERY_HEADING.search(document.title))


def recovery_headings(inventory: Inventory) -> tuple[Location, ...]:
    """The headings of documents under which recovery is described."""
    return tuple(
        heading.location
        for document in inventory.documents
        for heading in document.headings
        if RECOVERY_HEADING.search(heading.text)
    )
