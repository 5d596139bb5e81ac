"""What a service writes lies in the repository's folder, and Git isn't told to leave it out.

The first `git add .` on that host takes the database, its keys or uploaded files along, and a `git clean` removes them.
A repository that is public then shows them to everybody, for good.

Anti-pattern:

    services:
      vaultwarden:
        image: vaultwarden/server:1.32.7
        volumes: ["./data:/data"]
    # .gitignore says nothing of data/

Better:

    # .gitignore
    data/

Recommendation:

    Name the folder in `.gitignore`, or keep the data in a named volume.

References:

- https://git-scm.com/docs/gitignore
- https://docs.docker.com/engine/storage/volumes/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import backups, environments, git_ignores, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BACKUPS = ("a", "a.sql", "a.sql.gz", "a.dump", "a.tar.gz", "a.gz")
"""Names that a backup may have, of which a `.gitignore` may leave out the ending alone."""
_ENCRYPTS = regex(r"\b(?:openssl\s+enc|gpg2?|age|restic|borg)(?=\s|$)")
_KEPT = regex(r"/(?:data|db|databases?|storage|uploads?|media|backups?|dumps?|vault|files|n8n|gitea|var/lib)(?:/|$)")
"""Folders of a container in which programs keep what must not get lost, or out."""
_SETTINGS = (".ini", ".conf", ".cnf", ".cfg", ".yaml", ".yml", ".toml", ".xml", ".properties")
"""How files are called that people write and programs read."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all such folders that aren't there yet, as they are made on the host."""
    found: dict[str, tuple[Service, Mount]] = {}
    for service in inventory.services:
        for mount in service.mounts:
            if _is_data(inventory, service, mount) and not environments.is_for_developers(inventory, service):
                found.setdefault(posixpath.normpath(mount.source), (service, mount))
    if found:
        yield _evidence(found)
    dumping = [item for item in inventory.scripts if item.backup_folder and _dumps_into_checkout(inventory, item)]
    if dumping:
        yield _of_backups(dumping)


def _dumps_into_checkout(inventory: Inventory, script: Script) -> bool:
    """Whether a script for backups writes them into a folder of the checkout from which Git would take them in."""
    made = backups.is_script(script) and any(map(backups.copies, script.commands))
    folder = script.backup_folder
    return (
        made
        and folder not in inventory.folder_set
        and not any(git_ignores.left_out_by(inventory, f"{folder}/{name}") for name in _BACKUPS)
    )


def _is_plain_dump(script: Script) -> bool:
    """Whether a script dumps a database, and no program encrypts what it writes."""
    texts = [" ".join(item.words) for item in script.commands]
    return any(map(backups.dump, script.commands)) and not any(map(_ENCRYPTS.search, texts))


def _of_backups(scripts: list[Script]) -> Evidence:
    first, *others = scripts
    folder = first.backup_folder
    return Evidence(
        f"{first.path} writes its backups to {folder}/ in the checkout, which no .gitignore leaves out: the next "
        "`git add .` there commits what they hold.",
        first.location,
        subject="backups",
        related=tuple(Related(item.location, f"{item.path} writes to {item.backup_folder}/ too", member=True)
                      for item in others),
        recommendation=f"Name {folder}/ in `.gitignore`, or have the script write outside of the checkout.",
        severity=None if any(map(_is_plain_dump, scripts)) else Severity.LOW,
        example=files.into(".gitignore", f"/{folder}/"),
    )  # fmt: skip


def _is_data(inventory: Inventory, service: Service, mount: Mount) -> bool:
    """Whether a mount is a folder of the checkout that the repository lacks and that the service keeps data in."""
    made = mount.kind == "bind" and not (mount.outside or mount.read_only or "$" in mount.source)
    made = made and not mount.source.endswith(_SETTINGS)
    if not made or mount.source in inventory.file_set or mount.source in inventory.folder_set:
        return False
    product = services.product(inventory, service)
    kept = product is not None and any(mounts.is_below(mount.target, path) for path in product.data)
    kept = kept or (product is None and bool(_KEPT.search(mount.target)))
    thought_of = product is None and git_ignores.names_below(inventory, mount.source)
    return kept and not (
        thought_of
        or git_ignores.left_out_by(inventory, f"{mount.source}/")
        or _are_files_ignored(inventory, service, mount)
    )


def _are_files_ignored(inventory: Inventory, service: Service, mount: Mount) -> bool:
    """Whether Git leaves out each file that the service is told to write into a mount (`DB_PATH=/data/bot.db`)."""
    told = [entry.value.text for entry in service.environment if entry.value]
    inside = [text for text in told if text.startswith(f"{mount.target.rstrip('/')}/")]
    paths = [mounts.path_outside(service, text) for text in inside]
    return bool(paths) and all(path and git_ignores.left_out_by(inventory, path) for path in paths)


def _pattern(place: str) -> str:
    """The line of a `.gitignore` for a folder, or for a file."""
    return f"/{place}" if posixpath.splitext(place)[1] else f"/{place}/"


def _evidence(found: dict[str, tuple[Service, Mount]]) -> Evidence:
    (_, (service, first)), *others = found.items()
    names = listed(found)
    who = listed(dict.fromkeys(item.name for item, _ in found.values()))
    what = f"{who} keeps what it writes" if not others else f"{who} keep what they write"
    return Evidence(
        f"{what} in folders of the checkout that no .gitignore leaves out ({names}): the next `git add .` on that host "
        "takes it along.",
        first.location,
        subject="data",
        service=service.name,
        related=tuple(
            Related(mount.location, f"{item.name} writes {place}", member=True) for place, (item, mount) in others
        ),
        recommendation=f"Name {names} in `.gitignore`.",
        example=files.into(".gitignore", "\n".join(map(_pattern, found))),
    )
