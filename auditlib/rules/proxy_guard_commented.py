"""A location of Nginx has its guard in a comment.

The lines that let in known addresses, or ask for a login, are there and don't count. Nobody uncomments them in
production, and the location answers everybody who knows its path.

Anti-pattern:

    location /console/ {
      # allow 10.0.0.0/8;
      # deny all;
      proxy_pass http://console:9001;
    }

Better:

    location /console/ {
      allow 10.0.0.0/8;
      deny all;
      proxy_pass http://console:9001;
    }

Recommendation:

    Let the guard count in the deployed file, with the addresses of those who may come in.

References:

- https://nginx.org/en/docs/http/ngx_http_access_module.html
- https://nginx.org/en/docs/http/ngx_http_auth_basic_module.html
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, nginx_sites
from auditlib.conventions.nginx_sites import Chain
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import Block, Directive
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_COMMENT = "#"
_GUARDS = frozenset({"deny", "auth_basic", "auth_request", "limit_req"})
_KEEPS_OUT = frozenset({"deny", "auth_basic", "auth_request", "auth_jwt", "internal", "ssl_verify_client"})
_FOR_FEW = regex(
    r"admin|console|metrics|status|prometheus|grafana|kibana|pgadmin|adminer|phpmyadmin|actuator|swagger|docs|manage|internal|"
    r"dashboard|flower|rabbit|minio"
)


class _Bare(Struct, frozen=True):
    """A location with guards that don't count, and where it answers."""

    path: str
    guards: tuple[Directive, ...]


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file of a deployed Nginx one finding for the locations whose guards are comments alone."""
    for config in inventory.reverse_proxies:
        runners = nginx_sites.runners(inventory, config) if config.tree and _has_comments(config.tree) else ()
        runner = next((item for item in runners if not environments.only_for_development(item)), None)
        if runner and not environments.in_development_file(inventory, runner.location.file):
            servers = nginx_sites.servers(inventory, config)
            found = [bare for server in servers for bare in _bare(server)]
            if found:
                yield _evidence(runner, found)


def _has_comments(tree: Block) -> bool:
    return any(item.words[0] == _COMMENT for item in nginx_sites.everything(tree))


def _bare(server: Chain) -> Iterator[_Bare]:
    for chain in nginx_sites.locations(server):
        comments = tuple(item for item in chain[0].directives if item.words[0] == _COMMENT)
        named = {item.words[1] for item in comments}
        if named & _GUARDS and not _is_kept(chain, named) and not nginx_sites.includes_more(chain[:1]):
            yield _Bare(nginx_sites.path(chain), comments)


def _is_kept(chain: Chain, commented: set[str]) -> bool:
    """Whether another guard counts there, or the location answers nothing but a refusal."""
    active = {item.words[0] for block in chain for item in block.directives}
    refuses = any(item.words[0] == "return" and item.words[1:2] > ("399",) for item in chain[0].directives)
    return bool(active & _KEEPS_OUT) or refuses or (commented <= {"limit_req"} and "limit_req" in active)


def _evidence(runner: Service, found: list[_Bare]) -> Evidence:
    first, *others = sorted(found, key=lambda item: not _FOR_FEW.search(item.path))
    written = [" ".join(item.words[1:]) + ";" for item in first.guards]
    file = first.guards[0].location.file
    paths = listed((f"location {item.path}" for item in (first, *others)), 3)
    limits = all(item.words[1].startswith("limit_") for each in found for item in each.guards)
    what, effect = ("limit", "takes requests there without end") if limits else ("guard", "answers everybody there")
    return Evidence(
        f"{paths} of {file} {f'has its {what}' if not others else f'have their {what}s'} in comments "
        f"(`{' '.join(written)[:80]}`): {runner.name} {effect}.",
        first.guards[0].location,
        subject=f"{file}/{first.path}",
        service=runner.name,
        related=tuple(Related(item.guards[0].location, f"location {item.path} too", member=True) for item in others),
        severity=Severity.MEDIUM if _FOR_FEW.search(first.path) and not limits else None,
        recommendation=f"Let the {what} of location {first.path} count in {file}"
        f"{'' if limits else ', with the addresses or logins that may come in'}.",
        example=files.into(file, f"location {first.path} {{\n  " + "\n  ".join((*written, *_users(written))) + "\n}"),
    )


def _users(written: list[str]) -> list[str]:
    """The file of the users, without which `auth_basic` asks nobody."""
    asks = any(line.startswith("auth_basic ") for line in written)
    told = any(line.startswith("auth_basic_user_file ") for line in written)
    return ["auth_basic_user_file <the file of the users>;"] if asks and not told else []
