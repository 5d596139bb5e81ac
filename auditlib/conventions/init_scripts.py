"""Which of the scripts that are meant for a database's first start the official images of databases leave out.

Sources: the `docker-entrypoint.sh` of https://github.com/docker-library/postgres, /mysql, /mongo and
https://github.com/MariaDB/mariadb-docker: they go through `/docker-entrypoint-initdb.d/*`, not through folders below,
and by the ending of a file decide what to do with it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import data_folders, images, services
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Location
from auditlib.paths import below
from auditlib.patterns import regex

FOLDER = "/docker-entrypoint-initdb.d"
_SQL = (".sh", ".sql", ".sql.gz", ".sql.xz", ".sql.zst")
_READ = {"PostgreSQL": _SQL, "MySQL": (*_SQL, ".sql.bz2"), "MongoDB": (".sh", ".js")}
_PACKAGES = regex(r"postgres|(?:postgis|imresamu)/postgis|pgvector/pgvector|timescale/timescaledb|mysql|mariadb|mongo")
_MEANT = regex(r"\.(?:sql|SQL|psql|pgsql|ddl|mysql|js|mongo)(?:\.(?:template|tmpl|tpl|j2|zip|tar))?$")
_TEMPLATE = regex(r"\.(?:template|tmpl|tpl|j2)$")
_OF_MONGO = regex(r"\.(?:js|mongo)(?:\.|$)")
"""What is a script by its ending; data and notes that lie beside are none, and what is renamed to rest, rests."""
_ALIKE = regex(
    r"/(?:docker[-_]?)?entry[-_]?points?[-_.]?(?:init(?:[-_.]?db)?|db)?(?:[-_.]?d|[-_.]?scripts)?(?=/|$)", re.I
)
"""Folders whose names look like the one that is read."""


class Unread(Struct, frozen=True):
    """A script that a database leaves out: its path in the repository and in the container, and why."""

    path: str
    inside: str
    location: Location
    why: str
    wanted: str
    """Where it would be read; empty where its ending is the fault."""
    ending: str = ""
    """One that its image runs."""
    direct: bool = False
    """Whether the place names the script itself, rather than a folder that holds it."""


class _Held(Struct, frozen=True):
    path: str
    inside: str
    location: Location
    direct: bool = False


def unread(inventory: Inventory, service: Service) -> Iterator[Unread]:
    """The scripts that a service's database leaves out, where it is started as its image starts it."""
    endings = _endings(inventory, service)
    held = list(_held(inventory, service)) if endings else []
    read = [item for item in held if posixpath.dirname(item.inside) == FOLDER and item.inside.endswith(endings)]
    calls = any(item.inside.endswith((".sh", ".sql", ".js")) for item in read)  # which may run what lies below
    runs = ".js" if ".js" in endings else ".sql"
    prepares = any(item.inside.endswith(".sh") for item in read)
    for item in held:
        folder, name = posixpath.split(item.inside)
        if folder == FOLDER and not item.inside.endswith(endings) and not prepares and _is_meant(item, name, runs):
            ending = f"`{name[name.index('.') :]}`" if "." in name.strip(".") else "no ending"
            yield Unread(
                item.path,
                item.inside,
                item.location,
                f"of files with {ending} it says that it ignores them",
                "",
                runs,
                item.direct,
            )
        elif folder.startswith(f"{FOLDER}/") and not calls and item.inside.endswith(endings):
            why = "it reads nothing of the folders below"
            yield Unread(item.path, item.inside, item.location, why, f"{FOLDER}/{name}", runs, item.direct)
        elif not folder.startswith(FOLDER) and item.inside.endswith(endings):
            wanted = f"{FOLDER}/{name}"
            yield Unread(
                item.path, item.inside, item.location, f"it looks into {FOLDER} only", wanted, runs, item.direct
            )


def _endings(inventory: Inventory, service: Service) -> tuple[str, ...]:
    """What an official image reads; nothing where something else decides what is run at the first start."""
    base, instructions = services.built_from(inventory, service) if service.build else (service.image, ())
    own = service.entrypoint or any(item.keyword == "ENTRYPOINT" for item in instructions)
    found = data_folders.product(base)
    told = any(
        name in word for word in service.command for name in ("initdb.d", "entrypoint", "init-file", "init_file")
    )
    if own or told or found is None or not _PACKAGES.fullmatch(images.repository(base)):
        return ()
    return _READ.get(found.name, ())


def _held(inventory: Inventory, service: Service) -> Iterator[_Held]:
    """The files of the repository in the folder, in one below it, or in one that is called nearly so."""
    for mount in service.mounts:
        if mount.kind == "bind" and not mount.outside and _is_near(mount.target):
            yield from _of_mount(inventory, mount)
    for item in services.built_from(inventory, service)[1]:
        if item.copies_context and len(item.words) == 2 and _is_near(item.words[1]):
            source, target = item.words
            named = bool(posixpath.splitext(source)[1]) and not set("*?[$") & set(source)
            whole = posixpath.join(target, posixpath.basename(source)) if target.endswith(("/", ".d")) else target
            if named:
                yield _Held(source, posixpath.normpath(whole), item.location, direct=True)


def _of_mount(inventory: Inventory, mount: Mount) -> Iterator[_Held]:
    if mount.source in inventory.file_set:
        yield _Held(mount.source, posixpath.normpath(mount.target), mount.location, direct=True)
        return
    for path in below(inventory.files, mount.source):
        rest = posixpath.relpath(path, mount.source or ".")
        yield _Held(path, posixpath.normpath(posixpath.join(mount.target, rest)), mount.location)


def _is_near(target: str) -> bool:
    return target.startswith(FOLDER) or bool(_ALIKE.match(target))


def _is_meant(item: _Held, name: str, runs: str) -> bool:
    """Whether a file is a script by its ending; one without any by that of what is mounted under the name.

    In a folder with others lie templates, which a program fills in before, and scripts of another program.
    """
    meant = bool(_MEANT.search(name)) or ("." not in name and bool(_MEANT.search(item.path)))
    others = bool(_TEMPLATE.search(name)) or bool(_OF_MONGO.search(name)) != (runs == ".js")
    return meant and (item.direct or not others)
