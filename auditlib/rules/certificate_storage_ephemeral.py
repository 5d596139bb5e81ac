"""A proxy gets certificates by itself and keeps them in its container.

Each container that is made anew asks for all of them again. Let's Encrypt signs five of the same names in a week and
then refuses: after a few deployments the site has no certificate until the week is over.

Anti-pattern:

    caddy:
      image: caddy:2.10
      ports: ["80:80", "443:443"]
      volumes: ["./Caddyfile:/etc/caddy/Caddyfile:ro"]

Better:

    caddy:
      image: caddy:2.10
      ports: ["80:80", "443:443"]
      volumes: ["./Caddyfile:/etc/caddy/Caddyfile:ro", "caddy-data:/data"]

Recommendation:

    Mount a volume where the proxy keeps its certificates.

References:

- https://caddyserver.com/docs/conventions#data-directory
- https://doc.traefik.io/traefik/reference/install-configuration/tls/certificate-resolvers/acme/#storage
- https://letsencrypt.org/docs/rate-limits/#new-certificates-per-exact-set-of-identifiers
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import msgspec

from auditlib.conventions import certificate_folders, environments, images, mounts, proxies, traefik_settings
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_CADDY_DATA = "/data"
_GETS = regex(r"\b(?:certonly|renew|run)\b")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Caddy with a site of a public name, Traefik with a resolver, or companion, that mounts nothing there."""
    for config in inventory.reverse_proxies:
        if config.kind == "caddy" and (place := config.certified):
            for service in proxies.runners(inventory, config):
                if _is_bare(inventory, service, _data_of_caddy(service)) and _is_public(service):
                    yield _evidence(service, _data_of_caddy(service), place, _of_caddy(config))
    for settings in traefik_settings.servers(inventory):
        for item in settings.static:
            path = (
                posixpath.normpath(posixpath.join("/", item.value))
                if certificate_folders.STORAGE.fullmatch(item.name)
                else ""
            )
            if path and "$" not in path and _is_bare(inventory, settings.service, path):
                said = f"keeps its certificates in {path}"
                yield _of_file(settings.service, path, item.location, said)
                break
    yield from _companions(inventory)


def _of_caddy(config: ReverseProxy) -> str:
    return f"gets certificates for the sites of {config.file}"


def _data_of_caddy(service: Service) -> str:
    told = next((item.value.text for item in service.environment if item.name == "XDG_DATA_HOME" and item.value), "")
    return told or _CADDY_DATA


def _is_public(service: Service) -> bool:
    """Whether it can be reached on the port of HTTPS, as it must be to get a certificate that anybody sees."""
    return service.network_mode == "host" or any(port.target == "443" for port in service.ports)


def _is_bare(inventory: Inventory, service: Service, folder: str) -> bool:
    """Whether no version of a service that runs outside of development mounts anything that lasts there."""
    if (
        service.changed_at is not None
        or environments.only_for_development(service)
        or service.project in inventory.aside
    ):
        return False
    lasting = [mount for item in inventory.versions(service) for mount in item.mounts if mount.kind != "tmpfs"]
    return not any(mounts.is_below(folder, item.target) or mounts.is_below(item.target, folder) for item in lasting)


def _companions(inventory: Inventory) -> Iterator[Evidence]:
    for service in inventory.distinct_services:
        folder = certificate_folders.COMPANIONS.get(images.repository(service.image)) if service.build is None else None
        words = " ".join((*service.entrypoint, *service.command))
        asks = "certbot" not in service.image or _GETS.search(words)
        if folder and asks and _is_bare(inventory, service, folder):
            yield _evidence(service, folder, service.location, f"keeps its certificates in {folder}")


def _of_file(service: Service, path: str, place: Location, said: str) -> Evidence:
    """The finding on a Traefik; a file in the root of its container can't be kept there, since nothing mounts that."""
    folder = posixpath.dirname(path)
    if folder != "/":
        return _evidence(service, folder, place, said)
    inside = posixpath.join("/letsencrypt", posixpath.basename(path))
    return msgspec.structs.replace(
        _evidence(service, path, place, said),
        recommendation=f"Let {service.name} keep them in {inside}, and mount a named volume at /letsencrypt.",
        example=compose_lines.named_volume(service, "/letsencrypt"),
    )


def _evidence(service: Service, folder: str, place: Location, said: str) -> Evidence:
    return Evidence(
        f"{service.name} {said} and mounts no volume at {folder}: each new container asks for all of them again, until "
        "Let's Encrypt refuses.",
        place,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(Related(service.location, f"{service.name} has no mount at {folder}"),)
        if place != service.location
        else (),
        recommendation=f"Mount a named volume at {folder} of {service.name}.",
        example=compose_lines.named_volume(service, folder),
    )
