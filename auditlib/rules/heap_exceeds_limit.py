"""A program may use all the memory that its container gets, or more.

A bound on the heap tells the virtual machine of Java, or Node.js, when to collect garbage and when to fail with a
message. Above what the container may have it never comes to that: the kernel kills the program first, in the middle of
its work and with nothing in its log. The heap isn't all either: classes, threads and buffers need a quarter more.

Anti-pattern:

    search:
      environment: {ES_JAVA_OPTS: -Xms1g -Xmx1g}
      deploy: {resources: {limits: {memory: 1G}}}

Better:

    search:
      environment: {ES_JAVA_OPTS: -Xms1g -Xmx1g}
      deploy: {resources: {limits: {memory: 2G}}}

Recommendation:

    Keep the heap at three quarters of the container's limit, at half of it where the system caches files.

References:

- https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html
- https://nodejs.org/api/cli.html#--max-old-space-sizesize-in-mib
- https://www.elastic.co/docs/reference/elasticsearch/jvm-settings
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import environments, services, starting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_HEAP = regex(
    r"(?<![\w-])-Xmx(?P<java>\d{1,12})(?P<unit>[kKmMgG]?)\b|--max[-_]old[-_]space[-_]size[= ](?P<node>\d{1,7})\b"
)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_OPTIONS = regex(
    r"^(?:\w*(?:JAVA|JVM|CATALINA|HEAP)\w*OPT\w*|_JAVA_OPTIONS|NODE_OPTIONS|JAVA_ARGS|\w*_HEAP_\w+|JVM_ARGS)$", re.I
)
_USUAL = regex(r"(?:^|/)(?:kafka|cp-kafka|cp-server|logstash)(?=[:@]|$)")
"""Images that ask for a heap of a gigabyte, whatever the container gets."""
_GB = 2**30
_MOST = 0.9
_FIT = 0.75
_MB = 2**20


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each deployed service with a memory limit whose heap may be as large, by its options or its image's habit."""
    for service in inventory.deployed_services:
        if service.memory_limit.isdigit() and not environments.is_for_developers(inventory, service):
            limit = int(service.memory_limit)
            heap, place, said = _heap(inventory, service)
            if limit and heap > _MOST * limit:
                yield _evidence(service, heap, limit, place, said)


def _heap(inventory: Inventory, service: Service) -> tuple[int, Location, str]:
    """The bytes of the heap, where that is said and by which words; nothing where no option tells it."""
    for entry in service.environment:
        text = entry.value.text if entry.value and _OPTIONS.match(entry.name) else ""
        if match := _HEAP.search(text):
            return _bytes(match), entry.location, match[0]
    for start in starting.of(inventory, service):
        if match := _HEAP.search(" ".join(start.words)):
            return _bytes(match), start.location, match[0]
    for item in services.built_from(inventory, service)[1]:
        for name, value in item.variables if item.keyword == "ENV" else ():
            if value and _OPTIONS.match(name) and (match := _HEAP.search(value.text)):
                return _bytes(match), item.location, match[0]
    return _usual(service), service.location, ""


def _bytes(match: re.Match[str]) -> int:
    if match["node"]:
        return int(match["node"]) * _MB
    return int(match["java"]) * _UNITS[match["unit"].lower()]


def _usual(service: Service) -> int:
    """The heap that an image asks for by itself; none where a variable that isn't known may say another one."""
    told = any(_OPTIONS.match(entry.name) for entry in service.environment) or bool(service.command)
    asks = not service.build and not service.env_files and _USUAL.search(service.image)
    return _GB if asks and not told else 0


def _evidence(service: Service, heap: int, limit: int, place: Location, said: str) -> Evidence:
    wanted = f"{max(int(heap / _FIT) // _MB, 1)}M"
    fit = max(int(limit * _FIT) // _MB, 1)
    smaller = f"--max-old-space-size={fit}" if "old" in said else f"-Xmx{fit}m"
    asks = f"by `{said}`" if said else "as its image asks for by itself"
    return Evidence(
        f"{service.name} may have a heap of {heap // _MB} MB {asks} in a container of {limit // _MB} MB: the kernel "
        "kills it before it frees memory or says that it lacks some.",
        place,
        subject=f"{service.name}/heap",
        service=service.name,
        related=(Related(service.location, f"{service.name} is given {limit // _MB} MB"),) if said else (),
        recommendation=f"Raise the memory limit of {service.name} to {wanted}, or lower its heap to {fit} MB.",
        change=(said, smaller) if said else ("", ""),
        example=compose_lines.of_service(service, f"deploy: {{resources: {{limits: {{memory: {wanted}}}}}}}"),
    )
