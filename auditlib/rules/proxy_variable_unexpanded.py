"""A configuration of nginx names variables of the environment, and nothing fills them in.

nginx knows no environment: `${API_HOST}` in `proxy_pass` is an unknown variable, with which it doesn't start, and in
`server_name` or `listen` it stays that text. Its image fills in what lies in `/etc/nginx/templates` and ends in
`.template`, and no other file.

Anti-pattern:

    volumes: ["./nginx.conf:/etc/nginx/conf.d/default.conf:ro"]  # proxy_pass http://${API_HOST}:8000;

Better:

    volumes: ["./nginx.conf:/etc/nginx/templates/default.conf.template:ro"]

Recommendation:

    Mount the file as a template, or write the values into it.

References:

- https://hub.docker.com/_/nginx#using-environment-variables-in-nginx-configuration-new-in-119
- https://nginx.org/en/docs/faq/variables_in_config.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import build_context, deployment, images, mounts, services
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

_FOLDER = "NGINX_ENVSUBST_OUTPUT_DIR"
_READ = regex(r"^/etc/nginx/(?:nginx\.conf|conf\.d/[^/]+\.conf|sites-enabled/[^/]+)$")
_FILLS = regex(r"\b(?:envsubst|sed|gomplate|confd|j2|jinja2|consul-template|esh|perl|dockerize|awk)\b")
_OFFICIAL = frozenset({"nginx", "nginxinc/nginx-unprivileged"})


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each file with such variables that nginx reads as it stands, where no command of the repository fills any in."""
    suspects = [item for item in inventory.reverse_proxies if item.foreign]
    if not suspects or any(_FILLS.search(" ".join(item.words)) for item in deployment.commands(inventory)):
        return
    for item in suspects:
        uses = (_read_by(inventory, service, item) for service in inventory.distinct_services)
        if found := next(filter(None, uses), None):
            yield _evidence(item, *found)


def _read_by(inventory: Inventory, service: Service, item: ReverseProxy) -> tuple[Service, Location, str] | None:
    """The service whose nginx reads the file as it stands, with what brings it there, and where it is then."""
    base, steps = services.built_from(inventory, service) if service.build else (service.image, ())
    texts = [" ".join((*service.entrypoint, *service.command)), *(step.argument for step in steps)]
    if images.repository(base) not in _OFFICIAL or service.entrypoint or any(map(_FILLS.search, texts)):
        return None
    if any(step.keyword == "ENTRYPOINT" for step in steps):
        return None
    inside = mounts.path_inside(service, item.file)
    for mount in service.mounts:
        if mount.kind == "bind" and mount.source == item.file and _READ.search(inside):
            return service, mount.location, inside
    for step in steps if service.build else ():
        plain = step.keyword == "COPY" and len(step.words) == 2 and not step.copies_image
        there = plain and _READ.search(step.words[1])
        if there and service.build and build_context.path_outside(service.build, step.words[0]) == item.file:
            return service, step.location, step.words[1]
    return None


def _evidence(item: ReverseProxy, service: Service, place: Location, inside: str) -> Evidence:
    names = [f"${{{name}}}" for name, _ in item.foreign]
    first = item.foreign[0][1]
    return Evidence(
        f"{item.file} names {listed(names, limit=4)}, and {service.name} reads it as it stands: nginx knows no "
        "variable of the environment, and doesn't start, or takes it for text.",
        first,
        subject=item.file,
        service=service.name,
        related=(
            Related(place, f"{service.name} has it from here"),
            *(Related(where, f"${{{name}}}", member=True) for name, where in item.foreign[1:6]),
        ),
        recommendation=f"Put {item.file} into /etc/nginx/templates under a name that ends in `.template`, and give "
        f"{service.name} the values.",
        example=_lines(item, service, place, inside),
    )


def _lines(item: ReverseProxy, service: Service, place: Location, inside: str) -> str:
    """What makes a template of the file, from which the image writes it to where nginx has read it before."""
    template = f"/etc/nginx/templates/{posixpath.basename(inside)}.template"
    folder = posixpath.dirname(inside)
    usual = folder == "/etc/nginx/conf.d"
    if place.file == service.location.file:
        line = compose_lines.mount_of(service, item.file, template)
        return line if usual else f"{line}\n  environment:\n    {_FOLDER}: {folder}"
    line = f"COPY <its path in the context> {template}"
    return files.into(place.file, line if usual else f"{line}\nENV {_FOLDER}={folder}")
