"""The backups leave out a part of the data.

A script dumps the database or copies some volumes, so that everybody believes in it, and what another service keeps
beside it is in none of them. After a loss the parts don't fit together: an order without its files, a search without an
index.

Anti-pattern:

    # backup.sh
    docker compose exec -T db pg_dump shop > shop.sql
    # the volume uploads, and MongoDB's, are in no backup

Better:

    docker compose exec -T db pg_dump shop > shop.sql
    docker compose exec -T documents mongodump --archive > documents.archive
    docker run --rm -v shop_uploads:/data:ro -v /backups:/out alpine tar czf /out/uploads.tar.gz /data

Recommendation:

    Back up all that can't be made anew, at the same time, and write down what is left out on purpose.

References:

- https://docs.docker.com/engine/storage/volumes/#back-up-restore-or-migrate-data-volumes
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from auditlib.conventions import backups, environments, kept_data, services
from auditlib.conventions.images import Product
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.inventory.stack import Mount, Project, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed, specified
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _dump_lines as dump_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_DUMPS = {
    "PostgreSQL": regex(r"\b(?:pg_dump(?:all)?|pg_basebackup|pgbackrest|barman|wal-g|postgres-backup\S*)\b"),
    "MySQL": regex(r"\b(?:mysqldump|mariadb-dump|mydumper|xtrabackup|mariabackup|mysql-backup\S*)\b"),
    "MongoDB": regex(r"\bmongodump\b"),
    "Neo4j": regex(r"\bneo4j-admin\b"),
    "InfluxDB": regex(r"\binflux(?:d)? backup\b"),
    "ClickHouse": regex(r"\bclickhouse-backup\b|\bBACKUP\b"),
    "Redis": regex(r"(?i)\bbgsave\b|--rdb\b|dump\.rdb"),
    "MinIO": regex(r"\bmc (?:mirror|cp)\b|\brclone\b"),
}
_INDEXES = frozenset({"Elasticsearch", "Meilisearch", "search index"})
_COPIES = regex(r"\btar\s+-{0,2}\w{0,6}c|\b(?:cp|rsync|zip|restic|borg)\b|\bmc (?:mirror|cp)\b")
_BRINGS_BACK = regex(r"\btar\s+-{0,2}\w{0,6}x|\bdocker cp \S+ [\w.-]+:|\brestore\b")
_TAKES_ALL = regex(
    r"restic|borg|duplicity|duplicati|kopia|velero|rsnapshot|rdiff-backup|volume-backup|volume ls|docker/volumes|"
    r"rclone|snapshot|docker inspect|backup\.py"
)
"""What may copy more than its words tell."""


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project the data that no backup names, where a shell script backs up some of it."""
    scripts = [item for item in inventory.scripts if backups.is_script(item)]
    if not scripts or not all(item.commands for item in scripts):
        return
    told = "\n".join(_texts(inventory))
    if _TAKES_ALL.search(told):
        return
    for project in inventory.base_projects:
        if not environments.in_development_file(inventory, project.location.file):
            yield from _of_project(inventory, project, scripts, told)


def _texts(inventory: Inventory) -> Iterator[str]:
    """The commands of scripts and services that make backups, by their names or by a tool."""
    for script in inventory.scripts:
        lines = [" ".join(command.words) for command in script.commands]
        if backups.SCRIPT_NAME.search(script.path) or any(map(backups.TOOL.search, lines)):
            yield from lines
    for service in inventory.services:
        line = " ".join((service.image, *service.entrypoint, *service.command))
        if backups.SCRIPT_NAME.search(service.name) or backups.TOOL.search(line):
            yield f"{line} {' '.join(mount.source for mount in service.mounts)}"


def _of_project(inventory: Inventory, project: Project, scripts: list[Script], told: str) -> Iterator[Evidence]:
    stores = kept_data.stores(inventory, project) + kept_data.files(inventory, project)
    stores += kept_data.applications(inventory, project)
    kept = [item for item in stores if item[1].kind not in ("cache", "broker")]
    kept = kept or kept_data.monitoring_data(inventory, project)
    named = [item for item in kept if _is_named(item, told)]
    left = [item for item in kept if item not in named and not _is_settled(inventory, item)]
    if named and left:
        yield _evidence(inventory, project, scripts[0], named, left)


