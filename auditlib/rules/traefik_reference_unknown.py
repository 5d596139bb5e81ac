"""A router of Traefik names an entry point, a middleware or a resolver of certificates that nobody defines.

Traefik leaves such a router out and answers 404, or, where only the resolver is unknown, serves its own self-signed
certificate, which no browser accepts. It says so in one line of its log and nowhere else.

Anti-pattern:

    traefik:
      command: ["--entrypoints.websecure.address=:443", "--certificatesresolvers.le.acme.email=…"]
    api:
      labels:
        traefik.http.routers.api.entrypoints: https
        traefik.http.routers.api.tls.certresolver: letsencrypt

Better:

    api:
      labels:
        traefik.http.routers.api.entrypoints: websecure
        traefik.http.routers.api.tls.certresolver: le

Recommendation:

    Write the name that Traefik's own configuration has, or define what is named.

References:

- https://doc.traefik.io/traefik/reference/routing-configuration/http/routing/router/
- https://doc.traefik.io/traefik/reference/install-configuration/tls/certificate-resolvers/overview/
- https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/overview/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib import nearest
from auditlib.conventions import environments, traefik_settings
from auditlib.conventions.traefik_settings import Settings
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Label, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PART = regex(
    r"traefik\.(?P<protocol>http|tcp|udp)\.routers\.(?P<router>[^.]+)\."
    r"(?P<part>entrypoints|middlewares|tls\.certresolver)",
    re.I,
)
_MIDDLEWARE = regex(r"traefik\.(?:http|tcp)\.middlewares\.(?P<name>[^.]+)\.", re.I)
_OF_FILE = regex(r"(?:http|tcp)\.middlewares\.(?P<name>[^.]+)")
_KINDS = {
    "entrypoints": ("entry point", "Traefik leaves the router out, and answers 404"),
    "middlewares": ("middleware", "Traefik leaves the router out, and answers 404"),
    "tls.certresolver": ("resolver of certificates", "Traefik serves its self-signed certificate"),
}
_LINES = {
    "entrypoints": "--entrypoints.{}.address=:<its port>",
    "middlewares": "traefik.http.middlewares.{}.<its kind>.<its options>: <what it does>",
    "tls.certresolver": "--certificatesresolvers.{}.acme.storage=/letsencrypt/acme.json",
}


class _Use(Struct, frozen=True):
    """A label that names what isn't there."""

    service: Service
    router: str
    part: str
    name: str
    location: Location
    by_provider: bool = False
    """Whether it names Docker as the provider, as for what a container of another project defines."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each name that labels give and that the Traefik which reads them doesn't know."""
    if not any(item.complete for item in traefik_settings.servers(inventory)):
        return
    made = _middlewares(inventory)
    found: defaultdict[tuple[str, str, str], list[tuple[Settings, _Use]]] = defaultdict(list)
    for service in inventory.services if made is not None else ():
        settings = traefik_settings.of(inventory, service) if service.labels else None
        for use in (
            _uses(service) if settings and settings.complete and not _is_a_trial(inventory, settings, service) else ()
        ):
            if settings and use.name.lower() not in _known(settings, use.part, made or frozenset()):
                found[settings.project, use.part, use.name].append((settings, use))
    for (_, part, name), uses in found.items():
        yield _evidence(part, name, uses)


def _is_a_trial(inventory: Inventory, settings: Settings, service: Service) -> bool:
    """Whether the Traefik is a developer's, and the labels are those of another one's in production."""
    home = settings.service.location.file
    own = home == service.location.file or environments.in_development_file(inventory, service.location.file)
    return not own and (environments.is_aside(home) or environments.is_for_developers(inventory, settings.service))


def _middlewares(inventory: Inventory) -> frozenset[str]:
    """The middlewares that labels or files of the repository define, in lower case."""
    labels = (_MIDDLEWARE.match(label.name) for item in inventory.services for label in item.labels)
    given = (_OF_FILE.match(item.name) for item in inventory.traefik_settings)
    return frozenset(match["name"].lower() for match in (*labels, *given) if match)


def _uses(service: Service) -> Iterator[_Use]:
    """What the routers of a service name; a name of another provider is looked up elsewhere."""
    for label in service.labels:
        match = _PART.fullmatch(label.name)
        for name in _names(label) if match else ():
            if match:
                of_docker = f"{name}@docker" in label.value
                yield _Use(service, match["router"], match["part"].lower(), name, label.location, of_docker)


def _names(label: Label) -> list[str]:
    words = [word.strip() for word in label.value.split(",")]
    plain = [word.removesuffix("@docker") for word in words if word and "$" not in word and "{" not in word]
    return [word for word in plain if "@" not in word]


def _known(settings: Settings, part: str, made: frozenset[str]) -> frozenset[str]:
    """The names that a Traefik knows, in lower case; without a word of any the one named counts as known."""
    if part == "middlewares":
        return made
    return frozenset(settings.entry_points or {"http"}) if part == "entrypoints" else frozenset(settings.resolvers)


def _evidence(part: str, name: str, found: list[tuple[Settings, _Use]]) -> Evidence:
    (settings, first), *others = found
    what, follows = _KINDS[part]
    known = sorted(_known(settings, part, frozenset())) if part != "middlewares" else []
    instead = f"; it has {listed(known)}" if known else ""
    near = next(iter(nearest.names(name, known)), "")
    router = listed(use.router for _, use in found)
    elsewhere = all(use.by_provider for _, use in found)
    doubt = ", unless a container of another project does" if elsewhere else ""
    return Evidence(
        f"{router} of {listed(use.service.name for _, use in found)} names the {what} {name}, which neither "
        f"{settings.service.name} nor a label or file of the repository defines{instead}{doubt}: {follows}.",
        first.location,
        subject=f"{settings.project}/{part}/{name}",
        service=first.service.name,
        related=(
            Related(settings.service.location, "the Traefik that reads it"),
            *(Related(use.location, f"so does {use.router}", member=True) for _, use in others),
        ),
        recommendation=f"Define the {what} {name}, or write {' or '.join(known[:4]) or 'one that is defined'} into "
        f"the label.",
        confidence=Confidence.MEDIUM if elsewhere else None,
        change=(name, near or known[0]) if near or len(known) == 1 else ("", ""),
        example=files.into(settings.service.location.file, _LINES[part].format(name)),
    )
