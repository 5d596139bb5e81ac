"""A reverse proxy passes requests to a host or port that is no service.

nginx looks its upstreams up when it starts and refuses to start if one is missing ("host not found in upstream"); Caddy
and Traefik answer every such request with an error. A port that the service doesn't listen on is a "502 Bad Gateway".
Read are nginx, Caddy, HAProxy, and Traefik with its files and labels.

Anti-pattern:

    location /grafana/ {
      proxy_pass http://grafana:3000;  # no service is called so
    }

Better:

    location /api/ {
      proxy_pass http://api:8000;
    }

Recommendation:

    Correct the name, add the service, or remove the route.

References:

- https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
- https://docs.docker.com/compose/how-tos/networking/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import listening, peers, probes, proxies, traefik, traefik_settings
from auditlib.conventions.listening import Mismatch
from auditlib.conventions.traefik_settings import FileRouter
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy, Upstream
from auditlib.inventory.stack import Endpoint, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import service_of

_NAME = regex(r"\w(?:[\w.-]*\w)?")
"""A name that is whole; one with an end missing has a variable in it that nobody sets here."""
_PORTS = {"http": "80", "https": "443"}


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every upstream of a configuration in use that leads to no service, or to a port of one that it doesn't have."""
    groups = {item.group for proxy in inventory.reverse_proxies for item in proxy.upstreams if item.group}
    for proxy in inventory.reverse_proxies:
        running = proxies.runners(inventory, proxy)
        runners = tuple(item for item in running if not proxies.copies_another(inventory, item, proxy))
        missing: dict[str, list[Upstream]] = {}
        for item in proxy.upstreams if runners else ():
            if (not item.group and item.host in groups) or _is_given(item, runners):
                continue
            if node := graph.resolve(item.host, item.port, proxy.file):
                yield from _at_wrong_port(inventory, proxy, item, service_of(inventory, graph, node))
            elif item.host and _should_be_service(inventory, runners, item):
                missing.setdefault(item.host, []).append(item)
        for host, uses in missing.items():
            yield _evidence(inventory, proxy, host, uses)
    yield from _labels(inventory)
    for settings in traefik_settings.servers(inventory):
        for router in traefik_settings.lost_routers(settings):
            yield _of_file(router, complete=settings.complete)


def _of_file(router: FileRouter, *, complete: bool) -> Evidence:
    return Evidence(
        f"Traefik's router {router.name} passes requests to the service {router.target}, which none of its files "
        "defines: it answers 404.",
        router.location,
        subject=f"{router.name}/{router.target}",
        recommendation=f"Define {router.target} under `services`, or name the provider that has it behind an `@`.",
        confidence=None if complete else Confidence.MEDIUM,
        example=files.into(
            router.location.file,
            f"http:\n  services:\n    {router.target}:\n      loadBalancer:\n        servers:\n"
            "          - url: http://<service>:<port>",
        ),
    )


def _is_given(item: Upstream, runners: tuple[Service, ...]) -> bool:
    """Whether a proxy is given the variable whose default a server is, or may be by a file that nobody sees."""
    return bool(item.variable) and any(
        runner.env_files or any(entry.name == item.variable for entry in runner.environment) for runner in runners
    )


def _should_be_service(inventory: Inventory, runners: tuple[Service, ...], item: Upstream) -> bool:
    end = Endpoint(item.scheme, item.host, item.port)
    if not peers.could_be_service(end) or any(_is_container(inventory, runner, item.host) for runner in runners):
        return False
    return not any(peers.may_be_known(inventory, runner, end) for runner in runners)


def _is_container(inventory: Inventory, runner: Service, host: str) -> bool:
    """Whether a name may be what Compose calls a container: its project's, which may be the folder's, its service's and
    a number; Swarm calls a service by the stack's name and its own.
    """
    name = host.rstrip("0123456789").rstrip("-_")
    beside = inventory.services_of(runner.project).values()
    in_swarm = any(item.for_swarm for item in inventory.projects if item.name == runner.project)
    if in_swarm and any(host.endswith(f"_{item.name}") for item in beside):
        return True
    return name != host and any(name.endswith((f"-{item.name}", f"_{item.name}")) for item in beside)


