"""A data store asks nobody for a password.

Only the network keeps others away from it. Whoever takes over any container of that network, or gets one of them to
send a request, reads and changes sessions, queues and documents, and the store logs nothing that tells who it was.

Anti-pattern:

    services:
      redis:
        image: redis:7.4.1

Better:

    services:
      redis:
        image: redis:7.4.1
        command: ["redis-server", "--requirepass", "${REDIS_PASSWORD:?set it in .env}"]

Recommendation:

    Give each data store a password, and pass it to the services that use it.

References:

- https://redis.io/docs/latest/operate/oss_and_stack/management/security/
- https://hub.docker.com/_/mongo
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, images, open_stores, published_ports, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_NAMED = 3
_SERVERS = (("redis-server",), ("valkey-server",))
_LINES = {
    "redis": 'command: ["redis-server", "--requirepass", "${REDIS_PASSWORD:?set it in .env}"{more}]',
    "valkey/valkey": 'command: ["valkey-server", "--requirepass", "${REDIS_PASSWORD:?set it in .env}"{more}]',
    "mongo": "environment:\n  MONGO_INITDB_ROOT_USERNAME: admin    # made at the first start of an empty volume only\n"
    "  MONGO_INITDB_ROOT_PASSWORD: ${MONGO_PASSWORD:?set it in .env}",
}


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each deployed project, variants together; `datastore-port-published` tells of what is published.

    What comes with a program of others, which alone uses it, is as its makers document it.
    """
    told: defaultdict[tuple[str, ...], list[list[Service]]] = defaultdict(list)
    for mine in stacks.by_project(inventory.deployed_services).values():
        found = [item for item in mine if open_stores.asks_nobody(inventory, item)
                 and not published_ports.is_exposed(item) and not environments.is_for_developers(inventory, item)
                 and not _is_part(list(_users(inventory, graph, item)))]  # fmt: skip
        if found:
            told[tuple(item.name for item in found)].append(found)
    for found, *variants in told.values():
        yield _evidence(inventory, graph, found, [stores[0] for stores in variants])


def _is_part(users: list[Service]) -> bool:
    return len(users) == 1 and users[0].build is None


def _evidence(inventory: Inventory, graph: DependencyGraph, found: list[Service], variants: list[Service]) -> Evidence:
    first, *others = found
    names = listed(item.name for item in found)
    users = [item for item in _users(inventory, graph, first) if item not in found]
    tell = f", and give it to {listed((item.name for item in users), limit=_NAMED)}" if users else ""
    vain = open_stores.refused(inventory, found)
    return Evidence(
        f"{names} {'asks' if len(found) == 1 else 'ask'} nobody for a password: every container of the same network "
        f"reads and changes what is there.{open_stores.told(vain)}",
        first.location,
        subject=f"{first.project}/stores",
        service=first.name,
        related=(
            *(Related(item.location, f"{item.name} asks for none either", member=True) for item in others),
            *(Related(item.location, f"so does {item.name} here", member=True) for item in variants),
            *(
                Related(item.location, f"{item.name} is given the address of {first.name}, or waits for it")
                for item in users
            ),
            *(
                Related(entry.location, f"{entry.name} of {item.name} is a password that {first.name} doesn't have")
                for item, entry in vain
            ),
        ),
        recommendation=f"Set a password for {first.name}{tell}."
        if not others
        else f"Set passwords for {names}, and give them to the services that use these.",
        example=compose_lines.of_service(first, _lines(first)),
    )


def _users(inventory: Inventory, graph: DependencyGraph, store: Service) -> Iterator[Service]:
    """The services that are given the address of a store, or wait for it."""
    node = graph.service(store.project, store.name)
    sources = {edge.source for edge in graph.edges_to(node, "depends_on")} if node else set()
    mine = inventory.services_of(store.project).values()
    yield from (item for item in mine if graph.service(item.project, item.name) in sources)


def _lines(service: Service) -> str:
    if entry := open_stores.switch(service):
        return f"environment:\n  # without {entry.name}; its documentation says how to set the first password"
    if name := open_stores.key(service):
        return f"environment:\n  {name}: ${{{name.replace('__SERVICE__', '_')}:?set it in .env}}"
    given = "".join(f', "{word}"' for word in service.command[1:]) if service.command[:1] in _SERVERS else ""
    return _LINES[images.repository(service.image)].replace("{more}", given)
