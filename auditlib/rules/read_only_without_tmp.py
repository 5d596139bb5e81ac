"""A container whose files nobody may change gets no folder for temporary ones.

`read_only: true` is a good thing, and most servers write a little nevertheless: gunicorn keeps the sign of life of its
workers in `/tmp`, nginx buffers what it passes on in `/var/cache/nginx` and writes its number to `/run`, PostgreSQL
makes its socket in `/var/run/postgresql`. Without a tmpfs there they end when they start.

Anti-pattern:

    api: {build: ., command: gunicorn app:app, read_only: true}

Better:

    api: {build: ., command: gunicorn app:app, read_only: true, tmpfs: [/tmp]}

Recommendation:

    Give a container that is read-only a tmpfs for each folder in which its program writes.

References:

- https://docs.docker.com/reference/compose-file/services/#read_only
- https://docs.gunicorn.org/en/stable/faq.html#how-do-i-avoid-gunicorn-excessively-blocking-in-os-fchmod
- https://github.com/docker-library/docs/tree/master/nginx#running-nginx-in-read-only-mode
- https://github.com/docker-library/docs/tree/master/postgres
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import mounts, services, starting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_NEEDS = {
    "Nginx": ("/var/cache/nginx", "/run"),
    "PostgreSQL": ("/var/run/postgresql",),
    "MySQL": ("/var/run/mysqld", "/tmp"),  # noqa: S108 -- a folder of the container
    "MariaDB": ("/run/mysqld", "/tmp"),  # noqa: S108
    "MongoDB": ("/tmp",),  # noqa: S108
}
"""By product the folders in which its server writes at its start, beside its data."""
_SAME = {"/var/run": "/run", "/run": "/var/run"}
_GUNICORN = regex(r"(?:^|[\s/\"'])gunicorn\s")
_ELSEWHERE = regex(r"--worker-tmp-dir|-c\s|--config\b")


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each read-only service of a server that writes at its start where neither a tmpfs nor a mount lies."""
    for service in inventory.distinct_services:
        if service.read_only and (missing := _missing(inventory, service)):
            yield _evidence(service, missing)


def _missing(inventory: Inventory, service: Service) -> list[str]:
    return [folder for folder in _needed(inventory, service) if not _is_covered(service, folder)]


def _needed(inventory: Inventory, service: Service) -> tuple[str, ...]:
    product = services.product(inventory, service)
    if product and product.name in _NEEDS and "unprivileged" not in service.image:
        return _NEEDS[product.name] if services.runs_server(inventory, service) else ()
    text = "\n".join(" ".join(start.words) for start in starting.of(inventory, service))
    told = any(entry.name == "GUNICORN_CMD_ARGS" for entry in service.environment)
    match = _GUNICORN.search(text)
    if match and not told and not _ELSEWHERE.search(text[match.end() - 1 :]):
        return ("/tmp",)  # noqa: S108
    return ()


def _is_covered(service: Service, folder: str) -> bool:
    """Whether a mount holds a folder, under either of the names that `/run` has."""
    top = next((name for name in _SAME if mounts.is_below(folder, name)), "")
    names = (folder, folder.replace(top, _SAME[top], 1)) if top else (folder,)
    writable = [item.target for item in service.mounts if not item.read_only]
    return any(mounts.is_below(name, target) for name in names for target in writable)


def _evidence(service: Service, missing: list[str]) -> Evidence:
    return Evidence(
        f"{service.name} is read-only, and its server writes in {listed(missing)} when it starts, where no tmpfs lies: "
        "it ends at once.",
        service.location,
        subject=f"{service.name}/read-only",
        service=service.name,
        recommendation=f"Give {service.name} a tmpfs for {listed(missing)}.",
        example=compose_lines.of_service(service, f"tmpfs: [{', '.join(missing)}]"),
    )
