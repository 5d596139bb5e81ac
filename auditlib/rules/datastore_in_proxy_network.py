"""A data store joins the network of the proxy, which it doesn't need.

An external network in which the proxy finds the sites of a host is shared by all their stacks: each of them reaches the
store there, and a name like `postgres` in it may be answered by another project's. Those who ask the store meet it in a
network of their own already.

Anti-pattern:

    services:
      db:
        image: postgres:17.2
        networks: [internal, proxy]
    networks:
      internal:
      proxy: {external: true}

Better:

    services:
      db:
        image: postgres:17.2
        networks: [internal]

Recommendation:

    Leave the store in the network that its own services share with it.

References:

- https://docs.docker.com/reference/compose-file/networks/#external
- https://docs.docker.com/compose/how-tos/networking/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, services, traefik
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Attachment, Network, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_Found = tuple[Service, Attachment]


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each external network with routed services, in which stores are that others of their project meet elsewhere."""
    for network in inventory.networks:
        joined = _joined(inventory, network) if network.external else []
        fronts = [service for service, _ in joined if _is_routed(service)]
        stores = [item for item in joined if fronts and _is_needless(inventory, network, item[0])]
        if stores:
            yield _evidence(network, stores, fronts)


def _joined(inventory: Inventory, network: Network) -> list[_Found]:
    """The services of the network's project that are in it, with where they join it."""
    return [
        (service, item)
        for service in inventory.distinct_services
        for item in service.networks
        if service.project == network.project and item.network == network.name
        and not environments.is_for_developers(inventory, service)
    ]  # fmt: skip


def _is_routed(service: Service) -> bool:
    """Whether a proxy that isn't of the project is asked to pass requests to a service."""
    asked = any(entry.name == "VIRTUAL_HOST" and entry.value for entry in service.environment)
    return asked or next(traefik.routes_of(service), None) is not None


def _is_needless(inventory: Inventory, network: Network, store: Service) -> bool:
    """Whether a store has another network, in which all are that wait for it."""
    found = services.product(inventory, store)
    if found is None or found.kind not in services.DATASTORES or _is_asked_for(store):
        return False
    inner = {item.network for item in store.networks} & _own(inventory, network)
    everybody = inventory.services_of(store.project).values()
    waiting = [item for item in everybody if any(each.service == store.name for each in item.dependencies)]
    meeting = [item for item in everybody if any(each.network == network.name for each in item.networks)]
    if not (inner and waiting) or _is_asked_from_outside(inventory, store):
        return False
    return all(inner & {each.network for each in item.networks} for item in (*waiting, *meeting))


def _is_asked_from_outside(inventory: Inventory, store: Service) -> bool:
    """Whether a service of another project names a store, which it may reach by the shared network alone."""
    names = {store.name, store.container_name} - {""}
    others = (item for item in inventory.services if item.project not in inventory.family(store.project))
    return any(end.host in names for item in others if store.name not in inventory.services_of(item.project)
               for entry in item.environment for end in entry.endpoints)  # fmt: skip


def _is_asked_for(store: Service) -> bool:
    """Whether somebody outside of the project is to reach a store: by the proxy, by its port, or by a name there."""
    labelled = any(label.name.lower().startswith("traefik.") for label in store.labels)
    return labelled or _is_routed(store) or bool(store.ports) or any(item.aliases for item in store.networks)


def _own(inventory: Inventory, network: Network) -> set[str]:
    """The networks of the project that other stacks don't share."""
    return {item.name for item in inventory.networks if item.project == network.project and not item.external}


def _evidence(network: Network, stores: list[_Found], fronts: list[Service]) -> Evidence:
    (first, place), *others = stores
    names = listed(service.name for service, _ in stores)
    kept = listed(item.network for item in first.networks if item.network != network.name)
    left = ", ".join(item.network for item in first.networks if item.network != network.name)
    return Evidence(
        f"{names} {'joins' if not others else 'join'} {network.name}, the external network in which a proxy reaches "
        f"{listed(item.name for item in fronts)}: every stack behind that proxy reaches "
        f"{'it' if not others else 'them'} too.",
        place.location,
        subject=f"{network.project}/{network.name}",
        service=first.name,
        related=(
            *(Related(item.location, f"{service.name} too", member=True) for service, item in others),
            Related(network.location, "the network that other stacks share"),
        ),
        recommendation=f"Take {network.name} from the networks of {names}: who asks "
        f"{'it is' if not others else 'them is'} in {kept} as well.",
        example="\n".join(compose_lines.of_service(service, f"networks: [{left}]") for service, _ in stores),
    )
