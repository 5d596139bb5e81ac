"""Nginx is to look a host up for each request, and nobody tells it where.

With a variable in `proxy_pass` the name is resolved anew for each request, by the servers that `resolver` names, and by
no others: without one each of these requests ends with 502 ("no resolver defined to resolve api").

Anti-pattern:

    location /api/ {
      set $backend http://api:8000;
      proxy_pass $backend;
    }

Better:

    location /api/ {
      resolver 127.0.0.11 valid=10s;   # Docker's own
      set $backend http://api:8000;
      proxy_pass $backend;
    }

Recommendation:

    Add `resolver 127.0.0.11 valid=10s;` in the `http` or `server` block.

References:

- https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
- https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver
- https://docs.docker.com/engine/network/#dns-services
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import mounts, nginx_sites
from auditlib.conventions.nginx_sites import Chain
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ADDRESS = regex(r"(?:\d{1,3}\.){3}\d{1,3}|\[[\da-fA-F:]+\]")


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file of Nginx that runs the locations whose variable holds a host's name, where no `resolver` counts."""
    for config in inventory.reverse_proxies:
        looked_up = [item for item in config.passages if not item.target]
        runners = nginx_sites.runners(inventory, config) if looked_up else ()
        found = (
            list(_unresolved(inventory, config)) if runners and not _told_beside(inventory, runners[0], config) else []
        )
        if found:
            yield _evidence(config, runners[0], found)


def _unresolved(inventory: Inventory, config: ReverseProxy) -> Iterator[tuple[str, str, Location]]:
    """The path, the host and the place of each passage that is looked up by nobody."""
    groups = {item.group for item in config.upstreams} | {
        item.group for other in inventory.reverse_proxies for item in other.upstreams if item.group
    }
    groups |= {
        item.target for other in inventory.reverse_proxies for item in other.passages
    }  # each of which is a group
    for server in nginx_sites.servers(inventory, config):
        for chain in nginx_sites.locations(server):
            statement = nginx_sites.target(chain)
            if statement and "$" in statement.words[-1] and not _has_resolver(chain):
                for host in nginx_sites.host(config, statement):
                    if host and host not in groups and not _ADDRESS.fullmatch(host):
                        yield nginx_sites.path(chain), host, statement.location


def _told_beside(inventory: Inventory, runner: Service, config: ReverseProxy) -> bool:
    """Whether a file of the same folder, which is read with this one, names the servers for all, or isn't known."""
    trees = {item.file: item.tree for item in inventory.reverse_proxies}
    home = posixpath.dirname(config.file)
    for path in inventory.files:
        beside = posixpath.dirname(path) == home and path.endswith(".conf") and path != config.file
        if beside and (runner.build or mounts.path_inside(runner, path)):
            tree = trees.get(path)
            if tree is None or any(item.words[0] == "resolver" for item in tree.directives):
                return True
    return False


def _has_resolver(chain: Chain) -> bool:
    return bool(nginx_sites.holding(chain, "resolver")) or nginx_sites.includes_more(chain)


def _evidence(config: ReverseProxy, runner: Service, found: list[tuple[str, str, Location]]) -> Evidence:
    (_, host, place), *others = found
    paths = listed(f"location {each}" for each, _, _ in found)
    return Evidence(
        f"{paths} of {config.file} {'passes' if not others else 'pass'} requests to what a variable holds ({host}), "
        "and no `resolver` says who knows that name: Nginx answers 502.",
        place,
        subject=f"{config.file}/resolver",
        service=runner.name,
        related=tuple(Related(where, f"location {each} to {name}", member=True) for each, name, where in others),
        recommendation=f"Add `resolver 127.0.0.11 valid=10s;`, Docker's own, to the server of {config.file}.",
        example=files.into(config.file, "server {\n  resolver 127.0.0.11 valid=10s;\n}"),
    )
