"""A program has its cookies sent by HTTPS alone, and is reached by HTTP.

A browser doesn't keep a `Secure` cookie that comes in clear, but for localhost: the login succeeds and the next page
asks for it again. The switch is right, what is missing is TLS before the program.

Anti-pattern:

    grafana:
      image: grafana/grafana:12.0.0
      ports: ["3000:3000"]
      environment: {GF_SECURITY_COOKIE_SECURE: "true"}

Better:

    grafana:
      image: grafana/grafana:12.0.0
      environment: {GF_SECURITY_COOKIE_SECURE: "true"}
    proxy:
      image: caddy:2.10           # grafana.example.org { reverse_proxy grafana:3000 }
      ports: ["80:80", "443:443"]

Recommendation:

    Put a proxy with a certificate before the program.

References:

- https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#secure
- https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#cookie_secure
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import encryption, environments, programs, published_ports, stacks, switches
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NAMES = regex(
    r"(?:^|_)(?:(?:SESSION|CSRF|AUTH|JWT|REFRESH)?_?COOKIE_?SECURE|SECURE_COOKIES?|SESSION_SECURE_COOKIE)$|"
    r"^SECURE_SSL_REDIRECT$"
)


class _Switch(Struct, frozen=True):
    """What has a service send its cookies by HTTPS alone."""

    service: Service
    name: str
    location: Location


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for its published services with such cookies, where nothing speaks TLS."""
    found = list(_switches(inventory))
    if (
        not found
        or encryption.may_be_elsewhere(inventory)
        or any(item.kind == "tls" for item in inventory.server_traits)
    ):
        return
    for project, mine in stacks.by_project(inventory.deployed_services).items():
        keys = {item.key for item in mine if published_ports.public_ports(item) or _is_proxied(inventory, item)}
        here = {item.service.key: item for item in reversed(found) if item.service.key in keys}
        if here:
            yield _evidence(inventory, project, list(reversed(here.values())))


def _is_proxied(inventory: Inventory, service: Service) -> bool:
    hosts = {item.host for config in inventory.reverse_proxies for item in config.upstreams}
    return service.name in hosts


def _switches(inventory: Inventory) -> Iterator[_Switch]:
    """By variables, and by code of Node.js, where that asks for production of what runs there."""
    for service in inventory.deployed_services:
        for entry in service.environment if not environments.only_for_development(service) else ():
            if entry.value and _NAMES.search(entry.name.upper()) and switches.is_on(entry.value.text):
                yield _Switch(service, entry.name, entry.location)
    always = [item.location for item in inventory.proxy_traits if item.kind == "cookie" and item.path == "true"]
    cookies = [item.location for item in inventory.express_files if item.kind == "cookie"]
    cookies += [item.location for item in inventory.proxy_traits if item.kind == "cookie"]
    for program in programs.programs(inventory) if cookies else ():
        for place in cookies if environments.production_entry(program.service) else always:
            if program.holds(place.file) and not environments.only_for_development(program.service):
                yield _Switch(program.service, "`secure`", place)
                break


def _evidence(inventory: Inventory, project: str, found: list[_Switch]) -> Evidence:
    first, *others = found
    port = next(iter(published_ports.public_ports(first.service)), None)
    names = listed(f"{item.service.name} ({item.name})" for item in found)
    where = (
        f"{first.service.name} is published at {port.host_port or port.target}"
        if port
        else "its proxy listens in clear"
    )
    target = port.target if port else "<its port>"
    return Evidence(
        f"{names} {'has' if not others else 'have'} browsers send cookies by HTTPS alone, {where}, and nothing in the "
        "repository speaks TLS: unless a proxy of the host does, nobody stays logged in but on localhost.",
        first.location,
        subject=f"{project}/secure-cookies",
        service=first.service.name,
        related=(
            *((Related(port.location, f"{first.service.name} is published here"),) if port else ()),
            *(Related(item.location, f"{item.name} of {item.service.name}", member=True) for item in others),
        ),
        severity=Severity.LOW if encryption.is_spoken_of(inventory) else None,
        recommendation=f"Put a proxy with a certificate before {listed(item.service.name for item in found)}.",
        example=files.into("Caddyfile", f"<the name of the site> {{\n  reverse_proxy {first.service.name}:{target}\n}}")
        if port
        else compose_lines.of_name("<the proxy>", 'ports: ["80:80", "443:443"]'),
    )
