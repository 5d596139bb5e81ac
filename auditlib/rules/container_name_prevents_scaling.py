"""A fixed container name allows only one copy of a service.

Names of containers are unique on a host. A service with `container_name` can't be scaled, Compose refuses a second
copy; nor can the same project run twice on a host, for a test or to switch over without an interruption. That matters
where copies are wanted or usual: for workers of a queue, or where a document speaks of scaling.

Anti-pattern:

    api:
      container_name: acme-api

Better:

    api:
      image: ghcr.io/acme/api:1.4  # reachable as `api`; Compose names the containers

Recommendation:

    Remove `container_name`; the service's name is its host name anyway. Commands use `docker compose exec api`.

References:

- https://docs.docker.com/reference/compose-file/services/#container_name
- https://docs.docker.com/reference/cli/docker/compose/up/
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from auditlib.conventions import compose_calls, deployment, environments, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _durability as durability
from auditlib.rules._rule import Evidence, rule

_COPIES = deployment.COPIES - {"scalable", "scalability", "escalabilidad"}
"""Without what praises a design as a whole and says of no service that there are to be more of it."""
_NAME = regex(r"(?<![\w.-])[A-Za-z0-9][\w.-]*")


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for all named services, where copies are wanted or usual, and those refused."""
    hosts = _hosts(inventory)
    spoken = any(not _COPIES.isdisjoint(document.words) for document in inventory.documents)
    for mine in stacks.by_project(inventory.distinct_services).values():
        named = [item for item in mine if item.container_name and not _is_freed(inventory, item)]
        scaled = compose_calls.scaled(inventory)
        copied = {item.name: at for item in named if (at := _copied_at(inventory, item)) is not None}
        refused = [item for item in named if item.name in scaled or item.name in copied]
        if refused:
            why = "is to run in several copies, which Compose refuses"
            found = _evidence(inventory, hosts, refused, why, Severity.HIGH)
            places = [scaled[item.name][1] for item in refused if item.name in scaled]
            places += [at for item in refused if (at := copied.get(item.name, item.location)) != item.location]
            asked = tuple(Related(place, "starts several copies") for place in dict.fromkeys(places))
            yield replace(found, related=(*found.related, *asked))
        called = _called(inventory) if named else frozenset()
        awaited = {item.service for other in mine for item in other.dependencies if "completed" in item.condition}
        once = {item.name for item in mine if services.is_one_shot(item, item.name in awaited)}
        left = {item.name for item in refused} | once
        rest = [item for item in named if item.name not in left and item.container_name not in called]
        scalable = [item for item in rest if services.product(inventory, item) is None]
        scalable = [item for item in scalable if not environments.is_for_developers(inventory, item)]
        free = [item for item in scalable if not _has_fixed_port(item) and not _has_state(item)]
        free = [item for item in free if not durability.is_scheduler(inventory, item)]
        if free and (spoken or any(durability.is_worker(inventory, item) for item in free)):
            ordered = scalable + [item for item in rest if item not in scalable] if spoken else free
            twice = "" if any(map(_has_fixed_port, mine)) else ", nor the project run twice on a host"
            found = _evidence(inventory, hosts, ordered, f"can't be scaled{twice}", None, free[0])
            yield found if spoken else _of_workers(found, [item for item in scalable if item not in free])


def _of_workers(found: Evidence, others: list[Service]) -> Evidence:
    """What holds of workers alone, where nobody speaks of copies; the other fixed names are shown beside it."""
    named = (
        Related(item.container_name_location or item.location, f"the fixed name of {item.name}") for item in others
    )
    return replace(found, severity=Severity.INFO, related=(*found.related, *named))


@answered_once
def _called(inventory: Inventory) -> frozenset[str]:
    """The words of Docker's commands in scripts and documents: who is called by a name there is named on purpose."""
    said = (item.text.split() for document in inventory.documents for item in document.mentions)
    given = (command.words for command in deployment.commands(inventory))
    own = (words for words in (*given, *said) if "docker" in words[:2] and "compose" not in words[:3])
    return frozenset(word for words in own for word in words)


def _has_fixed_port(service: Service) -> bool:
    """Whether a port of the host is taken, which a second container wouldn't get either; a variable may hold it."""
    return any("-" not in port.host_port if port.host_port else port.variable for port in service.ports)


