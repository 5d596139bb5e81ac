"""Where a file of the repository is inside a container, and where a container's path is in the repository.

Source: https://docs.docker.com/engine/storage/bind-mounts/; the mount with the longest path wins.
"""

from __future__ import annotations

import posixpath

from auditlib.inventory.stack import Mount, Service


def path_inside(service: Service, path: str) -> str:
    """The path that a service's container sees a file of the repository under; empty if it mounts none of it."""
    binds = [mount for mount in _binds(service) if is_below(path, _source(mount))]
    if not binds:
        return ""
    mount = max(binds, key=lambda item: len(_source(item)))
    return _moved(path, _source(mount), mount.target)


def paths_inside(service: Service, path: str) -> list[str]:
    """All paths that a container sees a file of the repository under, as a folder may be mounted more than once."""
    binds = [mount for mount in _binds(service) if is_below(path, _source(mount))]
    return [_moved(path, _source(mount), mount.target) for mount in binds]


def sees_all(service: Service, path: str) -> bool:
    """Whether a container sees a file only because the whole repository is mounted, as for a developer's tool."""
    return all(not _source(mount) for mount in _binds(service) if is_below(path, _source(mount)))


def path_outside(service: Service, path: str) -> str:
    """The path in the repository of what a container sees under `path`; empty if it comes from elsewhere."""
    mount = holding(service, path)
    if mount is None or mount.kind != "bind" or mount.outside:
        return ""
    return _moved(path, mount.target, _source(mount))


def holding(service: Service, path: str) -> Mount | None:
    """The mount that a path of a container lies in; None if it is part of the image."""
    mounts = [mount for mount in service.mounts if is_below(path, mount.target)]
    return max(mounts, key=lambda item: len(item.target), default=None)


def meant(mount: Mount) -> str:
    """The path that a source would have if it had been written from the repository's root; empty for any other.

    Compose takes `./monitoring/prometheus.yml` in `monitoring/compose.yaml` for `monitoring/monitoring/prometheus.yml`.
    """
    folder = posixpath.dirname(mount.location.file)
    inside = mount.kind == "bind" and not mount.outside and bool(folder) and is_below(mount.source, folder)
    return mount.source[len(folder) + 1 :] if inside else ""


def undoubled(mount: Mount) -> str:
    """The path that is meant by one that names its own folder twice (`monitoring/monitoring/grafana`), else empty."""
    path = meant(mount)
    return path if path and is_below(path, posixpath.dirname(mount.location.file)) else ""


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or something in it; the empty folder is the root of the repository."""
    folder = folder.rstrip("/")
    return not folder or path.rstrip("/") == folder or path.startswith(folder + "/")


def _binds(service: Service) -> list[Mount]:
    return [mount for mount in service.mounts if mount.kind == "bind" and not mount.outside]


def _source(mount: Mount) -> str:
    source = posixpath.normpath(mount.source) if mount.source else ""
    return "" if source == "." else source


def _moved(path: str, old: str, new: str) -> str:
    rest = path[len(old.rstrip("/")) :].lstrip("/")
    return posixpath.normpath(posixpath.join(new or ".", rest)) if rest else new
