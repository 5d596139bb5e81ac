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
from collections.abc import Iterator

from auditlib.conventions import environments, git_ignores, mounts, services
from auditlib.conventions.images import Product
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.phrases import specified
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PLACEHOLDERS = frozenset({".gitkeep", ".keep", ".gitignore"})


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every folder of the repository with the data of a database that no `.gitignore` leaves out, once."""
    told: set[str] = set()
    for service in inventory.distinct_services:
        product = services.product(inventory, service)
        mount = services.keeps_data(service, product)
        if product is None or mount is None or mount.kind != "bind" or mount.outside or "$" in mount.source:
            continue
        folder = posixpath.normpath(mount.source)
        if folder not in told and not _is_left_out(inventory, folder):
            told.add(folder)
            yield _evidence(service, product, mount, folder)


def _is_left_out(inventory: Inventory, folder: str) -> bool:
    """Whether Git leaves out what a database writes to a folder, or the folder is one of the repository's own."""
    own = any(
        mounts.is_below(file, folder) and posixpath.basename(file) not in _PLACEHOLDERS for file in inventory.files
    )
    known = folder in (".", "") or own or inventory.leads_through_link(folder)
    return known or bool(git_ignores.left_out_by(inventory, f"{folder}/base/1"))


def _evidence(service: Service, product: Product, mount: Mount, folder: str) -> Evidence:
    aside = environments.is_for_development(mount.location.file) or environments.only_for_development(service)
    return Evidence(
        f"{specified(service.name, product.name)} keeps its data in {folder}/ of the checkout, and no .gitignore "
        "leaves it out: once it has run, `git add .` takes the data in, or stops at files that it may not read.",
        mount.location,
        subject=folder,
        service=service.name,
        recommendation=f"Add `/{folder}/` to .gitignore, or keep the data of {service.name} in a named volume.",
        severity=Severity.LOW if aside else None,
        example=files.into(".gitignore", f"/{folder}/"),
    )
