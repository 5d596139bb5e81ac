"""The files that users upload are asked of Django, which doesn't send them.

Django serves `MEDIA_URL` while DEBUG is on and not otherwise: `static()` in its routes adds nothing then. Where the
proxy passes these requests on to it, every uploaded picture and document answers 404 in production, and nobody sees it
in development.

Anti-pattern:

    location /media/ { proxy_pass http://web:8000; }

Better:

    # with the volume of the uploads mounted in nginx
    location /media/ { alias /app/media/; }

Recommendation:

    Mount the folder of the uploads in the proxy and serve it with `alias`, or keep the files in an object store.

References:

- https://docs.djangoproject.com/en/stable/howto/static-files/#serving-files-uploaded-by-a-user-during-development
- https://docs.djangoproject.com/en/stable/howto/static-files/deployment/
- https://nginx.org/en/docs/http/ngx_http_core_module.html#alias
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, nginx_locations, nginx_sites
from auditlib.conventions.proxied import behind
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import Passage, ReverseProxy
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ASKED = "/media/picture.png"
_NAMES = frozenset({"MEDIA_URL", "MEDIA_ROOT"})


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Nginx that passes requests for uploads on to Django, where no code of the repository sends them."""
    told = [place for item in inventory.django_settings for name, place in item.fixed if name in _NAMES]
    if not told or any(item.kind == "files" for item in inventory.proxy_traits):
        return
    for config in inventory.reverse_proxies:
        for runner in nginx_sites.runners(inventory, config) if config.passages else ():
            found = None if environments.only_for_development(runner) else _asked(inventory, config, runner)
            if found:
                yield _evidence(inventory, config, runner, found, told[0])
                break


def _asked(inventory: Inventory, config: ReverseProxy, runner: Service) -> tuple[Passage, Service] | None:
    """The location of an explicit path that takes uploads, and the application that it passes them to."""
    mine = inventory.services_of(runner.project)
    own = behind(inventory, config, runner)
    for item in nginx_locations.taking(config, _ASKED):
        for host in nginx_locations.hosts(config, item):
            if host in own and "media" in item.path:
                return item, mine[host]
    return None


def _volume(service: Service) -> Mount | None:
    return next((mount for mount in service.mounts if "media" in mount.target or "upload" in mount.target), None)


def _evidence(
    inventory: Inventory, config: ReverseProxy, runner: Service, found: tuple[Passage, Service], told: Location
) -> Evidence:
    passage, service = found
    volume = _volume(service)
    target = volume.target.rstrip("/") if volume else "<the folder of the uploads>"
    return Evidence(
        f"{config.file} passes location {passage.path} to {service.name}, and Django sends uploaded files with DEBUG "
        "on alone: in production each of them answers 404, unless a view of its own sends them.",
        passage.location,
        subject=f"{config.file}/media",
        service=runner.name,
        related=(
            Related(told, "the settings of the uploads"),
            *((Related(volume.location, f"{service.name} keeps them here"),) if volume else ()),
        ),
        recommendation=f"Mount the uploads of {service.name} in {runner.name}, and serve them with `alias`.",
        example=files.into(config.file, f"location {passage.path} {{\n  alias {target}/;\n}}")
        + "\n"
        + compose_lines.of_service(runner, f"volumes:\n  - {volume.source if volume else '<its volume>'}:{target}:ro"),
    )
