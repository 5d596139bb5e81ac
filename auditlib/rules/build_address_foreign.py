"""The front end of a stack is built to ask another installation.

An `.env.production` in the build context goes into the bundle. Where it names the address of one installation, the
image asks that one wherever it runs: a test stack writes into production's data, and the backend beside it, to which
the proxy would lead, is never asked.

Anti-pattern:

    # frontend/.env.production
    VITE_API_URL=https://api.acme.org
    # frontend/nginx.conf
    location /api/ { proxy_pass http://backend:8080; }

Better:

    # frontend/Dockerfile
    ARG VITE_API_URL=/api
    ENV VITE_API_URL=$VITE_API_URL
    RUN npm run build

Recommendation:

    Build the image with an address relative to its own host, and keep others for the platforms that need them.

References:

- https://vite.dev/guide/env-and-mode#env-files
- https://nextjs.org/docs/app/guides/environment-variables
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from urllib.parse import urlsplit

from auditlib.conventions import build_context, bundles, environments, proxies, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvLine
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Build, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NAMES = regex(r"^(?:NEXT_PUBLIC|VITE|REACT_APP|VUE_APP)_\w*(?:API|BACKEND|SERVER)\w*UR[IL]$")
_ADDRESS = regex(r"https?://(?!localhost|127\.|[\w-]+(?::|/|$))[\w.-]+(?::\d+)?(?:/\S*)?$")
"""An address of a host on the Internet: one with a dot in its name."""
_FILE = ".env.production"
_OTHER_MODE = regex(r"--mode[= ](?!production\b)\S")
"""A build for which other files count."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each deployed front end whose bundle asks elsewhere, although its proxy leads to a service beside it."""
    given = {posixpath.dirname(item.path): item for item in inventory.env_files
             if posixpath.basename(item.path) == _FILE}  # fmt: skip
    for service in inventory.deployed_services if given else ():
        build = service.build
        folder = build.folder if build else ""
        if build is None or folder not in given or environments.is_for_developers(inventory, service):
            continue
        line = next((line for line in given[folder].lines if _is_foreign(line)), None)
        beside = _led_to(inventory, service) if line and _is_built_in(inventory, service, build, line.name) else None
        if line and beside:
            yield _evidence(inventory, service, line, *beside)


def _is_foreign(line: EnvLine) -> bool:
    return bool(_NAMES.match(line.name) and line.value and not line.commented and not line.value.secret
                and _ADDRESS.match(line.value.text))  # fmt: skip


def _is_built_in(inventory: Inventory, service: Service, build: Build, name: str) -> bool:
    """Whether an image builds its bundle with the file, and nothing of the build sets the variable."""
    file = services.dockerfile(inventory, service)
    if file is None or build_context.is_excluded(build_context.ignore_file(inventory, build), _FILE):
        return False
    sets = any(name in item.argument for item in file.instructions) or any(name == key for key, _ in build.arguments)
    other = any(_OTHER_MODE.search(text) for text in _built_by(inventory, file, build))
    return (
        bool(bundles.built_at(file))
        and not (sets or other)
        and any(map(build_context.copies_everything, file.instructions))
    )


def _built_by(inventory: Inventory, file: Dockerfile, build: Build) -> Iterator[str]:
    """The commands that build the bundle: steps of the image, and what the package calls so."""
    yield from (item.argument for item in file.instructions if item.keyword == "RUN")
    path = posixpath.normpath(posixpath.join(build.folder or ".", "package.json"))
    for manifest in inventory.manifests:
        if manifest.path == path:
            yield from (target.text for target in manifest.targets if target.name.startswith("build"))


def _led_to(inventory: Inventory, service: Service) -> tuple[Location, str] | None:
    """Where the proxy of a front end passes requests on, and to which service of its project."""
    mine = inventory.services_of(service.project)
    for proxy in inventory.reverse_proxies:
        if service in proxies.runners(inventory, proxy):
            for upstream in proxy.upstreams:
                if upstream.host in mine and upstream.host != service.name:
                    return upstream.location, upstream.host
    return None


def _evidence(inventory: Inventory, service: Service, line: EnvLine, place: Location, beside: str) -> Evidence:
    text = line.value.text if line.value else ""
    path = urlsplit(text).path.rstrip("/")
    given = path or f"<the path that the proxy leads to {beside}>"
    file = services.dockerfile(inventory, service)
    return Evidence(
        f"The bundle of {service.name} is built with {line.name}={text}: it asks that host wherever it runs, and never "
        f"{beside}, to which its proxy leads.",
        line.location,
        subject=f"{service.name}/{line.name}",
        service=service.name,
        related=(
            Related(place, f"leads to {beside}"),
            Related(service.location, f"{service.name} is built from there"),
        ),
        recommendation=f"Build {service.name} with {line.name}={path}, and set the address on the platform that "
        "needs it."
        if path
        else f"Build {service.name} with a path in {line.name} that its proxy leads to {beside}.",
        example=files.into(
            file.path if file else "Dockerfile", f"ENV {line.name}={given}  # before the build; it wins over {_FILE}"
        ),
    )
