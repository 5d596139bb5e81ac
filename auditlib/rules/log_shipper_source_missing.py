"""A log shipper reads files that its container can't see.

The path is right on the host, or in the application's container, and nothing is mounted there in the shipper's own. It
starts, finds no file, and ships nothing; no error says so. So it is with the `access.log` of Nginx's image, which is a
link to standard output, in a volume too.

Anti-pattern:

    # promtail.yml: __path__: /var/log/app/*.log
    promtail:
      image: grafana/promtail:3.2.1
      volumes: ["./promtail.yml:/etc/promtail/config.yml"]

Better:

    promtail:
      volumes:
        - ./promtail.yml:/etc/promtail/config.yml
        - app_logs:/var/log/app:ro

Recommendation:

    Mount the folder or volume in which the logs are into the shipper, at the path that its configuration names.

References:

- https://grafana.com/docs/loki/latest/send-data/promtail/
- https://docs.docker.com/engine/storage/volumes/
- https://github.com/nginx/docker-nginx
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from auditlib.conventions import linked_logs, monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogShipper
from auditlib.inventory.monitoring import PathPattern
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CONTAINERS = "/var/lib/docker/containers"


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every path or socket of a shipper that a service runs, in which nothing is mounted or nobody writes."""
    for shipper in inventory.log_shippers:
        runners = [item for item in monitoring.runners(inventory, shipper.file) if item.build is None]
        if len(runners) == 1:
            yield from _without_socket(shipper, runners[0])
        for source in shipper.sources if len(runners) == 1 else ():
            folder = _folder(source.path)
            if not folder or monitoring.is_template(shipper.file, source.path):
                continue
            mount = _mount(runners[0], folder)
            server = _linking(inventory, source.path, runners[0], mount) if mount else None
            if mount and server:
                yield _linked(shipper, source, runners[0], server)
            elif mount is None:
                yield _evidence(shipper, source, runners[0], "has nothing mounted there", None)
            elif _is_no_folder_of_docker(source.path, mount):
                yield _elsewhere(shipper, source, runners[0], mount)
            elif mount.kind == "volume" and mount.source and not _is_written(inventory, runners[0], mount):
                yield _evidence(shipper, source, runners[0], "finds a volume there that no other service mounts", mount)


def _folder(path: str) -> str:
    """The folder of a pattern before its first wildcard; empty for what is no absolute path."""
    if not path.startswith("/"):
        return ""
    fixed = re.split(r"[*?{\[]", path, maxsplit=1)[0]
    return fixed.rstrip("/") if fixed == path and "." not in posixpath.basename(path) else posixpath.dirname(fixed)


def _mount(service: Service, folder: str) -> Mount | None:
    """The mount that holds a folder, or else one that stands somewhere below it."""
    below = (item for item in service.mounts if folder != "/" and mounts.is_below(item.target, folder))
    return mounts.holding(service, folder) or next(below, None)


def _without_socket(shipper: LogShipper, service: Service) -> Iterator[Evidence]:
    """The first socket of Docker that is named, if the container has none there."""
    absent = [item for item in shipper.sockets if not any(_mount(service, path) for path in _spellings(item.path))]
    if not absent or monitoring.is_template(shipper.file):
        return
    socket = absent[0]
    yield Evidence(
        f"{shipper.file} finds containers by {socket.path}, but nothing is mounted there in the container of "
        f"{service.name}: nothing is found, and nothing shipped.",
        socket.location,
        subject=socket.path,
        service=service.name,
        related=(Related(service.location, f"what {service.name} mounts"),),
        recommendation=f"Mount {socket.path} into {service.name}, or let it ask a proxy of Docker's socket.",
        example=_mounted(service, f"{socket.path}:{socket.path}"),
    )


def _spellings(path: str) -> tuple[str, ...]:
    """A path in `/var/run`, which images have as a link to `/run`, under both names."""
    plain = posixpath.normpath(path)
    other = plain.removeprefix("/var") if plain.startswith("/var/run/") else f"/var{plain}"
    return (plain, other) if plain.startswith(("/run/", "/var/run/")) else (plain,)


