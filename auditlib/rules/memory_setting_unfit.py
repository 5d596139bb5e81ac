"""A program may take more memory than its container gets.

A Java heap, the buffer pool of MySQL or the cache of MongoDB grows until the size that it was set to, and the program
needs more beside it: threads, code, connections. Where that size alone is the limit of the container, or above it, the
kernel kills the program before it makes room, under load and without a word in its log.

Anti-pattern:

    services:
      search:
        image: elasticsearch:8.15.3
        environment: ["ES_JAVA_OPTS=-Xms1g -Xmx1g"]
        mem_limit: 1g

Better:

    services:
      search:
        image: elasticsearch:8.15.3
        environment: ["ES_JAVA_OPTS=-Xms512m -Xmx512m"]
        mem_limit: 1g

Recommendation:

    Set the size to half or three quarters of the container's limit, or raise the limit.

References:

- https://www.elastic.co/docs/reference/elasticsearch/jvm-settings
- https://dev.mysql.com/doc/refman/8.4/en/innodb-buffer-pool-resize.html
- https://www.mongodb.com/docs/manual/reference/configuration-options/#mongodb-setting-storage.wiredTiger.engineConfig.cacheSizeGB
- https://nodejs.org/api/cli.html#--max-old-space-sizesize-in-mib
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_MB = 1024**2
_GB = 1024**3
_UNITS = {"": 1, "k": 1024, "kb": 1024, "m": _MB, "mb": _MB, "g": _GB, "gb": _GB}


class _Setting(Struct, frozen=True):
    """A setting that bounds what a program keeps in memory."""

    name: str
    pattern: re.Pattern[str]
    unit: int
    """What a number without a unit counts."""
    most: float
    """The part of the container's limit that it may take before the rest has no room."""
    fit: float
    like: str
    """How a number of megabytes is written."""


_NUMBER = r"(?P<number>\d{1,13}(?:\.\d{1,3})?)"
_POOL = regex(rf"--innodb[-_]buffer[-_]pool[-_]size[= ]{_NUMBER}(?P<unit>[kmg]?)\b", re.I)
_NODE = regex(rf"--max[-_]old[-_]space[-_]size[= ]{_NUMBER}(?P<unit>)\b")
_SHARED = regex(rf"\bshared_buffers ?= ?{_NUMBER}(?P<unit>[kmg]b)\b", re.I)
_TIGER = regex(rf"--wiredTigerCacheSizeGB[= ]{_NUMBER}(?P<unit>)\b")
_SETTINGS = (
    _Setting("the Java heap", regex(rf"-Xmx{_NUMBER}(?P<unit>[kmg]?)\b", re.I), 1, 0.9, 0.7, "{}m"),
    _Setting("the heap of Node.js", _NODE, _MB, 0.9, 0.75, "{}"),
    _Setting("the buffer pool of InnoDB", _POOL, 1, 0.85, 0.6, "{}M"),
    _Setting("shared_buffers", _SHARED, 8192, 0.7, 0.25, "{}MB"),
    _Setting("the cache of WiredTiger", _TIGER, _GB, 0.85, 0.5, ""),
    _Setting("the memory of Memcached", regex(rf"(?:^|\s)-m ?{_NUMBER}(?P<unit>)\b"), _MB, 0.95, 0.8, "{}"),
)
_MARKS = ("-Xmx", "--max", "innodb", "shared_buffers", "wiredTiger")
"""What a text holds that one of the settings stands in."""
_MEMCACHED = "memcached"
_CACHED_BY_HOST = regex(r"elasticsearch|opensearch|kafka|cassandra|solr")
"""Java programs that live on the files that the kernel keeps in memory, for which half of it is meant."""
_OF_BUILDS = regex(r"^(?:MAVEN|GRADLE|SBT|ANT)_OPTS$")


class _Found(Struct, frozen=True):
    setting: _Setting
    written: str
    size: int
    location: Location
    text: str
    variable: str = ""
    """What holds it, empty for the command."""


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service with a limit of memory that a setting of its program leaves no room in."""
    for service in inventory.deployed_services:
        if service.memory_limit.isdigit() and not environments.is_for_developers(inventory, service):
            limit = int(service.memory_limit)
            found = next((item for item in _found(service) if limit and item.size > item.setting.most * limit), None)
            if found:
                yield _evidence(service, found, limit)


def _found(service: Service) -> Iterator[_Found]:
    """The settings that the variables and the command of a service give."""
    words = " ".join((*service.entrypoint, *service.command))
    place = service.command_location or service.location
    texts = [
        (entry.value.text, entry.location, entry.name)
        for entry in service.environment
        if entry.value and not _OF_BUILDS.match(entry.name)
    ]
    for text, location, name in [*texts, (words, place, "")]:
        if any(mark in text for mark in _MARKS) or _MEMCACHED in service.image:
            for setting in _SETTINGS:
                if setting.name.endswith("Memcached") and (_MEMCACHED not in service.image or name):
                    continue
                for match in list(setting.pattern.finditer(text))[-1:]:  # the last one counts
                    unit = match["unit"].lower()
                    size = int(float(match["number"]) * (_UNITS[unit] if unit else setting.unit))
                    yield _Found(setting, match[0], size, location, text, name)


def _evidence(service: Service, found: _Found, limit: int) -> Evidence:
    setting = found.setting
    half = setting.name == "the Java heap" and _CACHED_BY_HOST.search(service.image)
    fit = max(int(limit * (0.5 if half else setting.fit)) // _MB, 1)
    return Evidence(
        f"{service.name} lets {setting.name} grow to {found.size // _MB} MB in a container of {limit // _MB} MB: with "
        "what the program needs beside it the kernel kills it before it makes room.",
        found.location,
        subject=f"{service.name}/memory",
        service=service.name,
        recommendation=f"Lower {setting.name} of {service.name} to {fit} MB, or raise its memory limit.",
        example=compose_lines.of_service(service, _lowered(found, fit)),
    )


def _lowered(found: _Found, fit: int) -> str:
    """The variable or the option with a size that fits; Java's first size must not be above its last one."""
    size = found.setting.like.format(fit) or f"{fit / 1024:.2f}"
    if found.variable and found.setting.name == "the Java heap":
        text = re.sub(r"(-Xm[sx])\d+[kmgKMG]?\b", rf"\g<1>{size}", found.text)
        return f'environment:\n  {found.variable}: "{text}"'
    option = re.sub(r"\d[\d.]*\w*$", size, found.written)
    if found.variable:
        return f'environment:\n  {found.variable}: "{found.text.replace(found.written, option)}"'
    return f"command: <its other words> {option.strip()}"
