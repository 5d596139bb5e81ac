"""Several services write to one volume.

Two processes that append to one log file, rotate it or lock files in it get in each other's way; with local volumes
they are also bound to one host, so that they can't be scaled apart. For a database's files it is the end of the data;
SQLite lets one process write at a time, and the others fail with "database is locked".

Anti-pattern:

    api:
      volumes: ["logs:/app/logs"]
    worker:
      volumes: ["logs:/app/logs"]

Better:

    api:
      volumes: ["uploads:/app/uploads"]
    worker:
      volumes: ["uploads:/app/uploads:ro"]
    # logs go to standard output

Recommendation:

    Mount the volume read-only in the services that only read it, or use an object store.

References:

- https://docs.docker.com/engine/storage/volumes/#share-data-between-machines
- https://12factor.net/processes
- https://www.sqlite.org/whentouse.html
"""

from __future__ import annotations

import posixpath
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, images, kept_data, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_HELPERS = frozenset({"proxy", "backup", "tool", "test", "exporter"})
_MEANT_TO_BE_SHARED = regex(
    r"cert|acme|letsencrypt|sock|static|cache|node_modules|venv|/run(?:/|$)|backup|barman|wal[-_]?archive|"
    r"(?:^|[\s/_-])(?:restic|borg)(?:$|[\s/_-])|/airflow/(?:logs|dags|plugins)(?:/|$)|spark[-_]events",
    re.I,
)
"""The repository of a backup's tool is one for all that write to it; Airflow's server shows the logs of its tasks, each
of which has a file of its own, as Spark's history does.
"""
_COORDINATES = regex(r"(?:^|[/_-])(?:control|locks?|journals?|state|coordination|wal)(?:$|[/_-])", re.I)
"""Names of what processes agree by, for which no object store is good."""
_SQLITE = regex(r"\.sqlite3?$|(?:^|/)(?:db|app|data|database)\.db$")
_SQLITE_URL = regex(r"sqlite(?:\+\w+)?:///(/[^?]+)")
_OTHER_DATABASE = regex(r"postgres|mysql|mariadb|mongodb|mssql|oracle|cockroach", re.I)
_TSDB = regex(r"--storage\.tsdb\.path[= ](\S+)")
_LOGS = regex(r"(?:^|/)logs?(?:/|$)")
_HANDED_OVER = regex(
    r"(?:^|[/_-])(?:exports?|reports?|results?|outputs?|downloads?|artifacts?|generated)(?:$|[/_-])", re.I
)
"""Names of what one program makes for another one, or for users, to fetch."""


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.LOW, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """What two lasting services mount writable: a volume, logs, SQLite; whether both do write, the files don't say."""
    files = [file for file in inventory.files if _SQLITE.search(file)]
    writers: defaultdict[tuple[str, str], list[tuple[Service, Mount]]] = defaultdict(list)
    called = {(item.project, item.name): item.called for item in inventory.volumes if item.called}
    for project in inventory.base_projects:
        mine = inventory.services_of(project.name).values()
        kept = [] if any(_OTHER_DATABASE.search(item.image) for item in mine) else files
        for service in mine:
            for mount in service.mounts:
                meant = _MEANT_TO_BE_SHARED.search(f"{mount.source} {mount.target}")
                shared = _is_shared_kind(mount) or _opens_sqlite(service, mount) or _brings_sqlite(service, mount, kept)
                shared = shared or _is_of_server(inventory, service, mount)
                if shared and mount.source and not mount.read_only and not meant:
                    volume = called.get((project.name, mount.source), mount.source)
                    writers[project.name, volume if mount.kind == "volume" else mount.source].append((service, mount))
    alike: defaultdict[tuple[str, ...], list[tuple[str, list[tuple[Service, Mount]]]]] = defaultdict(list)
    for (project_name, volume), found in writers.items():
        lasting = [(service, mount) for service, mount in found if _writes(inventory, service)]
        lasting = _writers_of_logs(lasting)
        names = tuple(dict.fromkeys(service.name for service, _ in lasting))
        if len(names) > 1:
            alike[volume, *names].append((project_name, lasting))
        elif copied := _copied(inventory, lasting):
            yield _of_copies(*copied)
    for (volume, *_), editions in alike.items():
        (project_name, lasting), *others = editions
        yield _evidence(inventory, project_name, volume, lasting, [item for _, more in others for item in more])


def _copied(inventory: Inventory, found: list[tuple[Service, Mount]]) -> tuple[Service, Mount] | None:
    """The one writer of a volume, if it is a database that runs several times: each takes the files for its own."""
    for service, mount in found:
        product = services.product(inventory, service)
        if (service.replicas or 1) > 1 and mount.kind == "volume" and kept_data.keeps_data(service, product) == mount:
            return service, mount
    return None


