"""Redis may fill all the memory that its container gets.

`maxmemory` counts what Redis itself allocates. Fragmentation, and the pages that a rewrite or a snapshot copies, come
on top, so that the kernel kills the server before it makes room; it then loads the same data again. So it does
in a container with a limit whose Redis has no `maxmemory` at all.

Anti-pattern:

    cache:
      image: redis:7.4.1
      command: redis-server --maxmemory 512mb --maxmemory-policy allkeys-lru
      deploy: {resources: {limits: {memory: 512M}}}

Better:

    cache:
      image: redis:7.4.1
      command: redis-server --maxmemory 384mb --maxmemory-policy allkeys-lru
      deploy: {resources: {limits: {memory: 512M}}}

Recommendation:

    Keep `maxmemory` at three quarters of the container's memory limit, or lower where much is written.

References:

- https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/memory-optimization/
- https://redis.io/docs/latest/develop/reference/eviction/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import environments, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_SAID = regex(r"--maxmemory[ =]+[\"']?(?P<number>\d{1,15})(?P<unit>[kmg]b?)?(?![\w%])", re.I)
_UNITS = {"": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2, "g": 1000**3, "gb": 1024**3}
"""The units of redis.conf: those with a `b` count by 1024."""
_FILE = regex(r"[\w./-]+\.conf\b")
_FOLDER = regex(r"/(?:redis|valkey)/?$|^/etc/|^/usr/local/etc/")
_MOST = 0.85
_FIT = 0.75
_MB = 1024**2


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Redis that is deployed with a bound of its own beside, or above, the one of its container."""
    unbound: list[tuple[Service, int]] = []
    for service in inventory.deployed_services:
        if not service.memory_limit.isdigit() or environments.is_for_developers(inventory, service):
            continue
        text = " ".join((*service.entrypoint, *service.command))
        match = _SAID.search(text) if services.is_redis(inventory, service) else None
        limit = int(service.memory_limit)
        own = int(match["number"]) * _UNITS[(match["unit"] or "").lower()] if match else 0
        if match and own and limit and own > _MOST * limit:
            yield _evidence(service, match[0], own, limit)
        elif limit and services.is_redis(inventory, service) and _says_nothing(service, text):
            unbound.append((service, limit))
    if unbound:
        yield _unbound(unbound)


def _says_nothing(service: Service, text: str) -> bool:
    """Whether all that an image of others is told is known, and nothing of it bounds the memory for data."""
    given = " ".join(entry.name for entry in service.environment).lower()
    elsewhere = set(_FILE.findall(text)) - {path for command in service.commands for path in command.writes}
    mounted = any(mount.target.endswith(".conf") or _FOLDER.search(mount.target) for mount in service.mounts)
    told = any("maxmemory" in said.replace("maxmemory-policy", "") for said in (text.lower(), given))
    others = service.build or service.configs or (service.env_files and "bitnami" in service.image)
    return not (told or elsewhere or mounted or others)


def _unbound(found: list[tuple[Service, int]]) -> Evidence:
    (service, limit), *others = found
    names = listed(item.name for item, _ in found)
    fit = f"{max(int(limit * _FIT) // _MB, 1)}mb"
    one = not others
    return Evidence(
        f"{names} {'has' if one else 'have'} no `maxmemory` in {'a container' if one else 'containers'} with a memory "
        f"limit: when {'it is' if one else 'they are'} full, the kernel kills {'it' if one else 'them'}, before any "
        "key is thrown out or a write refused.",
        service.command_location or service.location,
        subject="maxmemory",
        service=service.name,
        related=tuple(Related(item.command_location or item.location, f"nor has {item.name}", member=True)
                      for item, _ in others),
        recommendation=f"Start {service.name} with `--maxmemory {fit}` and the `--maxmemory-policy` that fits.",
        severity=Severity.LOW,
        example=compose_lines.of_service(
            service, f"command: redis-server --maxmemory {fit}  # and what stands there now"
        ),
    )  # fmt: skip


def _evidence(service: Service, said: str, own: int, limit: int) -> Evidence:
    fit = f"{max(int(limit * _FIT) // _MB, 1)}mb"
    number = said.rsplit(maxsplit=1)[-1].rsplit("=", maxsplit=1)[-1].strip("\"'")
    return Evidence(
        f"{service.name} may keep {own // _MB} MB of data in a container of {limit // _MB} MB: with what comes on "
        "top of the data the kernel kills it before it makes room.",
        service.command_location or service.location,
        subject=f"{service.name}/maxmemory",
        service=service.name,
        recommendation=f"Lower `maxmemory` of {service.name} to {fit}, or raise its memory limit.",
        change=(number, fit) if service.command else ("", ""),
        example=compose_lines.of_service(
            service, f"command: redis-server --maxmemory {fit}  # and what stands there now"
        ),
    )
