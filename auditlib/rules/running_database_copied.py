"""A backup copies the files of a database that runs.

A database writes to several files, and what it has told its clients is partly in its memory and its log. `tar` reads
one file after the other: the copy shows each as it was at another time, and a restore ends with a database that doesn't
start, or that lacks rows without a word. It looks like a good backup until then.

Anti-pattern:

    docker run --rm -v shop_pgdata:/data -v /backups:/backup alpine tar czf /backup/pgdata.tar.gz /data

Better:

    docker compose exec -T db pg_dump -Fc -U shop shop > /backups/shop.dump

Recommendation:

    Let the database write the dump, or stop it while its files are copied.

References:

- https://www.postgresql.org/docs/current/backup-file.html
- https://dev.mysql.com/doc/refman/8.4/en/backup-methods.html
- https://offen.github.io/docker-volume-backup/how-tos/stop-containers-during-backup.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import command_texts, kept_data
from auditlib.conventions.command_texts import CommandText
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_DUMPS = {
    "PostgreSQL": "docker compose exec -T {} pg_dump -Fc -U <user> <database> > <a folder outside>/<name>.dump",
    "MySQL": "docker compose exec -T {} mysqldump --single-transaction <database> > <a folder outside>/<name>.sql",
    "MariaDB": "docker compose exec -T {} mariadb-dump --single-transaction <database> > <a folder outside>/<name>.sql",
    "MongoDB": "docker compose exec -T {} mongodump --archive --gzip > <a folder outside>/<name>.archive.gz",
}
_PACKS = regex(r"(?:^|[\s;\"'(])(?:tar\s+(?:-?[a-wyzA-Z]*c[a-wyzA-Z]*\b|--create)|zip\s|rsync\s|cp\s)")
_PROGRAMS = frozenset({"tar", "cp", "rsync", "zip"})
_LEAVES_OUT = frozenset({"--exclude"})
_QUIET = regex(
    r"\b(?:stop|down|pause|kill|pg_backup_start|pg_start_backup|pg_basebackup|xtrabackup|mariabackup|fsfreeze|"
    r"lvcreate|snapshot|fsyncLock)\b|(?i:flush tables)"
)
_BY_VOLUME = ("offen/docker-volume-backup", "jareware/docker-volume-backup")
_STOPS = "docker-volume-backup.stop-during-backup"
_Store = tuple[Service, str, Mount]


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text, and each service for backups of volumes, that copies a database's files and stops nothing before."""
    stores = list(_stores(inventory))
    copies = stores and not _PROGRAMS.isdisjoint(command_texts.words(inventory))
    for text in command_texts.texts(inventory) if copies else ():
        if text.kind != "step" and not text.is_for_development:
            found = next(_copies(text, stores), None)
            if found:
                yield _of_text(text, *found)
    yield from _by_services(inventory, stores)


def _stores(inventory: Inventory) -> Iterator[_Store]:
    for project in inventory.deployed_projects:
        for service, product, mount in kept_data.stores(inventory, project):
            if product.name in _DUMPS and mount.source:
                yield service, product.name, mount


def _copies(text: CommandText, stores: list[_Store]) -> Iterator[tuple[Command, _Store]]:
    """The commands that pack or copy a store's files; none if the text stops anything, or takes a snapshot."""
    words = [" ".join(command.words) for command in text.commands]
    if any(map(_QUIET.search, words)):
        return
    for command, said in zip(text.commands, words, strict=True):
        if _PACKS.search(said):
            for store in stores:
                if _names(command, store[2]):
                    yield command, store


def _read(command: Command) -> Iterator[str]:
    """The words of a command without what it leaves out, and without the place that `cp` and `rsync` copy to."""
    copies = posixpath.basename(next((item for item in command.words if item != "sudo"), "")) in ("cp", "rsync")
    words = command.words[:-1] if copies else command.words
    yield from (word for before, word in zip(("", *words), words, strict=False) if before not in _LEAVES_OUT)


def _names(command: Command, mount: Mount) -> bool:
    """Whether a command mounts or names the volume, or the folder, that a store keeps its files in."""
    for word in _read(command):
        place = word.partition(":")[0].strip("\"'").rstrip("/")
        name = posixpath.basename(place.removesuffix("/_data"))
        if mount.kind == "volume" and (name == mount.source or name.endswith(f"_{mount.source}")):
            return ":" in word or "/docker/volumes/" in word
        if mount.kind == "bind" and place.removeprefix("./") == mount.source.removeprefix("./"):
            return True
        if mount.target and place == mount.target.rstrip("/"):
            return "exec" in command.words[:4]
    return False


def _by_services(inventory: Inventory, stores: list[_Store]) -> Iterator[Evidence]:
    """What copies volumes at its time, and stops only the containers that carry its label."""
    for service in inventory.deployed_services:
        if service.image.startswith(_BY_VOLUME):
            sources = {mount.source for mount in service.mounts if mount.kind == "volume"}
            for store, product, mount in stores:
                labelled = any(item.name == _STOPS for item in store.labels)
                if store.project == service.project and mount.source in sources and not labelled:
                    yield _evidence(
                        f"{service.name} copies the volume {mount.source}",
                        service.location,
                        (store, product, mount),
                        compose_lines.of_service(store, f'labels:\n  - "{_STOPS}=true"'),
                    )


def _of_text(text: CommandText, command: Command, store: _Store) -> Evidence:
    service, product, _ = store
    line = files.into(text.path, _DUMPS[product].format(service.name))
    return _evidence(f"{text.opening} copies the files", command.location, store, line)


def _evidence(does: str, place: Location, store: _Store, example: str) -> Evidence:
    service, product, mount = store
    return Evidence(
        f"{does} of {service.name} ({product}) while it runs: they change as they are read, and what is restored from "
        "them may not start, or lack rows.",
        place,
        subject=f"{place.file}/{service.name}",
        service=service.name,
        related=(Related(mount.location, f"where {service.name} keeps its files"),),
        recommendation=f"Dump {service.name} by its own program, or stop it while its files are copied.",
        example=example,
    )