def _of_copies(service: Service, mount: Mount) -> Evidence:
    return Evidence(
        f"{service.name} runs {service.replicas} times, and all copies mount the volume {mount.source} writable: each "
        "takes the files of the others for its own and damages them.",
        mount.location,
        subject=f"{service.project}/{mount.source}",
        service=service.name,
        recommendation=f"Run {service.name} once, or set up its replication with a volume for each instance.",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        example=compose_lines.of_service(service, "deploy:\n  replicas: 1"),
    )


def _is_shared_kind(mount: Mount) -> bool:
    """Named volumes, and folders of the host for logs; other folders are mostly source code."""
    is_file = "." in mount.target.rpartition("/")[2]
    return mount.kind == "volume" or (mount.kind == "bind" and bool(_LOGS.search(mount.target)) and not is_file)


def _is_of_server(inventory: Inventory, service: Service, mount: Mount) -> bool:
    """Whether a mount holds the files of a database or a Prometheus, which are one server's alone."""
    product = services.product(inventory, service)
    return _is_of_prometheus(service, mount) or (
        product is not None and product.kind == "datastore" and kept_data.keeps_data(service, product) == mount
    )


def _is_of_prometheus(service: Service, mount: Mount) -> bool:
    if images.repository(service.image) != "prom/prometheus":
        return False
    told = _TSDB.search(" ".join(service.command))
    return mounts.is_below(told[1] if told else "/prometheus", mount.target)


def _opens_sqlite(service: Service, mount: Mount) -> bool:
    """Whether a service is told to open a SQLite file that it has in a mount."""
    texts = (entry.value.text for entry in service.environment if entry.value is not None)
    return any(mounts.is_below(match[1], mount.target) for text in texts for match in _SQLITE_URL.finditer(text))


def _brings_sqlite(service: Service, mount: Mount, files: list[str]) -> bool:
    """Whether a folder of the repository brings one of the SQLite files to a service that knows no other database."""
    if mount.kind != "bind" or mount.outside or not files:
        return False
    folder = "" if mount.source == "." else mount.source
    texts = (entry.value.text for entry in service.environment if entry.value is not None)
    return any(folder in (file, posixpath.dirname(file)) for file in files) and not any(
        _OTHER_DATABASE.search(text) for text in texts
    )


def _writes(inventory: Inventory, service: Service) -> bool:
    found = services.product(inventory, service)
    helps = found is not None and found.kind in _HELPERS
    return not helps and not services.is_one_shot(service) and not environments.only_for_development(service)


def _writers_of_logs(found: list[tuple[Service, Mount]]) -> list[tuple[Service, Mount]]:
    """Of those that mount one folder of logs only the service that the folder is called by, if it is: others read."""
    owners = {
        (service.name, mount.target)
        for service, mount in found
        if _LOGS.search(mount.target) and posixpath.basename(mount.target) in _called(service)
    }
    folders = {target for _, target in owners}
    return [
        (service, mount)
        for service, mount in found
        if mount.target not in folders or (service.name, mount.target) in owners
    ]


def _called(service: Service) -> set[str]:
    """What a service is called: by its own name, by its container's, by its image's."""
    image = posixpath.basename(service.image.partition("@")[0]).partition(":")[0]
    return {service.name, service.container_name, image} - {""}


def _apart(found: list[tuple[Service, Mount]], *, own: bool, handed: bool) -> str:
    """Those that only read as readers, or each with files of its own."""
    (first, mount), *_ = found
    if not own and not handed and len({services.image_key(service) for service, _ in found}) == 1:
        parts = ("logs", "cache")
        kept = (f"\n  - {first.name}-{part}:{mount.target.rstrip('/')}/<folder of {part}>" for part in parts)
        return compose_lines.of_service(first, f"volumes:\n  - {_source(mount)}:{mount.target}{''.join(kept)}")
    if not own:
        line = f"{_source(found[0][1])}:{found[0][1].target}:ro"
        return compose_lines.of_name("<a service that only reads it>", f"volumes:\n  - {line}")
    lines = [(service, f"{_source(mount)}-{service.name}:{mount.target}") for service, mount in found]
    mounted = "\n".join(compose_lines.of_service(service, f"volumes:\n  - {line}") for service, line in lines)
    if found[0][1].kind != "volume":
        return mounted
    declared = "".join(f"\n  {line.partition(':')[0]}:" for _, line in lines)
    return f"services:\n{textwrap.indent(mounted, '  ')}\nvolumes:{declared}"