def _linking(inventory: Inventory, path: str, reader: Service, mount: Mount) -> Service | None:
    """The Nginx that writes a log into a volume, where its image has a link to standard output in the log's place."""
    pattern = posixpath.basename(path)
    if not any(fnmatchcase(link, pattern) for link in linked_logs.NAMES):
        return None
    if pattern not in linked_logs.NAMES and linked_logs.are_others_written(inventory):
        return None
    return linked_logs.server(inventory, reader, mount)


def _linked(shipper: LogShipper, source: PathPattern, service: Service, server: Service) -> Evidence:
    name = posixpath.basename(source.path)
    kind = "error" if name.startswith("error") else "access"
    own = f"{linked_logs.FOLDER}/{server.name}-{kind}.log"
    printed = bool(shipper.sockets) or any(_CONTAINERS in item.path for item in shipper.sources)
    also = "; what the containers print is shipped beside it" if printed else ""
    moved = f"# {source.path} becomes {own}" if name in linked_logs.NAMES else ""
    return Evidence(
        f"{shipper.file} reads {source.path}, and the image {server.image} has links to its standard streams in place "
        f"of access.log and error.log: the volume takes them over, and {service.name} finds no line of {server.name} "
        f"there{also}.",
        source.location,
        subject=source.path,
        service=service.name,
        related=(Related(server.location, f"{server.name} shares the volume"),),
        recommendation=f"Take {source.path} out of {shipper.file}, as the container's own log has these lines."
        if printed
        else f"Let {server.name} write to a file of another name, and read that; or ship the log of its container.",
        severity=Severity.LOW if printed else None,
        example=files.into(shipper.file, f"# without the job that reads {source.path}")
        if printed
        else f"# the configuration of {server.name}\n{kind}_log {own}{' <its format>' if kind == 'access' else ''};\n"
        f"{files.into(shipper.file, moved) if moved else ''}".rstrip(),
    )


def _is_no_folder_of_docker(path: str, mount: Mount) -> bool:
    """Whether the logs that Docker keeps of containers are looked for where programs of the host write theirs."""
    return mount.kind == "bind" and path.endswith("-json.log") and mounts.is_below(mount.source, "/var/log")


def _is_written(inventory: Inventory, shipper: Service, mount: Mount) -> bool:
    external = any(volume.name == mount.source and volume.external for volume in inventory.volumes)
    return external or any(
        item.source == mount.source and not item.read_only
        for service in inventory.services
        for item in service.mounts
        if service.name != shipper.name and item.kind == "volume"
    )


def _mounted(service: Service, line: str) -> str:
    return compose_lines.of_service(service, f"volumes:\n  - {line}:ro")


def _elsewhere(shipper: LogShipper, source: PathPattern, service: Service, mount: Mount) -> Evidence:
    return Evidence(
        f"{shipper.file} reads the logs of containers in {mount.source} of the host, but Docker writes them to "
        "/var/lib/docker/containers, unless its daemon is told otherwise: nothing is shipped.",
        source.location,
        subject=source.path,
        service=service.name,
        related=(Related(mount.location, f"{service.name} mounts {mount.source}"),),
        recommendation=f"Mount /var/lib/docker/containers into {service.name} at {mount.target}.",
        example=_mounted(service, f"/var/lib/docker/containers:{mount.target}"),
        confidence=Confidence.MEDIUM,
    )


def _evidence(shipper: LogShipper, source: PathPattern, service: Service, what: str, mount: Mount | None) -> Evidence:
    place = mount.location if mount else service.location
    return Evidence(
        f"{shipper.file} reads {source.path}, but the container of {service.name} {what}: nothing is shipped.",
        source.location,
        subject=source.path,
        service=service.name,
        related=(Related(place, f"what {service.name} mounts"),),
        recommendation=f"Mount the logs into {service.name} at {_folder(source.path)}.",
        example=_mounted(service, f"<the folder or volume of the logs>:{_folder(source.path)}"),
    )
