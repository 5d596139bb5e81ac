"""Nginx is told of a file or folder that its container doesn't have.

Without a certificate, its key or an included file it doesn't start at all; a folder that isn't there answers every
request with 404, a file of passwords with 403.

Anti-pattern:

    # nginx.conf: ssl_certificate /etc/nginx/ssl/fullchain.pem;
    nginx:
      image: nginx:1.29
      volumes: ["./nginx.conf:/etc/nginx/conf.d/default.conf:ro"]

Better:

    nginx:
      image: nginx:1.29
      volumes: ["./nginx.conf:/etc/nginx/conf.d/default.conf:ro", "./ssl:/etc/nginx/ssl:ro"]

Recommendation:

    Mount what the configuration names, or take it out of the configuration.

References:

- https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_certificate
- https://nginx.org/en/docs/http/ngx_http_core_module.html#alias
- https://hub.docker.com/_/nginx
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, images, mounts, nginx_sites
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import Block, Directive, ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_HOME = "/etc/nginx"
_STOPS = frozenset({
    "ssl_certificate", "ssl_certificate_key", "ssl_dhparam", "ssl_client_certificate", "ssl_trusted_certificate",
    "include",
})  # fmt: skip
"""Statements without whose file Nginx refuses to start."""
_FOLDERS = frozenset({"root", "alias"})
_PASSWORDS = "auth_basic_user_file"
_OF_IMAGE = ("/usr/share/nginx", "/etc/nginx/conf.d", "/etc/nginx/modules-enabled", "/usr/share/misc", "/var/www/html",
             "/etc/ssl/certs/ca-certificates.crt")  # fmt: skip
_PACKAGED = frozenset({"mime.types", "fastcgi_params", "uwsgi_params", "scgi_params", "fastcgi.conf", "koi-utf",
                       "nginx.conf"})  # fmt: skip
_IMAGES = frozenset({"nginx", "nginxinc/nginx-unprivileged"})


class _Lack(Struct, frozen=True):
    """A statement that names what isn't there."""

    name: str
    path: str
    location: Location


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each Nginx of the published image one finding for the files and folders in no mount of it."""
    for config in inventory.reverse_proxies:
        for runner in nginx_sites.runners(inventory, config) if config.tree else ():
            found = list(_lacking(inventory, config, runner)) if _is_plain(inventory, config, runner) else []
            if found:
                yield _evidence(config, runner, found)
                break


def _is_plain(inventory: Inventory, config: ReverseProxy, runner: Service) -> bool:
    """Whether the container holds nothing but the image and its mounts, and reads the file where it lies."""
    official = runner.build is None and images.repository(runner.image) in _IMAGES
    own = bool(runner.entrypoint) or bool(runner.configs or runner.secrets) or " ".join(runner.command).count(" ") > 3
    whole = mounts.path_inside(runner, config.file).startswith(f"{_HOME}/")
    return (
        official and whole and not own and runner.changed_at is None and not environments.only_for_development(runner)
    )


def _lacking(inventory: Inventory, config: ReverseProxy, runner: Service) -> Iterator[_Lack]:
    places = [mount.target for item in inventory.versions(runner) for mount in item.mounts]
    for item in _statements(config.tree, passed=False) if config.tree else ():
        name, path = item.words[0], item.words[1] if len(item.words) > 1 else ""
        if name not in _STOPS | _FOLDERS | {_PASSWORDS} or any(mark in path for mark in "$*:") or not path:
            continue
        full = posixpath.normpath(posixpath.join(_HOME, path))
        known = full.startswith(_OF_IMAGE) or full.rpartition("/")[2] in _PACKAGED or "acme-challenge" in full
        held = any(mounts.is_below(full, place) or mounts.is_below(place, full) for place in places)
        if not known and not held and not _is_challenge(config, item.location):
            yield _Lack(name, full, item.location)


def _statements(block: Block, *, passed: bool) -> Iterator[Directive]:
    """The statements below a block, but for the folders of what hands requests on, or answers with a page of errors."""
    if block.words[:1] == ("server",):
        passed = any(map(_passes_all, nginx_sites.blocks(block)))
    pages = block.words[:2] == ("location", "=")
    own = passed if block.words[:1] != ("location",) else pages
    yield from (item for item in block.directives if item.words[0] not in _FOLDERS or not own)
    for inner in block.blocks:
        yield from _statements(inner, passed=passed)


def _passes_all(block: Block) -> bool:
    """Whether a block hands on what no file answers: to PHP or the like, for all paths, or for those that are left."""
    names = [item.words[0] for item in block.directives]
    last = block.words == ("location", "/") or (block.words[:1] == ("location",) and block.words[1][:1] == "@")
    return "fastcgi_pass" in names or "uwsgi_pass" in names or (last and not set(nginx_sites.PASSES).isdisjoint(names))


def _is_challenge(config: ReverseProxy, place: Location) -> bool:
    """Whether it is the folder of ACME's challenges, of which another rule speaks."""
    return any(where == place for _, where in config.challenges)


def _evidence(config: ReverseProxy, runner: Service, found: list[_Lack]) -> Evidence:
    stopping = [item for item in found if item.name in _STOPS]
    first, *others = sorted(found, key=lambda item: item.name not in _STOPS)
    follows = "Nginx doesn't start" if stopping else _answers(first)
    paths = listed(dict.fromkeys(item.path for item in (first, *others)), 4)
    folder = first.path if first.name in _FOLDERS else posixpath.dirname(first.path)
    return Evidence(
        f"{config.file} names {paths}, and nothing is mounted there in {runner.name}, which runs the published image: "
        f"{follows}.",
        first.location,
        subject=f"{runner.project}/{runner.name}/{first.path}",
        service=runner.name,
        related=(
            Related(runner.location, "what is mounted"),
            *(Related(item.location, f"nor is {item.path}", member=True) for item in others[:8]),
        ),
        severity=Severity.HIGH if stopping else None,
        recommendation=f"Mount {folder} in {runner.name}, or take it out of {config.file}.",
        example=compose_lines.of_service(runner, f"volumes:\n  - <what holds it>:{folder}:ro"),
    )


def _answers(item: _Lack) -> str:
    return "it answers 403 there" if item.name == _PASSWORDS else "it answers 404 there"
