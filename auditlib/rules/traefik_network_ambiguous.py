"""Traefik may ask a service at an address that it can't reach.

A service in several networks has an address in each, and Traefik takes one of them. Unless it is told which, it may be
that of a network in which Traefik isn't: requests wait and end with 504, until another start happens to choose well.

Anti-pattern:

    traefik: {image: "traefik:v3.1", networks: [proxy]}
    api:
      networks: [proxy, backend]
      labels: {traefik.enable: "true", traefik.http.routers.api.rule: "Host(`api.example.org`)"}

Better:

    api:
      networks: [proxy, backend]
      labels:
        traefik.enable: "true"
        traefik.docker.network: proxy        # by the name that Docker knows it by

Recommendation:

    Name the network that both share in `traefik.docker.network`, or for all in `providers.docker.network`.

References:

- https://doc.traefik.io/traefik/reference/routing-configuration/other-providers/docker/#traefikdockernetwork
- https://doc.traefik.io/traefik/reference/install-configuration/providers/docker/#network
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import traefik, traefik_settings
from auditlib.conventions.traefik_settings import Settings
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Label, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_LABELS = frozenset({"traefik.docker.network", "traefik.swarm.network"})


class _Doubt(Struct, frozen=True):
    """A service that Traefik leads to, with the networks in which Traefik isn't."""

    settings: Settings
    service: Service
    others: tuple[str, ...]
    shared: str
    location: Location


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each Traefik one finding for the services in further networks whose labels don't say which one to take."""
    found: defaultdict[str, list[_Doubt]] = defaultdict(list)
    for service in inventory.deployed_services if traefik_settings.servers(inventory) else ():
        settings = traefik_settings.of(inventory, service) if len(service.networks) > 1 else None
        asked = settings and settings.complete and not settings.value("providers.docker.network")
        doubt = _doubt(inventory, settings, service) if settings and asked and not _named(service) else None
        if settings and doubt:
            found[settings.project].append(doubt)
    for doubts in found.values():
        yield _evidence(inventory, doubts)


def _named(service: Service) -> Label | None:
    return next((label for label in service.labels if label.name.lower() in _LABELS), None)


def _doubt(inventory: Inventory, settings: Settings, service: Service) -> _Doubt | None:
    place = traefik.asked_at(service, enabled=traefik.takes_all(settings.service))
    if place is None or settings.service.network_mode == "host":
        return None
    reached = {_called(inventory, settings.service, item.network) for item in settings.service.networks}
    mine = [item.network for item in service.networks]
    others = tuple(name for name in mine if _called(inventory, service, name) not in reached)
    shared = next((name for name in mine if name not in others), "")
    return _Doubt(settings, service, others, shared, place) if shared and others else None


def _called(inventory: Inventory, service: Service, name: str) -> str:
    """What Docker calls a network, as far as the file says it."""
    project = inventory.base_of(service.project)
    names = (
        item.called for item in inventory.networks if item.name == name and item.project in (project, service.project)
    )
    return next(filter(None, names), f"{project}/{name}")


def _evidence(inventory: Inventory, doubts: list[_Doubt]) -> Evidence:
    first, *others = doubts
    names = listed(item.service.name for item in doubts)
    where = listed(dict.fromkeys(name for item in doubts for name in item.others))
    called = _called(inventory, first.service, first.shared)
    told = called if "/" not in called else f"<the name that Docker has for {first.shared}>"
    return Evidence(
        f"Traefik leads to {names}, {'which is' if not others else 'which are'} in {where} as well, where Traefik "
        "isn't, and nothing says which address it is to take: it may choose one that it can't reach, and answer 504.",
        first.location,
        subject=f"{first.settings.project}/network",
        service=first.service.name,
        related=(
            Related(first.settings.service.location, "the networks of Traefik"),
            *(
                Related(item.location, f"{item.service.name} is in {listed(item.others)} too", member=True)
                for item in others
            ),
        ),
        recommendation=f"Name the network {first.shared} in the label `traefik.docker.network` of {names}.",
        example=compose_lines.of_service(first.service, f"labels:\n  - traefik.docker.network={told}"),
    )
