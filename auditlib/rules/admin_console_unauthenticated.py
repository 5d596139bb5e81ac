"""An administration console can be reached from other hosts without a login.

A console for a database or a broker shows and changes everything that is in there. Several have no login unless they
are told to, and some are told here to leave it out. A port that Docker publishes passes the host's firewall.

Anti-pattern:

    redis-commander:
      image: ghcr.io/joeferner/redis-commander:0.8
      environment: {REDIS_HOSTS: "local:cache:6379"}
      ports: ["8081:8081"]

Better:

    redis-commander:
      image: ghcr.io/joeferner/redis-commander:0.8
      environment:
        REDIS_HOSTS: local:cache:6379
        HTTP_USER: ${CONSOLE_USER:?}
        HTTP_PASSWORD: ${CONSOLE_PASSWORD:?}
      ports: ["127.0.0.1:8081:8081"]

Recommendation:

    Publish the console on 127.0.0.1 and reach it through SSH, and give it a login where it has one.

References:

- https://docs.docker.com/engine/network/packet-filtering-firewalls/
- https://www.pgadmin.org/docs/pgadmin4/latest/container_deployment.html
- https://flower.readthedocs.io/en/latest/auth.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, images, networks, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Port, Project, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


class _Console(Struct, frozen=True):
    """How a console is opened or closed: variables or words that give it a login, or settings that take it away."""

    login: tuple[str, ...] = ()
    """Parts of names of variables and of options; empty for a console that has no login at all."""
    opened: tuple[tuple[str, str], ...] = ()
    """Variables that together open it, with their values if these matter; such a console is closed by default."""


_FLOWER = _Console(
    login=("FLOWER_BASIC_AUTH", "FLOWER_OAUTH", "FLOWER_AUTH", "basic_auth", "basic-auth", "--auth", "--conf")
)
_CONSOLES = (
    (regex(r"(?:.*/)?pgadmin4?"), _Console(opened=(("PGADMIN_CONFIG_SERVER_MODE", "false"),))),
    (regex(r"(?:.*/)?phpmyadmin"), _Console(opened=(("PMA_USER", ""), ("PMA_PASSWORD", "")))),
    (regex(r"(?:.*/)?mongo-express"), _Console(opened=(("ME_CONFIG_BASICAUTH", "false"),))),
    (regex(r"(?:.*/)?redis-commander"), _Console(login=("HTTP_USER", "http-auth"))),
    (regex(r"redis/redisinsight|redislabs/redisinsight"), _Console()),
    (regex(r"(?:provectuslabs|kafbat)/kafka-ui"), _Console(login=("AUTH_", "DYNAMIC_CONFIG", "SPRING_", "spring."))),
    (regex(r"obsidiandynamics/kafdrop"), _Console()),
    (regex(r"amir20/dozzle"), _Console(login=("DOZZLE_AUTH", "DOZZLE_USERNAME", "--auth-provider", "--username"))),
    (regex(r"mher/flower"), _FLOWER),
)


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each project with all consoles that others reach without a login."""
    seen: set[Location] = set()  # an overlay shows the ports of its base again
    for project in inventory.projects:
        mine = (item for item in inventory.services_of(project.name).values() if item.project == project.name)
        found = [
            (service, port)
            for service in mine
            for port in services.public_ports(service)[:1]
            if port.location not in seen and _is_open(inventory, service)
        ]
        seen.update(port.location for _, port in found)
        if found:
            yield _evidence(project, found)


def _console(inventory: Inventory, service: Service) -> _Console | None:
    """Which console a service is, by its image or by its command."""
    if any({"celery", "flower"} <= set(command.words) for command in services.commands(inventory, service)):
        return _FLOWER
    name = images.repository(service.image) if service.build is None else ""
    return next((item for pattern, item in _CONSOLES if pattern.fullmatch(name)), None)


def _is_open(inventory: Inventory, service: Service) -> bool:
    """Whether a service is a console that asks for no login, as far as the files tell."""
    console = _console(inventory, service)
    if console is None or networks.closed_around(inventory, service):
        return False
    values = {entry.name: entry.value.text.strip().lower() for entry in service.environment if entry.value}
    if console.opened:
        return all(name in values and value in ("", values[name]) for name, value in console.opened)
    absent = any(item.path not in inventory.file_set for item in service.env_files)
    unread = absent or service.configs or service.secrets
    mounted = any(posixpath.splitext(mount.target)[1] not in ("", ".sock") for mount in service.mounts)
    words = " ".join((*service.entrypoint, *service.command, *(entry.name for entry in service.environment)))
    return not (console.login and (unread or mounted or any(word in words for word in console.login)))


def _evidence(project: Project, found: list[tuple[Service, Port]]) -> Evidence:
    first, port = found[0]
    return Evidence(
        f"{listed(f'{item.name} ({end.host_port or end.target})' for item, end in found)} can be reached from other "
        "hosts, and asks for no login.",
        port.location,
        subject=f"{project.name}/open-console",
        service=first.name,
        related=tuple(Related(end.location, f"{item.name} is published too", member=True) for item, end in found[1:]),
        recommendation=f"Publish {first.name} as {compose_lines.local_form(port)} in {port.location.file}, "
        "and give it a login if it has one.",
        severity=Severity.LOW if environments.is_for_development(port.location.file) else None,
        change=compose_lines.on_loopback(port),
    )