def _at_wrong_port(
    inventory: Inventory, proxy: ReverseProxy, item: Upstream, service: Service | None
) -> Iterator[Evidence]:
    port = item.port or _PORTS.get(item.scheme, "")
    found = _mismatch(inventory, service, port) if service and port.isdigit() else None
    if service and found:
        yield Evidence(
            f"The proxy passes requests{f' for {item.path}' if item.path else ''} to port {port} of {item.host}, but "
            f"{found}.",
            item.location,
            subject=f"{item.host}:{port}",
            service=service.name,
            related=(Related(service.location, f"{service.name} is defined here"),),
            recommendation=f"Pass them to {item.host}:{found.known[0]} in {proxy.file}.",
            change=(f"{item.host}:{port}", f"{item.host}:{found.known[0]}") if item.port else ("", ""),
            example=files.into(proxy.file, f"{item.host}:{found.known[0]}"),
            confidence=Confidence.MEDIUM,
        )


def _mismatch(inventory: Inventory, service: Service, port: str) -> Mismatch | None:
    """What is wrong with a port; the one that the service's own health check asks is likely right."""
    probe = probes.of(inventory, service)
    found = listening.mismatch(inventory, service, [port], probes.ports(probe) if probe else ())
    return found or _outvoted(inventory, service, port)


def _outvoted(inventory: Inventory, service: Service, port: str) -> Mismatch | None:
    """A port that the proxy alone names, where the health check and what is published or exposed agree on another."""
    versions = inventory.versions(service)
    probe = probes.of(inventory, service)
    published = {item.target for version in versions for item in version.ports}
    published |= {text.partition("/")[0] for version in versions for text in version.expose}
    agreed = published & set(probes.ports(probe)) if probe else set[str]()
    known = {
        text
        for version in versions
        for text in listening.ports(inventory, version) | listening.of_base(inventory, version)
    }
    return Mismatch(port, tuple(sorted(agreed)), False) if agreed and port not in known else None


def _labels(inventory: Inventory) -> Iterator[Evidence]:
    """What is wrong with the labels from which Traefik takes its routes."""
    for label in traefik.ports(inventory):
        if found := _mismatch(inventory, label.service, label.port):
            name = label.service.name
            yield Evidence(
                f"Traefik is told to pass requests to port {label.port} of {name}, but {found}.",
                label.location,
                subject=f"{name}/label/{label.port}",
                service=name,
                recommendation=f"Write {found.known[0]} into the label of {name}.",
                change=(label.port, found.known[0]),
                confidence=Confidence.MEDIUM,
            )
    known = traefik.services(inventory)
    for router in traefik.routers(inventory):
        defined = router.target.lower() in known or traefik.may_be_container(inventory, router.target)
        if router.provider in ("", "docker") and _NAME.fullmatch(router.target) and not defined:
            there = f", or name a service that exists ({listed(sorted(known), limit=4)})" if known else ""
            yield Evidence(
                f"Traefik's router {router.router} passes requests to the service {router.target}, which no label or "
                "file defines: it answers 404.",
                router.location,
                subject=f"{router.router}/{router.target}",
                service=router.service.name,
                recommendation=f"Define {router.target} by a label with its port{there}.",
                example=_label(router.service, router.target),
            )


def _label(service: Service, target: str) -> str:
    label = f"traefik.http.services.{target}.loadbalancer.server.port=<the port that {service.name} listens on>"
    return compose_lines.of_service(service, f'labels:\n  - "{label}"')


def _evidence(inventory: Inventory, proxy: ReverseProxy, host: str, uses: list[Upstream]) -> Evidence:
    first, *others = uses
    runners = proxies.runners(inventory, proxy)
    where = f" for {first.path}" if first.path else ""
    effect = "nginx refuses to start" if proxy.kind == "nginx" else "such requests fail"
    joined = next(filter(None, (peers.joined_by_others(inventory, item) for item in runners)), "")
    unless = f", unless a container of another project has joined {joined}" if joined else ""
    where += " by default" if first.variable else ""
    return Evidence(
        f"The proxy passes requests{where} to {host}{f':{first.port}' if first.port else ''}, which is no service: "
        f"{effect}{unless}.",
        first.location,
        subject=host,
        related=tuple(Related(item.location, f"{host} is named here too", member=True) for item in others),
        recommendation=f"Add a service {host}, or take it out of {proxy.file}.",
        confidence=Confidence.MEDIUM if joined else None,
        example=compose_lines.new_service(inventory, host, runners),
    )