def _advice(found: list[tuple[Service, Mount]], volume: str, names: str, *, handed: bool) -> str:
    """What to do about files that all may need; processes of one image begin with one script, which may write."""
    images = {services.image_key(service) for service, _ in found}
    if len(images) == 1 and not handed:
        if _COORDINATES.search(volume):
            return f"Say in a document which of {names} writes what in {volume}, as it binds them to one host."
        return (
            f"Keep what only one of {names} needs out of {volume}; before a second host, move the rest to an object "
            "store."
        )
    return f"Mount {volume} with `:ro` in those of {names} that only read it, or move its content to an object store."


def _source(mount: Mount) -> str:
    if mount.kind != "bind" or mount.outside:
        return mount.source
    path = posixpath.relpath(mount.source, posixpath.dirname(mount.location.file) or ".")
    return path if path.startswith(".") else f"./{path}"


def _write_logs(inventory: Inventory, found: list[tuple[Service, Mount]]) -> bool:
    """Whether code or a variable names a log file in such a folder; elsewhere a folder may be mounted in vain."""
    paths = [item.path for item in inventory.log_files]
    paths += [
        entry.value.text for service, _ in found for entry in service.environment
        if entry.value and "LOG" in entry.name
    ]  # fmt: skip
    folders = {mount.target.rstrip("/") for _, mount in found}
    if "artisan" in inventory.files_by_name and any(folder.endswith("/storage/logs") for folder in folders):
        return True  # Laravel's default
    return any(_is_in(path, folder) for path in paths for folder in folders)


def _is_in(path: str, folder: str) -> bool:
    """Whether a path, as code gives it, is in a folder of the container."""
    if path.startswith("/"):
        return mounts.is_below(path, folder)
    return path.removeprefix("./").startswith(f"{posixpath.basename(folder.rstrip('/'))}/")


def _severity(found: list[tuple[Service, Mount]], *, known: bool, sqlite: bool, databases: bool) -> Severity | None:
    if databases:
        return Severity.HIGH
    if known or sqlite:
        return Severity.MEDIUM
    one_image = len({services.image_key(service) for service, _ in found}) == 1
    passed_on = all(kept_data.is_of_users_files(mount) or _is_handed_over(mount) for _, mount in found)
    return Severity.INFO if one_image and passed_on else None


def _is_handed_over(mount: Mount) -> bool:
    return bool(_HANDED_OVER.search(mount.source) or _HANDED_OVER.search(mount.target))


def _evidence(
    inventory: Inventory,
    project: str,
    volume: str,
    found: list[tuple[Service, Mount]],
    elsewhere: list[tuple[Service, Mount]],
) -> Evidence:
    """One finding for the volume, with the editions of the stack that have it too."""
    names = listed(service.name for service, _ in found)
    kinds = [product.kind for service, _ in found if (product := services.product(inventory, service))]
    databases = kinds.count("datastore") > 1 or sum(_is_of_prometheus(*item) for item in found) > 1
    logs = all(_LOGS.search(mount.target) for _, mount in found)
    handed = not databases and all(_is_handed_over(mount) for _, mount in found)
    risk = (
        "by its name one hands on there what the other makes"
        if handed
        else "each may damage the other's files"
        if databases
        else "each can overwrite what the others wrote"
    )
    known = logs and _write_logs(inventory, found)
    if logs:
        told = "they append to the same log files" if known else "log files that they write there are the same ones"
        risk = f"{told}, which none of them can rotate alone"
    sqlite = not (logs or databases) and any(
        mount.kind == "bind" or _opens_sqlite(service, mount) for service, mount in found
    )
    if sqlite:
        risk = "they have one SQLite file, which locks out all of them but the one that writes"
    first = found[0][1]
    what = "folder" if first.kind == "bind" else "volume"
    return Evidence(
        f"{names} mount the {what} {volume} writable; {risk}, and all of them are bound to one host.",
        first.location,
        subject=f"{project}/{volume}",
        related=tuple(
            Related(mount.location, f"{service.name} may write to it too", member=True)
            for service, mount in (*found[1:], *elsewhere)
        ),
        recommendation=f"Let {names} log to standard output, or each to files of its own."
        if logs
        else _advice(found, volume, names, handed=handed),
        severity=_severity(found, known=known, sqlite=sqlite, databases=databases),
        confidence=Confidence.MEDIUM if known or sqlite or databases else None,
        example="" if sqlite else _apart(found, own=logs or databases, handed=handed),
    )
