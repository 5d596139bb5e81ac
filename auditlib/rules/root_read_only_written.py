"""A service writes to its root file system, which is read-only.

`read_only: true` leaves a container what it mounts and `/dev/shm`, nothing else; `/tmp` and `/run` are part of the
root. A command that redirects to a file there, or a server that makes its socket there, ends at every start: Gunicorn
keeps the sign of life of its workers in `/tmp`, Nginx buffers in `/var/cache/nginx`.

Anti-pattern:

    cache:
      image: redis:7.4
      command: sh -c 'echo "requirepass $$PASSWORD" > /tmp/redis.conf && redis-server /tmp/redis.conf'
      read_only: true
      tmpfs: [/data]

Better:

    cache:
      image: redis:7.4
      command: sh -c 'echo "requirepass $$PASSWORD" > /tmp/redis.conf && redis-server /tmp/redis.conf'
      read_only: true
      tmpfs: [/data, /tmp]

Recommendation:

    Mount a `tmpfs` where the service writes what it needs while it runs.

References:

- https://docs.docker.com/reference/compose-file/services/#read_only
- https://docs.docker.com/reference/compose-file/services/#tmpfs
- https://docs.docker.com/engine/storage/tmpfs/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, images, mounts, services, starting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_OF_ROOT = regex(r"/(?:tmp|var/tmp|run|var/run|usr|root)/[\w@%+.,/-]+")
"""Paths without expansions, where images declare no volumes as a rule."""
_WRITERS = frozenset({"touch", "tee"})
_FOLDERS: dict[str, tuple[tuple[str, ...], str]] = {
    "postgres": (("/var/run/postgresql",), "unix_socket_directories"),
    "mysql": (("/var/run/mysqld", "/tmp"), "socket"),  # noqa: S108 -- a folder of the container
    "mariadb": (("/run/mysqld", "/tmp"), "socket"),  # noqa: S108
    "mongo": (("/tmp",), "unixSocketPrefix"),  # noqa: S108
    "httpd": (("/usr/local/apache2/logs",), "PidFile"),
    "nginx": (("/var/cache/nginx", "/run"), "temp_path"),
}
"""Where the servers of official images make files at each start, and the option by which they are told otherwise."""
_GUNICORN = regex(r"(?:^|[\s/\"'])gunicorn\s")
_OF_GUNICORN = regex(r"--worker-tmp-dir|-c\s|--config\b")


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each read-only service whose command, or whose well-known server, writes where nothing is mounted."""
    for service in inventory.services:
        if not service.read_only:
            continue
        written = {path: place for command in service.commands for path, place in _written(command)}
        held = {path: place for path, place in written.items() if not _is_mounted(service, path)}
        if held:
            yield _evidence(inventory, service, held)
        elif folders := _of_server(inventory, service):
            yield _of_image(inventory, service, folders)


def _written(command: Command) -> Iterator[tuple[str, Location]]:
    """The paths of the root that a command surely writes to."""
    named = command.words[1:] if command.words[:1] and command.words[0] in _WRITERS else ()
    for path in (*command.writes, *named):
        if _OF_ROOT.fullmatch(path) and not (command.cannot_fail or command.conditional):
            yield posixpath.normpath(path), command.location


def _is_mounted(service: Service, path: str) -> bool:
    """Whether a path lies in something that the service mounts and may write; `/var/run` leads to `/run`."""
    names = {path, path.removeprefix("/var"), f"/var{path}"} if "/run/" in path else {path}
    return any((mount := mounts.holding(service, each)) and not mount.read_only for each in names)


def _of_server(inventory: Inventory, service: Service) -> list[str]:
    """The folders in which a well-known server makes files, and where nothing is mounted."""
    name = images.repository(service.image).removeprefix("docker.io/").removeprefix("library/")
    folders, option = _FOLDERS.get(name, ((), ""))
    told = any(option in word or word == "--nounixsocket" for word in service.command)
    changed = service.build or service.entrypoint or told
    configured = any(mount.target.startswith(("/etc/mysql", "/etc/my", "/usr/local/apache2/conf")) or
                     mount.target.endswith("postgresql.conf") for mount in service.mounts)  # fmt: skip
    if changed or configured or not services.runs_server(inventory, service):
        folders = ()
    if _starts_gunicorn(inventory, service):
        folders = ("/tmp",)  # noqa: S108
    return [folder for folder in folders if not _is_mounted(service, f"{folder}/x")]


def _starts_gunicorn(inventory: Inventory, service: Service) -> bool:
    """Whether workers keep their sign of life where Gunicorn puts it by itself."""
    text = "\n".join(" ".join(start.words) for start in starting.of(inventory, service))
    match = _GUNICORN.search(text)
    told = any(entry.name == "GUNICORN_CMD_ARGS" for entry in service.environment)
    return match is not None and not told and not _OF_GUNICORN.search(text[match.end() - 1 :])


def _evidence(inventory: Inventory, service: Service, held: dict[str, Location]) -> Evidence:
    paths = list(held)
    folders = dict.fromkeys(map(_to_mount, paths))
    return Evidence(
        f"{service.name} is read-only and writes {listed(paths)} at its start, where it mounts nothing: the command "
        'ends with "Read-only file system".',
        held[paths[0]],
        subject=service.name,
        service=service.name,
        recommendation=f"Add {listed(folders)} to the `tmpfs` of {service.name}.",
        severity=_severity(inventory, service),
        example=compose_lines.of_service(service, _tmpfs(service, *folders)),
    )


def _to_mount(path: str) -> str:
    """The folder to keep in memory for a path: the first one of its own, as others of it are empty anyway."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[1] == "tmp" else posixpath.dirname(path)


def _of_image(inventory: Inventory, service: Service, folders: list[str]) -> Evidence:
    server = f"the server of {service.image}" if service.image and not service.build else "its server"
    return Evidence(
        f"{service.name} is read-only, and {server} makes files in {listed(folders)} at each start, where nothing is "
        'mounted: it ends with "Read-only file system".',
        service.image_location or service.location,
        subject=service.name,
        service=service.name,
        recommendation=f"Add {listed(folders)} to the `tmpfs` of {service.name}.",
        severity=_severity(inventory, service),
        confidence=Confidence.MEDIUM,
        example=compose_lines.of_service(service, _tmpfs(service, *folders)),
    )


def _severity(inventory: Inventory, service: Service) -> Severity | None:
    return Severity.LOW if environments.is_for_developers(inventory, service) else None


def _tmpfs(service: Service, *folders: str) -> str:
    """The folders of a service that are kept in memory, with further ones."""
    now = (mount.target for mount in service.mounts if mount.kind == "tmpfs")
    return f"tmpfs: [{', '.join(dict.fromkeys((*now, *folders)))}]"
