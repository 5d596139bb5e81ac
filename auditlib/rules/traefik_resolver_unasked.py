"""Traefik has a resolver of certificates, and no router asks for it.

`tls=true` alone makes a router speak TLS with the certificates that Traefik has. It gets none by itself: the resolver
that is configured is asked only by routers, or entry points, that name it. Callers see Traefik's self-signed
certificate and a warning.

Anti-pattern:

    - traefik.http.routers.shop.tls=true

Better:

    - traefik.http.routers.shop.tls.certresolver=letsencrypt

Recommendation:

    Name the resolver in each router, or once at the entry point (`--entrypoints.websecure.http.tls.certresolver=…`).

References:

- https://doc.traefik.io/traefik/reference/routing-configuration/http/tls/tls-certificates/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import environments, traefik, traefik_settings
from auditlib.conventions.traefik_settings import Settings
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_RESOLVER = regex(r"traefik\.(?:http|tcp)\.routers\.[^.]+\.tls\.certresolver", re.I)
_ASKS = (".certresolver", "tls.certificates", "tls.stores", ".defaultcertificate", ".defaultgeneratedcert")


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Traefik with a resolver that neither a label, an option nor a file names, and routers that speak TLS."""
    for settings in traefik_settings.servers(inventory):
        known = settings.complete and settings.reads_labels and settings.resolvers
        if known and not environments.is_for_developers(inventory, settings.service) and not _is_asked(settings):
            mine = [item for item in inventory.services if inventory.base_of(item.project) == settings.project]
            yield from _of_services(settings, mine)


def _is_asked(settings: Settings) -> bool:
    names = [item.name for item in settings.static if not item.name.startswith("certificatesresolvers.")]
    names += [item.name for item in settings.dynamic]
    return any(word in name for name in names for word in _ASKS)


def _of_services(settings: Settings, mine: list[Service]) -> Iterator[Evidence]:
    if any(_RESOLVER.fullmatch(label.name) for item in mine for label in item.labels):
        return
    enabled = traefik.takes_all(settings.service)
    routes = [route for item in mine for route in traefik.routes_of(item, enabled=enabled) if route.encrypted]
    if not routes:
        return
    first, *others = routes
    name, place = next(iter(settings.resolvers.items()))
    routers = listed(route.router for route in routes)
    yield Evidence(
        f"{settings.service.name} has the resolver {name}, and no router asks for it: {routers} "
        f"{'gets' if not others else 'get'} Traefik's self-signed certificate, unless a file on the host holds one.",
        first.location,
        subject=f"{settings.project}/{name}",
        service=first.service.name,
        related=(
            Related(place, f"the resolver {name}"),
            *(Related(item.location, f"{item.router} names none either", member=True) for item in others),
        ),
        recommendation=f"Give {'each router' if others else f'the router {first.router}'} `tls.certresolver={name}`.",
        example=compose_lines.of_service(
            first.service, f"labels:\n  - traefik.http.routers.{first.router}.tls.certresolver={name}"
        ),
    )
