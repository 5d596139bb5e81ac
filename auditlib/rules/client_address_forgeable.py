"""Whoever wants to get past a limit by address writes another address into a header.

The code takes its client's address from `X-Forwarded-For`, whoever sends it. Where its port is published, or the proxy
before it only adds to what the client sent, the first address is the client's own invention: each request can have a
new one, limits and locks never apply, and logs name strangers.

Anti-pattern:

    api:
      ports: ["8080:8080"]                  # no proxy before it
    # main.go: router := gin.Default(); limiter.Allow(c.ClientIP())

Better:

    router.SetTrustedProxies([]string{"172.20.0.0/16"})   # the proxy's network; the port isn't published

Recommendation:

    Believe the header only when the proxy sends it, and let the proxy set it anew (`$remote_addr`).

References:

- https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For#security_and_privacy_concerns
- https://gin-gonic.com/en/docs/deployment/#dont-trust-all-proxies
- https://expressjs.com/en/guide/behind-proxies.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, nginx_sites, proxied, published_ports
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ProxyTrait, ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NEEDS_LIMIT = frozenset({"Express", "chi"})
"""What believes headers for all code, so that something else has to show that addresses are counted."""
_LIMITS = {"Express": frozenset({"Nest", "Fastify"}), "chi": frozenset({"net/http", "httprate"})}
_MENDS = {
    "Express": 'app.set("trust proxy", 1);  // the proxy alone, and not `true`',
    "gin": 'router.SetTrustedProxies([]string{"<the network of the proxy>"})',
    "chi": "// instead of middleware.RealIP: take the last address that the proxy added",
}
_ANEW = "proxy_set_header X-Forwarded-For $remote_addr;"


class _Hole(Struct, frozen=True):
    """What lets a client's own header through to a service."""

    location: Location
    said: str
    direct: bool


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service that counts by such an address and is reached directly, or by a proxy that adds to the header."""
    if not any(item.kind == "belief" for item in inventory.proxy_traits):
        return
    adding = _adding(inventory)
    for service in inventory.deployed_services:
        beliefs = _beliefs(inventory, service) if service.build else []
        hole = _hole(service, adding) if beliefs else None
        if hole and not environments.only_for_development(service):
            yield _evidence(service, beliefs, hole)


def _beliefs(inventory: Inventory, service: Service) -> list[ProxyTrait]:
    """The places of a service's code that believe the header where addresses are counted."""
    mine = proxied.traits_of(inventory, service, "belief")
    bound = {item.framework for item in inventory.proxy_traits if item.kind == "bound"}
    counting = {item.framework for item in proxied.traits_of(inventory, service, "limit")}
    by_express = any(item.kind == "limit" for item in inventory.express_files)
    return [
        item
        for item in mine
        if item.framework not in bound
        and (
            item.framework not in _NEEDS_LIMIT
            or counting & _LIMITS[item.framework]
            or (item.framework == "Express" and by_express)
        )
    ]


def _adding(inventory: Inventory) -> dict[str, Location]:
    """By the key of a service where an nginx adds to the header that a client sent."""
    found: defaultdict[str, list[tuple[Location, bool]]] = defaultdict(list)
    for config in inventory.reverse_proxies:
        for runner in nginx_sites.runners(inventory, config) if config.passages else ():
            for service, place, adds in _told(inventory, config, runner):
                found[service].append((place, adds))
    return {key: ways[0][0] for key, ways in found.items() if all(adds for _, adds in ways)}


def _told(inventory: Inventory, config: ReverseProxy, runner: Service) -> Iterator[tuple[str, Location, bool]]:
    for name, chains in proxied.behind(inventory, config, runner).items():
        for chain in chains:
            for item in nginx_sites.holding(chain, "proxy_set_header"):
                if [word.lower() for word in item.words[1:2]] == ["x-forwarded-for"]:
                    key = inventory.services_of(runner.project)[name].key
                    yield key, item.location, "$proxy_add_x_forwarded_for" in item.words


def _hole(service: Service, adding: dict[str, Location]) -> _Hole | None:
    port = next(iter(published_ports.public_ports(service)), None)
    if port:
        return _Hole(port.location, f"its port {port.host_port or port.target} is published to everybody", True)
    place = adding.get(service.key)
    return _Hole(place, "the proxy adds to what the client sent", False) if place else None


def _evidence(service: Service, beliefs: list[ProxyTrait], hole: _Hole) -> Evidence:
    first, *others = beliefs
    mend = _MENDS.get(first.framework, _ANEW if not hole.direct else "<believe it only from the proxy's address>")
    own = f"Publish {service.name} to 127.0.0.1, or believe the header from the proxy alone."
    passed = (
        f"Let the proxy set the header anew (`$remote_addr`), or take the address that it added for {service.name}."
    )
    return Evidence(
        f"{service.name} counts its callers by an address that it takes from a header, and {hole.said}: a caller who "
        "sends another address each time is never limited.",
        first.location,
        subject=f"{service.project}/{service.name}/forged",
        service=service.name,
        related=(
            Related(hole.location, hole.said),
            *(Related(item.location, "believes the header too", member=True) for item in others),
        ),
        severity=Severity.MEDIUM if hole.direct else None,
        recommendation=own if hole.direct else passed,
        example=files.into(hole.location.file if mend == _ANEW else first.location.file, mend),
    )
