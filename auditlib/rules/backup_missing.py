"""Data is kept that nothing backs up.

A volume is one disk's worth of safety: a mistaken `docker compose down -v`, a broken migration or a dead host takes
everything with it. Without a copy elsewhere that is the end of the data, not an outage.

Anti-pattern:

    db:
      image: postgres:16
      volumes: [postgres_data:/var/lib/postgresql/data]
    # and no pg_dump, restic, snapshot … anywhere

Better:

    backup:
      image: prodrigestivill/postgres-backup-local:16
      environment: {POSTGRES_HOST: db, SCHEDULE: "@daily"}
    # and a copy of the result on another host

Recommendation:

    Dump each database every night, copy the dumps to another host or a bucket, and restore one regularly to see that it
    works.

References:

- https://www.postgresql.org/docs/current/backup.html
- https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
- https://docs.docker.com/engine/storage/volumes/#back-up-restore-or-migrate-data-volumes
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditlib.conventions import backups, environments, kept_data, services, sqlite_files
from auditlib.conventions.images import Product
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.document import Document
from auditlib.inventory.stack import Mount, Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed, specified
from auditlib.rules import _dump_lines as dump_lines
from auditlib.rules._rule import Evidence, rule

_Store = tuple[Service, Product, Mount]


_COLLECTOR = "log collection"
"""Logs, and how far they were read, which nobody wants back."""


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for all data in volumes, that of the monitoring where no project has other."""
    if backups.are_made(inventory):
        return
    kept: dict[str, list[_Store]] = {
        project.name: kept_data.stores(inventory, project)
        + kept_data.files(inventory, project)
        + kept_data.applications(inventory, project)
        + sqlite_files.kept(inventory, project)
        for project in inventory.base_projects
    }
    alone = all(product.kind in services.PASSING for stores in kept.values() for _, product, _ in stores)
    for project in inventory.base_projects:
        watching = kept_data.monitoring_data(inventory, project) if alone else []
        stores = [item for item in (*watching, *kept[project.name]) if item[1].name != _COLLECTOR]
        spared = bool(watching) and not kept[project.name] and _are_weighed(inventory, watching)
        if stores and not spared and not environments.in_development_file(inventory, project.location.file):
            wanted = _lasting(stores)
            yield _evidence(inventory, project, wanted, [item for item in stores if item not in wanted])


def _are_weighed(inventory: Inventory, stores: list[_Store]) -> bool:
    """Whether a document on backups names each of the stores: somebody has decided then what becomes of them."""
    on_backups = [item for item in inventory.documents if backups.is_on_backups(item)]
    return any(all(service.name.lower() in item.words for service, _, _ in stores) for item in on_backups)


def _lasting(stores: list[_Store]) -> list[_Store]:
    return [item for item in stores if item[1].kind not in services.PASSING] or stores


def _evidence(inventory: Inventory, project: Project, stores: list[_Store], passing: list[_Store]) -> Evidence:
    names = [specified(service.name, product.name) for service, product, _ in stores]
    databases = [item for item in stores if item[1].kind == "datastore"]
    silent = _leaves_out(inventory, [*stores, *passing])
    spoken = backups.are_spoken_of(inventory) and not silent
    given = backups.by_hand(inventory) if spoken else None
    by_hand = " A document speaks of backups, so somebody may make them by hand." if spoken else ""
    by_hand = f" {given.location.file} has a command for a backup, which somebody has to give." if given else by_hand
    by_hand = f" {silent} speaks of backups, and not of {'it' if len(names) == 1 else 'them'}." if silent else by_hand
    makers = "script, service or workflow" if given else "script, service, workflow or command"
    first, kept, mount = (databases or stores)[0]
    return Evidence(
        f"{listed(names)} {'keeps' if len(names) == 1 else 'keep'} data, and no {makers} "
        f"of the repository backs any of it up, unless the host does.{by_hand}",
        mount.location,
        subject=f"{project.name}/backup",
        service=first.name,
        related=(
            *(
                Related(item.location, f"what {service.name} keeps ({product.name}) is here", member=True)
                for service, product, item in stores
                if service is not first
            ),
            *(Related(item.location, f"{service.name} ({product.name}) keeps what is made again, or is on its way")
              for service, product, item in passing),
            *((Related(given.location, "the command that a document has for a backup"),) if given else ()),
        ),
        recommendation=f"Add a service or a scheduled job that backs up {listed(names)} to another host, and try to "
        "restore it.",
        severity=_severity(stores, spoken),
        example=_dump(project, first, kept, mount),
    )  # fmt: skip


def _leaves_out(inventory: Inventory, stores: list[_Store]) -> str:
    """The document on backups that names other services of the repository, and none of these stores."""
    mine = {name.lower() for service, product, _ in stores for name in (service.name, product.name, service.project)}
    on_backups = _on_backups(inventory)
    if not on_backups or any(mine & document.words for document, _ in on_backups):
        return ""
    return next((document.path for document, named in on_backups if named - mine), "")


@answered_once
def _on_backups(inventory: Inventory) -> list[tuple[Document, frozenset[str]]]:
    """The documents on backups, each with the names of services that it has."""
    names = {service.name.lower() for service in inventory.services}
    return [(item, item.words & names) for item in inventory.documents if backups.is_on_backups(item)]


def _severity(stores: list[_Store], spoken: bool) -> Severity | None:
    """What the monitoring and caches keep can be missed; what a document speaks of, somebody may back up."""
    kinds = {product.kind for _, product, _ in stores}
    if kinds <= services.OBSERVABILITY | services.PASSING:
        return Severity.LOW
    return None if {"datastore", "application"} & kinds and not spoken else Severity.MEDIUM


def _dump(project: Project, store: Service, product: Product, mount: Mount) -> str:
    """The command of a night's job; the dump leaves the host before it is written."""
    command = dump_lines.command(store, product)
    if not command:
        return _copy(project, store, mount)
    inside = f"docker compose -f {shlex.quote(project.location.file)} exec -T {shlex.quote(store.name)}"
    away = f'restic -r "$RESTIC_REPOSITORY" backup --stdin --stdin-filename {shlex.quote(store.name)}.dump'
    return f"set -o pipefail  # of Bash: a dump that fails is no backup\n{inside} sh -c '{command}' |\n  {away}"


def _copy(project: Project, store: Service, mount: Mount) -> str:
    """What can't be dumped is copied while the service is stopped, so that the files fit together.

    The mount is that of the container: Compose puts the project's name before that of a volume.
    """
    compose, name = f"docker compose -f {shlex.quote(project.location.file)}", shlex.quote(store.name)
    keys = "-e RESTIC_REPOSITORY -e RESTIC_PASSWORD"
    return (
        f"{compose} stop {name}\n"
        f'docker run --rm {keys} --volumes-from "$({compose} ps -aq {name}):ro" \\\n'
        f"  restic/restic backup {shlex.quote(mount.target)}\n{compose} start {name}"
    )
