"""Redis is given a configuration file and isn't told to read it.

Redis reads a file only if it stands first among its arguments. Mounted without that it changes nothing: the limit of
memory, the persistence and the password that it sets don't hold, and nobody is told.

Anti-pattern:

    redis:
      image: redis:8
      command: redis-server --appendonly yes
      volumes: ["./redis.conf:/usr/local/etc/redis/redis.conf:ro"]

Better:

    redis:
      image: redis:8
      command: redis-server /usr/local/etc/redis/redis.conf --appendonly yes
      volumes: ["./redis.conf:/usr/local/etc/redis/redis.conf:ro"]

Recommendation:

    Name the file as the first argument of the server, or remove it.

References:

- https://redis.io/docs/latest/operate/oss_and_stack/management/config/
- https://hub.docker.com/_/redis
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_SERVERS = {"redis": "redis-server", "valkey/valkey": "valkey-server"}
"""By the published image what its command starts, without any file."""
_FILE = regex(r"(?:redis|valkey)[\w.-]*\.conf$")
_TOLD = regex(r"\.conf\b|/etc/|\binclude\b|\bconfig\b")


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service of Redis or Valkey that mounts a configuration file and names none in its command."""
    for service in inventory.distinct_services:
        server = _SERVERS.get(images.repository(service.image), "")
        told = any(item.entrypoint or _TOLD.search(" ".join(item.command)) for item in inventory.versions(service))
        if not server or service.build or service.entrypoint or told:
            continue
        found = next((mount for mount in service.mounts if _is_configuration(mount)), None)
        if found is not None and not any(word in ("sh", "bash") for word in service.command):
            yield _evidence(service, found, server)


def _is_configuration(mount: Mount) -> bool:
    """Whether a mount is one file that by its name configures the server, and no list of users or of the sentinel."""
    name = posixpath.basename(mount.target)
    return mount.kind == "bind" and bool(_FILE.match(name)) and "sentinel" not in name and "acl" not in name


def _evidence(service: Service, mount: Mount, server: str) -> Evidence:
    given = len(" ".join(service.command).split()) > 1
    command = f"{server} {mount.target}{' <its options, as they are>' if given else ''}"
    return Evidence(
        f"{service.name} mounts {mount.source} at {mount.target}, and its command names no file: {server} reads none "
        "then, so that what it sets doesn't hold.",
        mount.location,
        subject=f"{service.project}/{service.name}/{mount.target}",
        service=service.name,
        recommendation=f"Name {mount.target} as the first argument of {server} in {service.name}, or remove the mount.",
        severity=Severity.LOW if environments.only_for_development(service) else None,
        example=compose_lines.of_service(service, f"command: {command}"),
    )
