"""Which service answers to a host name, as the containers of a project see it."""

from __future__ import annotations

from collections import defaultdict
from posixpath import commonprefix, dirname

from auditlib.inventory.stack import Project, Service
from auditlib.paths import upwards

THE_HOST = frozenset({"host.docker.internal", "gateway.docker.internal", "host.containers.internal", "172.17.0.1"})
"""Names under which a container reaches the ports that are published on its host."""


class Hosts:
    """The names of all services: a project's own, then those of the base or the overlays that it goes with."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[str, str], str] = {}
        self._family: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._mounted: defaultdict[str, set[str]] = defaultdict(set)
        self._names: defaultdict[str, dict[str, list[tuple[str, str]]]] = defaultdict(dict)
        self._families_of: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._published: dict[str, str] = {}
        self._nearest: dict[tuple[str, str], str | None] = {}

    def add_project(self, project: Project) -> None:
        """Make a project known. An overlay shares the names of its base."""
        self._nearest.clear()
        family = project.base or project.name
        self._family[project.name] = family
        self._folders.setdefault(family, dirname(project.location.file))

    def add_service(self, service: Service, node: str) -> None:
        """Make the names of a service known: its own, its container's, its host name, its aliases."""
        self._nearest.clear()
        family = self._family.setdefault(service.project, service.project)
        self._nodes.setdefault((service.project, service.name), node)
        aliases = (alias for attachment in service.networks for alias in attachment.aliases)
        for name in (service.name, service.container_name, service.hostname, *aliases):
            if name:
                self._names[family].setdefault(name.lower(), []).append((service.project, node))
                self._families_of[name.lower()][family] = None
        self._mounted[family].update(
            mount.source.removeprefix("./").rstrip("/") for mount in service.mounts if mount.kind == "bind"
        )
        for port in service.ports:
            if port.host_port:
                self._published.setdefault(port.host_port, node)

    def service(self, project: str, name: str) -> str | None:
        """The node of the service that `name` means in a project; None if it means none."""
        if (project, name) in self._nodes:
            return self._nodes[project, name]
        return self._in_family(self._family.get(project, project), name.lower(), project)

    def resolve(self, host: str, project: str | None = None, port: str = "", near: str = "") -> str | None:
        """The node of the service that a host name leads to; None if it is none of the repository.

        Seen from a project only that project and its overlays count. Without one all do: first those that mount the
        file `near`, then the one whose folder is nearest to it. A name of the Docker host leads to who publishes
        `port` there.
        """
        name = host.lower().rstrip(".")
        if name in THE_HOST:
            return self._published.get(port)
        if project is not None:
            return self._in_family(self._family.get(project, project), name, project)
        family = self._nearest_family(name, near)
        return self._in_family(family, name, family) if family else None

    def _nearest_family(self, name: str, near: str) -> str | None:
        """The project with a name that is nearest to a file; rules ask for the same few again and again."""
        if (name, near) not in self._nearest:
            families = self._families_of.get(name, ())
            self._nearest[name, near] = min(families, key=lambda item: self._distance(item, near), default=None)
        return self._nearest[name, near]

    def _in_family(self, family: str, name: str, project: str) -> str | None:
        found = self._names[family].get(name, []) if family in self._names else []
        return next((node for owner, node in found if owner == project), found[0][1] if found else None)

    def _distance(self, family: str, near: str) -> tuple[bool, int]:
        """Whether a project has no use for a file, and how many folders lie between: up from one, down to the other."""
        mine, theirs = self._folders.get(family, "").split("/"), dirname(near).split("/")
        common = len(commonprefix([mine, theirs]))
        used = any(path in self._mounted[family] for path in upwards(near))
        return not used, len(mine) - 2 * common