def _is_settled(inventory: Inventory, store: tuple[Service, Product, Mount]) -> bool:
    """Whether a search index can be made anew from a database that is backed up, or a document on backups speaks of
    the store, so that somebody has thought of it.
    """
    service, product, _ = store
    names = {product.name.lower(), service.name.lower()}
    documents = (item for item in inventory.documents if backups.is_on_backups(item))
    return product.name in _INDEXES or any(names & item.words for item in documents)


def _is_named(store: tuple[Service, Product, Mount], told: str) -> bool:
    """Whether a command dumps such a product, or names the service, its volume or its folder."""
    service, product, mount = store
    dumps = _DUMPS.get("MySQL" if product.name == "MariaDB" else product.name)
    names = {service.name, service.container_name, mount.source, mount.target, product.name.lower()} - {""}
    return bool(dumps and dumps.search(told)) or any(name in told for name in names)


def _copied_in_document(inventory: Inventory, store: tuple[Service, Product, Mount]) -> Location | None:
    """The first command of a document that copies what a store keeps, or dumps it."""
    product = store[1]
    dumps = _DUMPS.get("MySQL" if product.name == "MariaDB" else product.name)
    names = re.compile("|".join(rf"(?<![\w-]){re.escape(item)}(?![\w-])" for item in _names_of(inventory, store)))
    for document in inventory.documents:
        for mention in document.mentions:
            text = mention.text if mention.kind == "command" else ""
            if dumps and dumps.search(text):
                return mention.location
            if _COPIES.search(text) and not _BRINGS_BACK.search(text) and names.search(text):
                return mention.location
    return None


def _names_of(inventory: Inventory, store: tuple[Service, Product, Mount]) -> set[str]:
    """What a service, its container and its volume are called."""
    service, _, mount = store
    called = {
        item.called for item in inventory.volumes if item.name == mount.source and item.project == service.project
    }
    return {service.name, service.container_name, mount.source, *called} - {""}


def _evidence(
    inventory: Inventory,
    project: Project,
    script: Script,
    named: list[tuple[Service, Product, Mount]],
    left: list[tuple[Service, Product, Mount]],
) -> Evidence:
    (first, product, mount), *others = left
    shown = listed(specified(service.name, kind.name) for service, kind, _ in left)
    told = [place for item in left if (place := _copied_in_document(inventory, item))]
    by_hand = len(told) == len(left)
    lesser = product.kind in services.OBSERVABILITY or by_hand
    keeps = f"what {shown} {'keeps' if not others else 'keep'}"
    rest = (
        f"leaves out {keeps}, which people are to copy by commands of {told[0].file}"
        if by_hand
        else f"no command of the repository names {keeps}, unless the host copies it"
    )
    return Evidence(
        f"{script.path} backs up {listed(item.name for item, _, _ in named)}, and {rest}.",
        mount.location,
        subject=f"{project.name}/left out of backups",
        service=first.name,
        related=(
            Related(script.location, "what is backed up"),
            *(Related(item.location, f"{service.name} keeps data here", member=True) for service, _, item in others),
            *(Related(place, "a document tells to copy it") for place in told),
        ),
        recommendation=f"Add {listed(item.name for item, _, _ in left)} to {script.path}, or say why not.",
        severity=Severity.LOW if lesser else None,
        example=files.into(script.path, _copied(inventory, first, product, mount)),
    )


def _copied(inventory: Inventory, store: Service, product: Product, mount: Mount) -> str:
    """A dump where the server can write one, as its files don't fit together while it runs; else a copy of them."""
    if command := dump_lines.command(store, product):
        inside = f"{compose_lines.call(inventory, store.project)} exec -T {shlex.quote(store.name)}"
        return f"{inside} sh -c '{command}' > <the folder of the backups>/{store.name}"
    return (
        f"docker run --rm -v <the volume {mount.source}>:/data:ro -v <the folder of the backups>:/out alpine \\\n"
        f"  tar czf /out/{store.name}.tar.gz /data"
    )
