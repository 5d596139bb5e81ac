"""A database keeps its files in a folder of the checkout that Git would take in.

Once the database has run, `git add .` stops at files that belong to another user, or takes in all that users have
entrusted to it, and with the next push everybody with a clone has it.

Anti-pattern:

    db:
      image: postgres:17
      volumes: ["./pgdata:/var/lib/postgresql/data"]   # and no line in .gitignore

Better:

    # .gitignore
    /pgdata/

Recommendation:

    Keep the data in a named volume, or have Git ignore the folder.

References:

- https://git-scm.com/docs/gitignore
- https://docs.docker.com/engine/storage/volumes/
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, git_ignores, mounts, services
from auditlib.conventions.images import Product
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed, specified
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PLACEHOLDERS = frozenset({".gitkeep", ".keep", ".gitignore"})


class _Store(Struct, frozen=True):
    """A database, and the folder of the repository that holds its data."""

    service: Service
    product: Product
    mount: Mount
    folder: str


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file one finding for all folders with the data of databases that no `.gitignore` leaves out."""
    found: dict[str, _Store] = {}
    for item in _stores(inventory):
        if item.folder not in found and not _is_left_out(inventory, item.folder):
            found[item.folder] = item
    by_file: defaultdict[str, list[_Store]] = defaultdict(list)
    for item in found.values():
        by_file[item.mount.location.file].append(item)
    for mine in by_file.values():
        yield _evidence(mine)


def _stores(inventory: Inventory) -> Iterator[_Store]:
    for service in inventory.distinct_services:
        product = services.product(inventory, service)
        mount = services.keeps_data(service, product)
        if product and mount and mount.kind == "bind" and not mount.outside and "$" not in mount.source:
            yield _Store(service, product, mount, posixpath.normpath(mount.source))


def _is_left_out(inventory: Inventory, folder: str) -> bool:
    """Whether Git leaves out what a database writes to a folder, or the folder is one of the repository's own."""
    own = any(
        mounts.is_below(file, folder) and posixpath.basename(file) not in _PLACEHOLDERS for file in inventory.files
    )
    known = folder in (".", "") or own or inventory.leads_through_link(folder)
    return known or bool(git_ignores.left_out_by(inventory, f"{folder}/base/1"))


def _evidence(stores: list[_Store]) -> Evidence:
    first, *others = stores
    place = first.mount.location
    aside = environments.is_for_development(place.file) or environments.only_for_development(first.service)
    names = listed(specified(item.service.name, item.product.name) for item in stores)
    folders = listed(f"{item.folder}/" for item in stores)
    one = not others
    return Evidence(
        f"{names} {'keeps its' if one else 'keep their'} data in {folders} of the checkout, and no .gitignore leaves "
        f"{'it' if one else 'them'} out: once {'it has' if one else 'they have'} run, `git add .` takes the data in, "
        "or stops at files that it may not read.",
        place,
        subject=first.folder,
        service=first.service.name,
        related=tuple(
            Related(item.mount.location, f"{item.service.name} keeps its data in {item.folder}/", member=True)
            for item in others
        ),
        recommendation=f"Add `/{first.folder}/` to .gitignore{'' if one else ', and likewise the others'}, or keep the "
        "data in named volumes.",
        severity=Severity.LOW if aside else None,
        example=files.into(".gitignore", "\n".join(f"/{item.folder}/" for item in stores)),
    )
