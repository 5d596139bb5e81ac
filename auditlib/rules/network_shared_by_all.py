"""What faces the outside shares its only network with data stores that it never asks.

Whoever finds a hole in the proxy, or in Grafana, stands beside the database, the cache and the broker, and often those
trust whom they see. Networks of Compose cost two lines and keep such a visitor away from them.

Anti-pattern:

    services:
      caddy: {image: "caddy:2.8.4", ports: ["443:443"]}
      api: {image: "example/api:1.0"}
      postgres: {image: "postgres:17.2"}      # all in the default network

Better:

    services:
      caddy: {image: "caddy:2.8.4", ports: ["443:443"]}
      api: {image: "example/api:1.0", networks: [default, data]}
      postgres: {image: "postgres:17.2", networks: [data]}
    networks:
      data:

Recommendation:

    Give the data stores a network of their own that only the services join which ask them.

References:

- https://docs.docker.com/compose/how-tos/networking/#specify-custom-networks
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import urlsplit

from msgspec import Struct

from auditlib import scraping
from auditlib.conventions import environments, monitoring, published_ports, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_FEWEST = 5
"""Services of a project from which a second network is worth its lines."""
_NAMED = 3
_FACING = frozenset({"proxy", "dashboards"})
"""Kinds of programs that people outside reach, and that need no database but one that they are told of."""


class _Stack(Struct, frozen=True):
    """A project in one network: who faces the outside, the data stores, and who asks these, or is asked by them."""

    project: Project
    size: int
    fronts: tuple[Service, ...]
    stores: tuple[Service, ...]
    asking: tuple[Service, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What the variants of one stack (production, staging) have in common."""
        return tuple(item.name for item in (*self.fronts, *self.stores))


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each project that is deployed and whose services are all in one network, variants together."""
    found: defaultdict[tuple[str, ...], list[_Stack]] = defaultdict(list)
    for project in inventory.deployed_projects:
        everybody = inventory.services_of(project.name).values()
        mine = [
            item for item in everybody if not (item.network_mode or environments.is_for_developers(inventory, item))
        ]
        joined = {tuple(item.network for item in service.networks) for service in mine}
        apart = environments.in_development_file(inventory, project.location.file)
        if len(mine) >= _FEWEST and not apart and len(joined) == 1 and len(next(iter(joined))) == 1:
            stack = _stack(inventory, graph, project, mine)
            if stack.fronts and stack.stores and stack.asking:
                found[stack.names].append(stack)
    for stacks in found.values():
        yield _evidence(stacks[0], stacks[1:])


def _stack(inventory: Inventory, graph: DependencyGraph, project: Project, mine: list[Service]) -> _Stack:
    kinds = {item.name: found.kind for item in mine if (found := services.product(inventory, item))}
    stores = [
        item for item in mine
        if kinds.get(item.name) in services.DATASTORES
        and not (published_ports.is_exposed(item) or _is_drawn(inventory, item))
    ]  # fmt: skip
    nodes = {graph.service(project.name, item.name) for item in stores}
    scraping_them = _scraping(inventory, graph, {item.key for item in stores})
    asking = [
        item for item in mine
        if item not in stores and (item.key in scraping_them or not nodes.isdisjoint(_targets(graph, item)))
    ]  # fmt: skip
    facing = (item for item in mine if kinds.get(item.name) in _FACING and published_ports.is_exposed(item))
    fronts = (item for item in facing if item not in asking)
    needed = {target for item in stores for target in _targets(graph, item)}
    followed = (
        item for item in mine if graph.service(project.name, item.name) in needed - nodes and item not in asking
    )
    return _Stack(project, len(mine), tuple(fronts), tuple(stores), (*asking, *followed))


def _is_drawn(inventory: Inventory, store: Service) -> bool:
    """Whether a dashboard asks a store itself."""
    return any(urlsplit(item.url).hostname == store.name or item.url.startswith(f"{store.name}:")
               for item in inventory.datasources)  # fmt: skip


def _scraping(inventory: Inventory, graph: DependencyGraph, stores: set[str]) -> set[str]:
    """The keys of the services whose Prometheus has a store itself as a target."""
    jobs = (job for job in inventory.scrape_jobs if not stores.isdisjoint(scraping.watched(inventory, graph, [job])))
    return {runner.key for job in jobs for runner in monitoring.runners(inventory, job.file)}


def _targets(graph: DependencyGraph, service: Service) -> set[str]:
    node = graph.service(service.project, service.name)
    return {edge.target for edge in graph.edges_from(node)} if node else set()


def _evidence(stack: _Stack, variants: list[_Stack]) -> Evidence:
    file = stack.project.location.file
    network = stack.stores[0].networks[0].network
    seen, behind = (listed(item.name for item in group) for group in (stack.fronts, stack.stores))
    moved = behind if len(stack.stores) <= _NAMED else "the data stores"
    joins = [f"  {item.name}:\n    networks: [{network}, data]" for item in stack.asking]
    alone = [f"  {item.name}:\n    networks: [data]" for item in stack.stores]
    first, *others = stack.fronts
    return Evidence(
        f"All {stack.size} services of {file} share one network: who breaks into {seen}, which other hosts reach, "
        f"stands beside {behind}.",
        first.location,
        subject=stack.project.name,
        service=first.name,
        related=(
            *(Related(item.location, f"{item.name} is reached from outside too", member=True) for item in others),
            *(Related(item.fronts[0].location, "so it is here", member=True) for item in variants),
            *(Related(item.location, f"{item.name} is in the same network") for item in stack.stores),
        ),
        recommendation=f"Put {moved} into a network of their own that only those join which ask them.",
        example=files.into(file, "\n".join(("services:", *joins, *alone, "networks:", "  data:"))),
    )