def _hosts(inventory: Inventory) -> dict[str, Location]:
    """By host the first place where a file names it; a container by its name also in values of any form."""
    found: dict[str, Location] = {}
    for job in inventory.scrape_jobs:
        for target in job.targets:
            found.setdefault(target.host, target.location)
    for proxy in inventory.reverse_proxies:
        for upstream in proxy.upstreams:
            found.setdefault(upstream.host, upstream.location)
    for service in inventory.services:
        for entry in service.environment:
            for end in entry.endpoints:
                found.setdefault(end.host, entry.location)
    names = {item.container_name for item in inventory.services if item.container_name != item.name} - {""}
    for service in inventory.services:
        values = [(entry.value.text, entry.location) for entry in service.environment if entry.value]
        values.append((" ".join((*service.entrypoint, *service.command)), service.command_location or service.location))
        for text, place in values:
            for name in names.intersection(_NAME.findall(text)):
                found.setdefault(name, place)
    return found


def _has_state(service: Service) -> bool:
    """Whether the program of others that a service runs writes into a folder that copies of it would share."""
    return service.build is None and any(
        not mount.read_only and (mount.kind == "volume" or (mount.kind == "bind" and mount.outside))
        for mount in service.mounts
    )


def _is_freed(inventory: Inventory, service: Service) -> bool:
    """Whether an overlay takes the fixed name away (`container_name: !reset null`), for who wants copies."""
    return any(item.changed_at and not item.container_name for item in stacks.variants(inventory, service))


def _copied_at(inventory: Inventory, service: Service) -> Location | None:
    """Where a service is to run in several copies: where it stands itself, or the overlay that says so."""
    found = (item for item in stacks.variants(inventory, service) if (item.replicas or 0) > 1 and item.container_name)
    return next((item.changed_at or item.location for item in found), None)


def _evidence(
    inventory: Inventory,
    hosts: dict[str, Location],
    named: list[Service],
    why: str,
    severity: Severity | None,
    who: Service | None = None,
) -> Evidence:
    first, *others = named
    put_together = [item.name for item in named if _has_variable(inventory, item)]
    asked = {item.name: hosts[item.container_name] for item in named
             if item.container_name != item.name and item.container_name in hosts}  # fmt: skip
    return Evidence(
        f"{listed(item.name for item in named)} {'has a fixed container name' if not others else 'have fixed names'}: "
        f"{(who or first).name} {why}.",
        first.container_name_location or first.location,
        subject=f"{first.project}/container_name{'/copies' if severity else ''}",
        service=first.name,
        related=tuple(
            Related(
                item.container_name_location or item.location,
                f"the fixed name of {item.name}",
                member=True,
                change=_change(item, put_together),
            )
            for item in others
        )
        + tuple(Related(place, f"names the container of {name}") for name, place in asked.items()),
        recommendation=f"Remove `container_name` from {listed(item.name for item in named)}; "
        f"{_reached(named, put_together, asked)}.",
        change=_change(first, put_together),
        example=compose_lines.of_service(first, "# no container_name") if first.name in put_together else "",
        severity=severity or (Severity.INFO if stacks.for_development(named) else None),
    )


def _reached(named: list[Service], put_together: list[str], asked: dict[str, Location]) -> str:
    """What is to be done, or needn't, so that others find the services without their containers' names."""
    if put_together:  # whose names no file holds as they are, so that nobody can tell who asks for them
        return "first write the service's name wherever a setting or command names the container's"
    if asked:
        files = listed(dict.fromkeys(place.file for place in asked.values()), limit=2)
        return f"write the service's name where {files} names the container's"
    return f"other services reach {'it' if len(named) == 1 else 'them'} by the service's name"


def _has_variable(inventory: Inventory, service: Service) -> bool:
    """Whether a container's name is put together of variables (`${APP_NAME}_api`)."""
    key = f"services.{service.name}.container_name"
    return any(item.target == key for item in inventory.variables)


def _change(service: Service, put_together: list[str]) -> tuple[str, str]:
    if service.name in put_together:
        return "", ""
    return f"container_name: {service.container_name}", ""
