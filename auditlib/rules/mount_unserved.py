"""A proxy is given a folder of files and serves none from it.

No `root` or `alias` of its configuration names the folder. The requests for these files go to the application instead,
which in production serves neither its static files nor its uploads, so that pages come without styles and images.

Anti-pattern:

    # compose.yaml
    nginx: {image: "nginx:1.27", volumes: ["static:/app/static", "./nginx.conf:/etc/nginx/nginx.conf:ro"]}
    # nginx.conf
    location / { proxy_pass http://web:8000; }

Better:

    location /static/ { alias /app/static/; }
    location / { proxy_pass http://web:8000; }

Recommendation:

    Serve the folder with `alias`, or remove the mount.

References:

- https://nginx.org/en/docs/http/ngx_http_core_module.html#alias
- https://docs.djangoproject.com/en/stable/howto/static-files/deployment/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import images, monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CONFIGURATION = "/etc/nginx"
_USUAL_ROOT = "/usr/share/nginx/html"
"""What the published image serves where no `root` is set."""
_FILES = regex(r"/(?:static|staticfiles|static_?root|media|mediafiles|uploads?|public|assets|storage)/?$")
"""Folders that by their name hold what a web server serves."""


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each Nginx of the published image with such mounts, if its whole configuration is known."""
    for service in inventory.distinct_services:
        if images.repository(service.image) != "nginx" or service.build or service.command or service.entrypoint:
            continue
        configs = [item for item in inventory.reverse_proxies if _reads(service, item)]
        idle = [mount for mount in service.mounts if _FILES.search(mount.target) and not _is_named(mount, configs)]
        if configs and idle and _are_all(service, configs):
            yield _evidence(service, idle, configs[0])


def _reads(service: Service, config: ReverseProxy) -> bool:
    return mounts.path_inside(service, config.file).startswith(f"{_CONFIGURATION}/")


def _are_all(service: Service, configs: list[ReverseProxy]) -> bool:
    """Whether each mounted configuration was read and is final."""
    mine = [mount for mount in service.mounts if mounts.is_below(mount.target, _CONFIGURATION)]
    known = {item.file for item in configs}
    single = all(mount.kind == "bind" and mount.source in known for mount in mine)
    return single and not service.configs and not any(monitoring.is_template(item.file) for item in configs)


def _is_named(mount: Mount, configs: list[ReverseProxy]) -> bool:
    """Whether a configuration names the folder, one above or one below it; a variable may stand for any."""
    paths = [posixpath.normpath(path) for item in configs for path in item.folders]
    return any(
        "$" in path or mounts.is_below(path, mount.target) or mounts.is_below(mount.target, path)
        for path in (*paths, _USUAL_ROOT)
    )


def _evidence(service: Service, idle: list[Mount], config: ReverseProxy) -> Evidence:
    first, *others = idle
    targets = listed(mount.target for mount in idle)
    name = posixpath.basename(first.target.rstrip("/"))
    return Evidence(
        f"{service.name} mounts {targets}, and no `root` or `alias` of {config.file} serves files from there: requests "
        "for them go elsewhere.",
        first.location,
        subject=f"{service.project}/{service.name}/{first.target}",
        service=service.name,
        related=(
            Related(config.location, "the whole configuration"),
            *(Related(mount.location, f"{mount.target} isn't served either", member=True) for mount in others),
        ),
        recommendation=f"Serve {first.target} in {config.file}, or remove the mount.",
        example=files.into(config.file, f"location /{name}/ {{\n    alias {first.target.rstrip('/')}/;\n}}"),
    )
