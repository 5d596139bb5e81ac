"""A proxy is given a variable that its configuration doesn't name.

Nginx and Caddy read no variables but those that their files name: a `DOMAIN` that is passed to the container changes
nothing as long as the configuration has the name of the site, and of its certificate, written out.

Anti-pattern:

    nginx:
      image: nginx:1.29
      environment: {DOMAIN: "${DOMAIN}"}
      volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro"]     # server_name shop.example.org;

Better:

    nginx:
      image: nginx:1.29
      environment: {DOMAIN: "${DOMAIN}"}
      volumes: ["./site.conf.template:/etc/nginx/templates/default.conf.template:ro"]   # server_name ${DOMAIN};

Recommendation:

    Name the variable in the configuration, in a template for Nginx, or remove it.

References:

- https://hub.docker.com/_/nginx#using-environment-variables-in-nginx-configuration-new-in-119
- https://caddyserver.com/docs/caddyfile/concepts#environment-variables
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, images, mounts, nginx_sites, proxies, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import Directive, ReverseProxy
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_IMAGES = {"nginx": "Nginx", "nginxinc/nginx-unprivileged": "Nginx", "caddy": "Caddy"}
_OWN = regex(r"(?:NGINX_ENTRYPOINT|NGINX_ENVSUBST|XDG|CADDY)_\w+|TZ|HOME|LANG|PUID|PGID|WORKER_\w+|ACME_AGREE|GO\w+|"
             r"(?:VIRTUAL|LETSENCRYPT|COOLIFY|DOKPLOY|SERVICE|DD|OTEL|CROWDSEC|CONSUL)_\w+|HTTPS_METHOD|CERT_NAME|"
             r"NETWORK_ACCESS|SSL_POLICY|HSTS|(?:NO|HTTPS?|ALL)_PROXY|(?:no|https?|all)_proxy")  # fmt: skip
"""What the image, or a program that watches containers by Docker's socket (nginx-proxy, Coolify), reads itself."""
_PLAIN = regex(r"^\W*(?:nginx\b|caddy\W+run\b)")
_SITE = regex(r"DOMAIN|HOST|SERVER_NAME|SITE|FQDN")


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Nginx or Caddy, of its published image or built on it, with such variables and a known configuration."""
    mine: dict[str, list[tuple[ReverseProxy, Service]]] = {}
    for config in inventory.reverse_proxies:
        for service in proxies.runners(inventory, config) if config.kind in ("nginx", "caddy") else ():
            if service.environment and nginx_sites.reads(inventory, service, config):
                mine.setdefault(service.key, []).append((config, service))
    for pairs in mine.values():
        config, service = min(pairs, key=lambda pair: not mounts.path_inside(pair[1], pair[0].file))
        if entries := _unread(inventory, service):
            yield _evidence(config, service, entries)


def _unread(inventory: Inventory, service: Service) -> list[EnvironmentEntry]:
    """What Compose gives a service by name, and none of the files that it sees names."""
    base, steps = services.built_from(inventory, service) if service.build else (service.image, ())
    product = _IMAGES.get(images.repository(base))
    started = (item.argument for item in steps if item.keyword in ("ENTRYPOINT", "CMD"))
    starts = [*service.entrypoint, *(text for text in started if not _PLAIN.search(text))]
    outside = any(item.outside or item.kind != "bind" for item in service.mounts if item.target.startswith("/etc"))
    aside = environments.only_for_development(service) or service.project in inventory.aside
    if product is None or starts or (outside and not _has_main(service)) or aside or service.configs:
        return []
    said = " ".join((*service.command, *(service.healthcheck.test if service.healthcheck else ()))).lower()
    said += " ".join(item.argument for item in steps).lower()
    seen = {name for item in inventory.named_variables if _sees(service, item.path) for name in item.names}
    return [
        entry
        for entry in service.environment
        if entry.origin == "environment" and not _OWN.fullmatch(entry.name)
        and entry.name.lower() not in seen and entry.name.lower() not in said
    ]  # fmt: skip


def _has_main(service: Service) -> bool:
    """Whether the whole configuration is mounted, so that what lies beside it holds certificates at most."""
    return any(mount.target in (proxies.MAIN_FILE, "/etc/caddy/Caddyfile") for mount in service.mounts)


def _sees(service: Service, path: str) -> bool:
    """Whether a file is mounted in a service, or lies in the folder that it is built from."""
    inside = bool(mounts.path_inside(service, path)) and not path.endswith((".yml", ".yaml", ".env"))
    return inside or bool(service.build and not service.build.outside and mounts.is_below(path, service.build.folder))


def _evidence(config: ReverseProxy, service: Service, entries: list[EnvironmentEntry]) -> Evidence:
    first, *others = entries
    names = listed(entry.name for entry in entries)
    fixed = _fixed(config) if any(_SITE.search(entry.name.upper()) for entry in entries) else None
    beside = f", which has `{' '.join(fixed.words)}` written out" if fixed else ""
    target = f"{config.file}.template" if config.kind == "nginx" else config.file
    one = not others
    return Evidence(
        f"{service.name} is given {names}, and nothing of its configuration names {'it' if one else 'them'}: "
        f"{'it has' if one else 'they have'} no effect on {config.file}{beside}.",
        first.location,
        subject=f"{service.project}/{service.name}/variables",
        service=service.name,
        related=(
            *((Related(fixed.location, "what is written out"),) if fixed else ()),
            *(Related(entry.location, f"{entry.name} is named nowhere either", member=True) for entry in others),
        ),
        recommendation=f"Name {names} in {config.file}{', as a template' if config.kind == 'nginx' else ''}, or remove "
        f"{'it' if not others else 'them'}.",
        severity=Severity.MEDIUM if fixed else None,
        example=files.into(target, _named(config, entries)),
    )


def _named(config: ReverseProxy, entries: list[EnvironmentEntry]) -> str:
    """How a configuration names a site by its variable, or another one at the place that it is for."""
    site = next((entry for entry in entries if _SITE.search(entry.name.upper())), None)
    name = (site or entries[0]).name
    form = f"${{{name}}}" if config.kind == "nginx" else f"{{${name}}}"
    if site is None:
        return f"<the directive that it is for> {form}{';' if config.kind == 'nginx' else ''}"
    return f"server_name {form};" if config.kind == "nginx" else f"{form} {{\n  …\n}}"


def _fixed(config: ReverseProxy) -> Directive | None:
    """The first name of a site that nginx has written out."""
    for item in nginx_sites.everything(config.tree) if config.tree else ():
        if item.words[0] == "server_name" and "$" not in " ".join(item.words) and "." in item.words[-1]:
            return item
    return None
