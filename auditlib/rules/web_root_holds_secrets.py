"""A web server hands out the folder in which an environment file lies.

The root of the site is the folder of the whole application. A server sends every file that it finds there and that is
no script: `/.env` answers with the passwords, `/.git/config` with the source and its history. Robots ask for both all
day.

Anti-pattern:

    web:
      image: php:8.3-apache
      volumes: [".:/var/www/html"]       # .env lies beside compose.yaml

Better:

    web:
      image: php:8.3-apache
      volumes: ["./public:/var/www/html"]

Recommendation:

    Serve a folder that holds nothing but what visitors may see, and refuse names that begin with a dot.

References:

- https://owasp.org/www-project-web-security-testing-guide/latest/4-Web_Application_Security_Testing/02-Configuration_and_Deployment_Management_Testing/04-Review_Old_Backup_and_Unreferenced_Files_for_Sensitive_Information
- https://nginx.org/en/docs/http/ngx_http_core_module.html#location
- https://hub.docker.com/_/php
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, images, kept_env_files, mounts, nginx_sites, published_ports, services
from auditlib.conventions.nginx_sites import Chain
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_DOTS = regex(
    r"\\\.(?!\(?(?:ht|php|js|css|png|jpe?g|gif|ico|svg|woff|well-known|html|txt|xml|pdf)|\w{0,4}\$)|\.env|\.git|/\.(?!well)"
)
"""A location whose path is about names that begin with a dot, and more than those of Apache."""
_OF_APACHE = "/var/www/html"
_APACHE = regex(r"^php:[\w.-]*apache|^httpd\b|/php:[\w.-]*apache")
_HTDOCS = "/usr/local/apache2/htdocs"
_OTHER_ROOT = regex(r"DOCUMENT_?ROOT|DocumentRoot|000-default|sites-(?:available|enabled)|a2ensite|httpd\.conf", re.I)


class _Served(Struct, frozen=True):
    """A folder of the repository that a server hands out, and where that shows."""

    service: Service
    folder: str
    location: Location
    server: str


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Nginx or Apache whose root is a mounted folder with an environment file, and nothing keeps that back."""
    served = [*_by_nginx(inventory), *_by_apache(inventory)]
    kept = kept_env_files.kept(inventory) if served else []
    secrets = {item.path for item in kept} | {item.path for item in inventory.env_files if not item.template}
    told: set[tuple[str, str]] = set()
    for item in served:
        found = sorted(path for path in secrets if mounts.is_below(path, item.folder))
        if found and (item.service.key, item.folder) not in told:
            told.add((item.service.key, item.folder))
            yield _evidence(inventory, item, found)


def _by_nginx(inventory: Inventory) -> Iterator[_Served]:
    for config in inventory.reverse_proxies:
        runners = nginx_sites.runners(inventory, config) if config.tree else ()
        for runner in (item for item in runners if not environments.is_for_developers(inventory, item)):
            for server in nginx_sites.servers(inventory, config):
                if found := _root(config, runner, server):
                    yield found


def _root(config: ReverseProxy, runner: Service, server: Chain) -> _Served | None:
    """The folder of the repository that a server of nginx hands out, where no location is about hidden files."""
    locations = list(nginx_sites.locations(server))
    paths = [nginx_sites.path(chain) for chain in locations]
    roots = nginx_sites.own(server, "root") or [
        item for chain in locations if nginx_sites.path(chain) == "/" for item in nginx_sites.own(chain, "root")
    ]
    passed = any(path == "/" and nginx_sites.target(chain) for path, chain in zip(paths, locations, strict=True))
    guarded = any(map(_DOTS.search, paths)) or nginx_sites.includes_more(server[:1])
    if not roots or passed or guarded or "$" in roots[-1].words[-1] or len(roots[-1].words) < 2:
        return None
    mount = mounts.holding(runner, roots[-1].words[1])
    if mount is None or mount.kind != "bind" or mount.outside:
        return None
    return _Served(runner, _plain(mounts.path_outside(runner, roots[-1].words[1])), roots[-1].location, "Nginx")


def _plain(path: str) -> str:
    return "" if path in (".", "") else posixpath.normpath(path)


def _by_apache(inventory: Inventory) -> Iterator[_Served]:
    for service in inventory.deployed_services:
        base, steps = services.built_from(inventory, service) if service.build else (service.image, ())
        image = images.repository(base) + ":" + base.rpartition(":")[2]
        if not _APACHE.search(image) or environments.is_for_developers(inventory, service):
            continue
        root = _HTDOCS if "httpd" in image else _OF_APACHE
        said = [*(item.argument for item in steps), *(entry.name for entry in service.environment), *service.command]
        other = any(_OTHER_ROOT.search(text) for text in (*said, *(mount.target for mount in service.mounts)))
        mount = next((item for item in service.mounts if item.target.rstrip("/") == root and item.kind == "bind"), None)
        if mount and not mount.outside and not other and not _has_rules(inventory, mount.source):
            yield _Served(service, _plain(mount.source), mount.location, "Apache")


def _has_rules(inventory: Inventory, folder: str) -> bool:
    """Whether an `.htaccess` may refuse hidden files."""
    return posixpath.normpath(posixpath.join(folder or ".", ".htaccess")) in inventory.file_set


def _public(inventory: Inventory, item: _Served) -> str:
    """The folder of what visitors may see, as frameworks call it."""
    found = (posixpath.join(item.folder, name) for name in ("public", "web", "webroot", "htdocs", "public_html"))
    placeholder = posixpath.join(item.folder, "<the folder of what visitors may see>")
    return next((path for path in found if path in inventory.folder_set), placeholder)


def _target(item: _Served) -> str:
    return next((each.target for each in item.service.mounts if each.location == item.location), _OF_APACHE)


def _evidence(inventory: Inventory, item: _Served, secrets: list[str]) -> Evidence:
    folder = item.folder or "the whole repository"
    public = published_ports.is_exposed(item.service)
    line = "location ~ /\\.(?!well-known) { deny all; }"
    own = files.into(item.location.file, line)
    return Evidence(
        f"{item.server} in {item.service.name} hands out {folder}, where {listed(secrets, 3)} "
        f"{'lies' if len(secrets) == 1 else 'lie'} on the host, and nothing refuses names that begin with a dot: "
        "whoever asks for the file gets its secrets.",
        item.location,
        subject=f"{item.service.project}/{item.service.name}/root",
        service=item.service.name,
        related=(Related(item.service.location, f"{item.service.name} mounts the folder"),)
        if item.server == "Nginx"
        else (),
        severity=None if public else Severity.MEDIUM,
        recommendation=f"Serve a folder of {item.service.name} that holds no secrets, and refuse hidden files.",
        example=own
        if item.server == "Nginx"
        else compose_lines.mount_of(item.service, _public(inventory, item), _target(item), ""),
    )
