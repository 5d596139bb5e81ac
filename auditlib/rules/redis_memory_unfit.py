"""Redis may fill all the memory that its container gets, or that its host has.

Without `maxmemory` nothing bounds what it keeps. `maxmemory` counts what Redis itself allocates; fragmentation, and the
pages that a rewrite or a snapshot copies, come on top, so that the kernel kills the server before it makes room; it
then loads the same data again.

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
import shlex
from collections.abc import Iterator

from auditlib.conventions import environments, images, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _durability as durability
from auditlib.rules._rule import Evidence, rule

_SAID = regex(r"--maxmemory[ =]+[\"']?(?P<number>\d{1,15})(?P<unit>[kmg]b?)?(?![\w%])", re.I)
_UNITS = {"": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2, "g": 1000**3, "gb": 1024**3}
"""The units of redis.conf: those with a `b` count by 1024."""
_FILE = regex(r"[\w./$-]+\.conf\b")
_MOST = 0.85
_FIT = 0.75
_MB = 1024**2
_OFFICIAL = frozenset({"redis", "valkey/valkey"})

_POLICIES = "noeviction for a queue, allkeys-lru for a cache"


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Redis that is deployed with a bound of its own beside, or above, the one of its container, or with none."""
    unbounded: dict[str, list[tuple[Service, str]]] = {}
    for service in inventory.deployed_services:
        if environments.is_for_developers(inventory, service) or not services.is_redis(inventory, service):
            continue
        if lack := _lack(inventory, graph, service):
            unbounded.setdefault(service.name, []).append((service, lack))
        if not service.memory_limit.isdigit():
            continue
        text = " ".join((*service.entrypoint, *service.command))
        match = _SAID.search(text)
        limit = int(service.memory_limit)
        own = int(match["number"]) * _UNITS[(match["unit"] or "").lower()] if match else 0
        if match and own and limit and own > _MOST * limit:
            yield _evidence(service, match[0], own, limit)
    for found in unbounded.values():
        yield _unbounded(found)


def _lack(inventory: Inventory, graph: DependencyGraph, service: Service) -> str:
    """What a Redis lacks that a limit or a cache wants; empty where a file, a variable or nobody tells."""
    text = " ".join((*service.entrypoint, *service.command))
    closed = service.build or service.env_files or service.configs or images.repository(service.image) not in _OFFICIAL
    elsewhere = set(_FILE.findall(text)) - {path for command in service.commands for path in command.writes}
    if closed or elsewhere or "maxmemory" in text:
        return ""
    if service.memory_limit.isdigit() and int(service.memory_limit):
        return f"has a limit of {int(service.memory_limit) // _MB} MB"
    cache = durability.redis_persistence(inventory, service) == "off"
    return (
        "writes nothing to disk, as a cache," if cache and not durability.queue_users(inventory, graph, service) else ""
    )


def _unbounded(found: list[tuple[Service, str]]) -> Evidence:
    (service, lack), *others = found
    limit = int(service.memory_limit) if service.memory_limit.isdigit() else 0
    fit = f"{max(int(limit * _FIT) // _MB, 1)}mb" if limit else "<less than its host has>"
    end = "the kernel kills it when its container is full" if limit else "it grows until its host is full"
    return Evidence(
        f"{service.name} {lack} and has no `maxmemory`: {end}, and drops nothing before.",
        service.command_location or service.location,
        subject=f"{service.name}/no maxmemory",
        service=service.name,
        related=tuple(Related(item.command_location or item.location, f"{item.name} here too", member=True)
                      for item, _ in others),
        recommendation=f"Give {service.name} `--maxmemory {fit}` and the policy that fits what it keeps.",
        severity=Severity.LOW,
        example=compose_lines.of_service(service, f"command: {_started(service)} --maxmemory {fit}  # {_POLICIES}"),
    )  # fmt: skip


def _started(service: Service) -> str:
    """What starts the server now, with its options; those of a script or with a variable are to be kept by hand."""
    words = service.command
    plain = words[:1] == ("redis-server",) and not any("$" in word or "\n" in word for word in words)
    return shlex.join(words) if plain else f"redis-server{' <its options now>' if words else ''}"


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
