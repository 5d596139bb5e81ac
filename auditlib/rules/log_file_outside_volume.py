"""A program writes a log file to a place in the container that no volume covers.

What is written to the container's own layer is gone with the container: at the next deployment, and often after the
very crash that the log would explain. Until then the file grows on the host's disk, and no log rotation knows of it.
Nginx's image makes `access.log` and `error.log` links to its standard output, and no other name.

Anti-pattern:

    # settings.py: AUDIT_LOG_FILE = "/var/log/app/audit.log"
    volumes:
      - logs:/app/logs

Better:

    # log to standard output, or
    volumes:
      - audit_logs:/var/log/app

Recommendation:

    Log to standard output and let the platform collect it, or mount a volume where the file is written.

References:

- https://docs.docker.com/engine/storage/
- https://12factor.net/logs
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, images, nginx_sites, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import LogFile
from auditlib.inventory.proxy import Block, Directive, ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NGINX = frozenset({"nginx", "library/nginx", "docker/library/nginx", "nginxinc/nginx-unprivileged"})
_ASIDE = (".disabled", ".bak", ".old", ".off", ".orig", ".example", ".sample")
"""Endings of files that nothing includes by `*.conf`."""
_PASSING = regex(r"/(?:dev|proc|tmp)/")
"""Folders of what nobody means to keep."""
_LINKED = ("/var/log/nginx/access.log", "/var/log/nginx/error.log")
"""What the image makes links to the standard output (https://github.com/nginx/docker-nginx)."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every log file of code, or of an Nginx, with the services in which its path is in no mount."""
    found: defaultdict[tuple[str, str], list[tuple[LogFile, Service, str]]] = defaultdict(list)
    for log in inventory.log_files:
        if log.echoed or _PASSING.match(log.path) or "$" in log.path or "{" in log.path:
            continue
        for service in inventory.distinct_services:
            path = _path_inside(inventory, service, log)
            if path and not _is_covered(service, path) and not _is_linked(inventory, service, path):
                found[log.location.file, log.path].append((log, service, path))
    for (_, path), items in found.items():
        if not all(environments.only_for_development(service) for _, service, _ in items):
            yield _evidence(path, items)
    requests: defaultdict[str, list[tuple[Service, Directive]]] = defaultdict(list)
    for config in inventory.reverse_proxies:
        for runner, item in _of_nginx(inventory, config) if not config.file.endswith(_ASIDE) else ():
            requests[runner.key].append((runner, item))
    for logs in requests.values():
        yield _of_requests(*logs[0], logs[1:])


def _of_nginx(inventory: Inventory, config: ReverseProxy) -> Iterator[tuple[Service, Directive]]:
    """The logs of requests that the official image of Nginx writes into files of their own, each of one service."""
    logs = [item for item in _access_logs(config.tree) if item.words[1] not in _LINKED]
    for runner in nginx_sites.runners(inventory, config) if logs else ():
        base = services.built_from(inventory, runner)[0] if runner.build else runner.image
        if images.repository(base) not in _NGINX or environments.is_for_developers(inventory, runner):
            continue
        for item in logs:
            if not _is_covered(runner, item.words[1]) and not _is_linked(inventory, runner, item.words[1]):
                yield runner, item


def _access_logs(block: Block | None) -> Iterator[Directive]:
    """The statements that have requests logged into a file whose path is known, and not to the output as well."""
    written = [item.words[1] for item in block.directives if item.words[0] == "access_log" and len(item.words) > 1
               ] if block else []  # fmt: skip
    shown = any(path in _LINKED or path.startswith("/dev/") for path in written)
    for item in block.directives if block and not shown else ():
        path = item.words[1] if len(item.words) > 1 and item.words[0] == "access_log" else ""
        if path.startswith("/") and "$" not in path and not path.startswith(("/dev/", "/proc/")):
            yield item
    for inner in block.blocks if block else ():
        yield from _access_logs(inner)


def _of_requests(runner: Service, first: Directive, others: list[tuple[Service, Directive]]) -> Evidence:
    file, path = first.location.file, first.words[1]
    return Evidence(
        f"{file} has {runner.name} log its requests to {path}, which is in no volume and no link to the standard "
        "output: neither `docker logs` nor its rotation knows of it, and it is lost with the container.",
        first.location,
        subject=f"{file}/requests",
        service=runner.name,
        related=tuple(Related(item.location, f"{item.words[1]} as well", member=True) for _, item in others),
        recommendation=f"Log to {_LINKED[0]} in {file}, which is the standard output.",
        example=files.into(file, f"access_log {' '.join((_LINKED[0], *first.words[2:]))};"),
        confidence=Confidence.HIGH,
    )


def _path_inside(inventory: Inventory, service: Service, log: LogFile) -> str:
    """Where the file is in the service's container, if the service is built from the folder of the code."""
    build = services.dockerfile(inventory, service)
    if build is None or service.build is None:
        return ""
    context = "" if service.build.context in (".", "") else service.build.context.rstrip("/") + "/"
    if not log.location.file.startswith(context) or not _is_application(context, build.path, log):
        return ""
    _, instructions = services.final_stage(build, service.build.target)
    folders = [item.argument.strip("\"' ") for item in instructions if item.keyword == "WORKDIR"]
    folder = service.working_dir or (posixpath.join("/", *folders) if folders else "")
    if posixpath.isabs(log.path):
        return posixpath.normpath(log.path)
    return posixpath.normpath(posixpath.join(folder, log.path)) if folder and "$" not in folder else ""


def _is_application(context: str, dockerfile: str, log: LogFile) -> bool:
    """With the root as context the Dockerfile's folder tells which part of the repository the image is of."""
    folder = posixpath.dirname(dockerfile)
    return bool(context) or not folder or log.location.file.startswith(folder + "/")


def _is_covered(service: Service, path: str) -> bool:
    return any(
        mount.kind in ("volume", "bind") and (path + "/").startswith(mount.target.rstrip("/") + "/")
        for mount in service.mounts
    )


def _is_linked(inventory: Inventory, service: Service, path: str) -> bool:
    """Whether the image makes the file a link to standard output, as Nginx's does."""
    build = services.dockerfile(inventory, service)
    return build is not None and any(
        item.keyword == "RUN" and "/dev/std" in item.argument and path in item.argument for item in build.instructions
    )


def _evidence(path: str, items: list[tuple[LogFile, Service, str]]) -> Evidence:
    log, _, inside = items[0]
    names = listed(service.name for _, service, _ in items)
    folder = posixpath.dirname(inside)
    among_code = "/" not in log.path.removeprefix("./")  # a volume over the working folder would hide the program
    home = posixpath.join(folder, "logs") if among_code else folder
    return Evidence(
        f"The code writes its log to {path}; in {names} no volume covers {inside}, so that it is lost with the "
        "container.",
        log.location,
        subject=path,
        service=items[0][1].name,
        related=tuple(
            Related(service.location, f"{service.name} mounts nothing at {posixpath.dirname(where)}")
            for _, service, where in items
        ),
        recommendation=f"Log to standard output, or into {home} with a volume there in {names}."
        if among_code
        else f"Mount a volume at {home} in {names}, or log to standard output.",
        example=compose_lines.named_volume(items[0][1], home, "logs"),
    )
