"""One service takes several others along when it fails.

It runs once, and others can't start or work without it. That is the normal state of a Compose project; the point of
this finding is the list of what goes down together, which belongs into the runbooks, and the order in which it pays to
add a replica, a failover or a fallback.

Anti-pattern:

    api:    {depends_on: {redis: {condition: service_healthy}}}
    worker: {environment: {CELERY_BROKER_URL: redis://redis:6379/1}}
    redis:  {image: redis:7}                # one, without replica or failover

Better:

    # a managed Redis with automatic failover, or a replica with Sentinel,
    # and an API that answers without its cache

Recommendation:

    Write down what stops when it fails and how it is brought back, then decide whether it deserves a replica.

References:

- https://sre.google/sre-book/addressing-cascading-failures/
- https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from msgspec.structs import replace

from auditlib.conventions import deployment, environments, kept_data, services, stacks
from auditlib.conventions.images import SENTINEL
from auditlib.graph import DependencyGraph, Edge, SinglePoint
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_WORST = 50
"""So many are looked at, the worst first; the rest of a large repository waits for its turn."""


@rule(area=Area.RESILIENCE, severity=Severity.INFO, confidence=Confidence.LOW, effort=Effort.LARGE)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each project with the services that take at least three, and a third of all, along.

    Whether code goes on without one of them the files don't say, so the confidence is low.
    """
    own = stacks.by_project(inventory.distinct_services)
    points = graph.single_points(limit=_WORST)
    settled = bool(deployment.documents_on_scaling(inventory)) or deployment.uses_orchestrator(inventory)
    edges: defaultdict[str, list[Edge]] = defaultdict(list)
    ordered = _ordered(inventory, graph)
    watching = _watching(inventory, graph)
    for edge in graph.edges_of("depends_on"):
        edges[edge.target].append(edge)
    spare = {edge.target for found in edges.values() for edge in found if edge.attributes.get("spare")}
    for project in inventory.base_projects:
        mine = {graph.service(item.project, item.name): item for item in own.get(project.name, [])}
        lasting = {node for node, item in mine.items() if _counts(inventory, item)}
        counted_in = lasting - watching
        worst = [
            (mine[point.node], taken)
            for point in points
            if point.node in lasting - spare
            and len((taken := _taken(point, counted_in, edges, ordered)).hard) >= max(3, len(counted_in) / 3)
        ]
        if worst and not environments.in_development_file(inventory, project.location.file):
            compose = compose_lines.call(inventory, project.name)
            yield _evidence(graph, project.name, compose, worst, settled=settled)


def _counts(inventory: Inventory, service: Service) -> bool:
    """Whether a service runs all the time, and not for development and tests alone, or in another one's place."""
    if kept_data.is_copy(service) or services.product(inventory, service) == SENTINEL:
        return False  # it is there for when the first one fails
    return not (services.is_one_shot(service) or environments.is_for_developers(inventory, service))


def _ordered(inventory: Inventory, graph: DependencyGraph) -> set[tuple[str, str]]:
    """The processes of one image of which one starts after the other without an address of it: none needs another."""
    own = [item for item in inventory.distinct_services if services.product(inventory, item) is None]
    by_node = {graph.service(item.project, item.name): item for item in own}
    found = graph.edges_of("depends_on")
    asked = {(edge.source, edge.target) for edge in found if edge.attributes["inferred"]}
    pairs = {(edge.source, edge.target) for edge in found} - asked
    known = [(source, target, by_node.get(source), by_node.get(target)) for source, target in pairs]
    return {
        (source, target)
        for source, target, one, other in known
        if one and other and services.image_key(one) == services.image_key(other)
    }


def _watching(inventory: Inventory, graph: DependencyGraph) -> set[str]:
    """The monitoring, which goes on when what it looks at has failed."""
    watching = (item for item in inventory.distinct_services if services.is_watching(inventory, item))
    return {node for item in watching if (node := graph.service(item.project, item.name))}


def _taken(
    point: SinglePoint,
    lasting: Collection[str | None],
    edges: Mapping[str, list[Edge]],
    ordered: Collection[tuple[str, str]],
) -> SinglePoint:
    """What goes down of these services, less those that only a shared file of variables gives the address, and those
    that only start after it.
    """
    sure = {point.node}
    waiting = [point.node]
    doubtful: set[str] = set()
    while waiting:
        for edge in edges.get(waiting.pop(), ()):
            shared = edge.attributes["inferred"] and not edge.location.file.endswith((".yml", ".yaml"))
            after = edge.target == point.node and (edge.source, edge.target) in ordered
            if shared or after:
                doubtful.add(edge.source)
            elif edge.attributes["required"] and edge.source in point.hard and edge.source not in sure:
                sure.add(edge.source)
                waiting.append(edge.source)
    left = doubtful - sure
    return replace(point, hard=tuple(node for node in point.hard if node in lasting and node not in left))


_CHAPTER = """## When {name} fails

Can't start without it, and stops with it unless its code goes on: {stopped}

1. `{compose} ps {name}` and `{compose} logs --tail 100 {name}`
2. `{compose} up -d {name}`, if that isn't enough: <what is restored from where>
3. How to see that {first} works again"""


def _chapter(compose: str, service: Service, stopped: list[str]) -> str:
    """What the runbook says of a service on which others rest."""
    names = ", ".join(f"`{name}`" for name in stopped)
    return _CHAPTER.format(compose=compose, name=service.name, stopped=names, first=stopped[0])


def _evidence(
    graph: DependencyGraph,
    project: str,
    compose: str,
    worst: list[tuple[Service, SinglePoint]],
    *,
    settled: bool,
) -> Evidence:
    first, point = worst[0]
    parts = [f"{item.name} takes {counted(len(found.hard), 'service')} along" for item, found in worst]
    stopped = [graph.nodes[node]["name"] for node in point.hard]
    elsewhere = "; in production an orchestrator or a document may settle it" if settled else ""
    return Evidence(
        f"{listed(parts)} when {'it fails, and runs' if len(parts) == 1 else 'they fail, and each runs'} once "
        f"({first.name}: {listed(stopped)}), unless their code goes on without it{elsewhere}.",
        first.location,
        subject=f"{project}/single-points",
        service=first.name,
        related=(
            *(
                Related(item.location, f"{item.name} takes {len(found.hard)} along", member=True)
                for item, found in worst[1:]
            ),
            *(Related(link, f"{name} needs {first.name}") for name, link in _needs(graph, point)),
        ),
        recommendation=f"Write into the runbook what stops with {listed(item.name for item, _ in worst)}, and decide "
        f"on a replica or a fallback for {first.name}.",
        example=_chapter(compose, first, stopped),
    )


def _needs(graph: DependencyGraph, point: SinglePoint) -> list[tuple[str, Location]]:
    """The nearest dependents, each with the place that says so."""
    edges = [edge for edge in graph.edges_of("depends_on") if edge.target == point.node and edge.source in point.hard]
    return [(graph.nodes[node]["name"], place) for node, place in {e.source: e.location for e in edges}.items()][:8]
