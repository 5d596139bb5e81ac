"""A configuration lies where nginx refuses it.

`nginx.conf` is the whole configuration and needs an `events` block; what lies in `conf.d` is read inside its `http`
block, where `events` and `http` aren't allowed. With the one in the place of the other nginx ends as soon as it starts.

Anti-pattern:

    volumes:
      - ./site.conf:/etc/nginx/nginx.conf    # site.conf has nothing but `server { … }`

Better:

    volumes:
      - ./site.conf:/etc/nginx/conf.d/default.conf:ro

Recommendation:

    Mount files that hold servers at `/etc/nginx/conf.d/`, and only a whole configuration at `/etc/nginx/nginx.conf`.

References:

- https://nginx.org/en/docs/beginners_guide.html#conf_structure
- https://nginx.org/en/docs/ngx_core_module.html#events
- https://hub.docker.com/_/nginx
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import build_context, mounts, proxies, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_INSIDE = ("/etc/nginx/conf.d/", "/etc/nginx/templates/")
_READ = (".conf", ".template")
_Placed = tuple[Service, str, Location]
"""The service that has a file, where its container finds it, and what puts it there."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration of nginx that services mount, or their images copy, to a place of the other kind."""
    for proxy in inventory.reverse_proxies:
        uses = [found for service in inventory.distinct_services if (found := _placed(inventory, service, proxy))]
        wrong = [use for use in uses if _refused(proxy, use[1]) and not _starts_otherwise(inventory, *use[:2])]
        if proxy.kind == "nginx" and wrong:
            yield _evidence(proxy, wrong, _refused(proxy, wrong[0][1]))


def _placed(inventory: Inventory, service: Service, proxy: ReverseProxy) -> _Placed | None:
    """Where the nginx of a service finds a file, and what puts it there."""
    for mount in service.mounts if _is_nginx(inventory, service) else ():
        if mount.kind == "bind" and mount.source == proxy.file:
            return service, mounts.path_inside(service, proxy.file), mount.location
    for item in services.built_from(inventory, service)[1] if service.build and _is_nginx(inventory, service) else ():
        whole = item.keyword == "COPY" and len(item.words) == 2 and not item.flags
        if whole and service.build and build_context.path_outside(service.build, item.words[0]) == proxy.file:
            return service, item.words[1], item.location
    return None


def _is_nginx(inventory: Inventory, service: Service) -> bool:
    """Whether a service is of nginx's own image; a distribution's package has other folders."""
    found = services.product(inventory, service)
    return found is not None and found.name == "Nginx"


def _starts_otherwise(inventory: Inventory, service: Service, path: str) -> bool:
    """Whether the service is told of another configuration, or of another place for what templates make."""
    _, instructions = services.built_from(inventory, service)
    placed = [mount.target for mount in service.mounts]
    placed += [word for item in instructions if item.keyword == "COPY" for word in item.words[-1:]]
    if path != proxies.MAIN_FILE and set(placed) & {proxies.MAIN_FILE, "/etc/nginx", "/etc/nginx/"}:
        return True
    names = [item.name for item in service.environment]
    names += [name for item in instructions for name, _ in item.variables]
    words = " ".join((*service.entrypoint, *service.command))
    return " -c " in words or "NGINX_ENVSUBST_OUTPUT_DIR" in names


def _refused(proxy: ReverseProxy, path: str) -> str:
    """Why nginx doesn't take a file at a path; empty if it does, or nobody knows what it includes."""
    if path == proxies.MAIN_FILE and not {"events", "include"} & set(proxy.sections):
        return "a whole configuration needs an `events` block, which it has not"
    own = [name for name in ("events", "http") if name in proxy.sections]
    if path.startswith(_INSIDE) and path.endswith(_READ) and own:
        return f"what lies there is read inside `http`, where its `{own[0]}` is not allowed"
    return ""


def _target(proxy: ReverseProxy) -> str:
    """Where a file belongs, by what it holds."""
    return proxies.MAIN_FILE if {"events", "http"} & set(proxy.sections) else "/etc/nginx/conf.d/default.conf"


def _moved(proxy: ReverseProxy, use: _Placed, target: str) -> tuple[tuple[str, str], str]:
    """The edit of the mount or the instruction that puts a file at its place, and the same as a line."""
    service, path, place = use
    mount = next((item for item in service.mounts if item.location == place), None)
    if mount:
        return compose_lines.mounted_at(mount, target), compose_lines.mount_of(service, proxy.file, target)
    return (path, target), files.into(place.file, f"COPY <its path in the context> {target}")


def _evidence(proxy: ReverseProxy, wrong: list[_Placed], why: str) -> Evidence:
    (service, path, place), *others = wrong
    target = _target(proxy)
    change, line = _moved(proxy, wrong[0], target) if target != path else (("", ""), "")
    whole = target != proxies.MAIN_FILE or "events" in proxy.sections
    return Evidence(
        f"{service.name} has {proxy.file} at a place where nginx refuses it: {why}.",
        place,
        subject=proxy.file,
        service=service.name,
        related=(
            Related(proxy.location, "the configuration"),
            *(Related(where, f"{other.name} has it there too", member=True) for other, _, where in others),
        ),
        recommendation=f"Put {proxy.file} at {target}{'' if whole else ', and add `events {}` to it'}.",
        change=change if whole else ("", ""),
        example=line if whole else files.into(proxy.file, "events {}"),
    )
