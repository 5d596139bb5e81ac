"""A certificate can't be renewed, since no challenge reaches Nginx.

Let's Encrypt asks the site for a file before it signs, and Nginx is told to take it from a folder. Where nothing is
mounted there, whoever renews the certificate writes his file somewhere else, and Nginx answers 404: the renewal fails,
and after ninety days at most visitors see an expired certificate.

Anti-pattern:

    # nginx.conf
    location /.well-known/acme-challenge/ { root /var/www/certbot; }
    # compose.yaml
    web:
      image: nginx:1.29
      volumes: ["./nginx.conf:/etc/nginx/conf.d/default.conf:ro"]

Better:

    web:
      image: nginx:1.29
      volumes:
        - ./nginx.conf:/etc/nginx/conf.d/default.conf:ro
        - challenges:/var/www/certbot:ro
    certbot:
      image: certbot/certbot:v4.2.0
      volumes: ["challenges:/var/www/certbot", "letsencrypt:/etc/letsencrypt"]

Recommendation:

    Mount the folder of the challenges in Nginx and in whatever renews the certificates.

References:

- https://letsencrypt.org/docs/challenge-types/#http-01-challenge
- https://eff-certbot.readthedocs.io/en/stable/using.html#webroot
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, mounts, proxies
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Nginx with a port of TLS whose folder of challenges lies in the container alone."""
    for config in inventory.reverse_proxies:
        for folder, place in config.challenges if "443" in config.listens else ():
            for service in proxies.runners(inventory, config):
                if service.changed_at is None and _is_bare(inventory, service, folder):
                    yield _evidence(config, service, folder, place)


def _is_bare(inventory: Inventory, service: Service, folder: str) -> bool:
    """Whether the container of an image of others has the folder to itself, however an overlay changes it."""
    if service.build is not None or environments.only_for_development(service) or "$" in folder:
        return False
    versions = inventory.versions(service)
    return not any(mounts.is_below(folder, mount.target) for item in versions for mount in item.mounts)


def _evidence(config: ReverseProxy, service: Service, folder: str, place: Location) -> Evidence:
    return Evidence(
        f"{service.name} answers the challenges of Let's Encrypt from {folder}, and nothing is mounted there: whatever "
        "renews the certificate can't put one into the container, unless it answers another kind of challenge.",
        place,
        subject=f"{service.name}{folder}",
        service=service.name,
        related=(Related(service.location, f"{service.name} runs with {config.file}"),),
        recommendation=f"Mount {folder} in {service.name} and in the program that renews the certificate.",
        example=compose_lines.named_volume(service, folder, "challenges"),
    )
