"""A service has the address of a store and not the password that another one of its image is given.

A web server, its worker and its scheduler run the same code and read the same settings. Where a Compose file gives each
its own list of variables, one is soon shorter than the others: the service starts, and every task fails at the login.

Anti-pattern:

    web:
      image: acme/shop:1.4
      environment: [DB_HOST=db, "DB_PASSWORD=${DB_PASSWORD:?}"]
    scheduler:
      image: acme/shop:1.4
      environment: [DB_HOST=db]

Better:

    x-settings: &settings
      DB_HOST: db
      DB_PASSWORD: ${DB_PASSWORD:?}

    services:
      web:
        image: acme/shop:1.4
        environment: *settings
      scheduler:
        image: acme/shop:1.4
        environment: *settings

Recommendation:

    Give all services of an image the same variables, by an anchor or by one `env_file`.

References:

- https://docs.docker.com/reference/compose-file/fragments/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_HOST = "_HOST"
_PASSWORDS = ("_PASSWORD", "_PASS")
_ASKS_FOR_NOTHING = regex(r"\bwait[-_]for|\bdockerize\b|\bnc -|\bnetcat\b|\bpg_isready\b|\bmysqladmin ping\b")
"""What only looks whether a server answers, which needs no login."""


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service that lacks passwords which another one of its project and image has for the same host."""
    for mine in stacks.by_project(inventory.deployed_services).values():
        for service in mine:
            others = [item for item in mine if item.name != service.name and _alike(item, service)]
            missing = {} if _may_have_more(inventory, service) else _missing(service, others)
            if missing:
                yield _evidence(inventory, service, missing)


def _alike(one: Service, other: Service) -> bool:
    return services.image_key(one) == services.image_key(other)


def _may_have_more(inventory: Inventory, service: Service) -> bool:
    """Whether a service may read variables from a file (of Compose, of its code, of a secret), or needs no login."""
    folders = any(mount.kind == "bind" and not mount.outside and mount.source not in inventory.file_set
                  for mount in service.mounts)  # fmt: skip
    words = " ".join((*service.entrypoint, *service.command))
    if _ASKS_FOR_NOTHING.search(words) and "&&" not in words and ";" not in words and " -- " not in words:
        return True
    return bool(service.env_files or service.secrets or folders) or services.is_datastore(inventory, service)


def _missing(service: Service, others: list[Service]) -> dict[str, tuple[Service, EnvironmentEntry]]:
    """By the missing variable the other service that has it."""
    mine = {entry.name: entry for entry in service.environment}
    found: dict[str, tuple[Service, EnvironmentEntry]] = {}
    for name in [name for name in mine if name.endswith(_HOST)]:
        prefix = name.removesuffix(_HOST)
        if any(other.startswith(f"{prefix}_") and "PASS" in other for other in mine) or _has_url(mine):
            continue
        for other in others:
            theirs = {entry.name: entry for entry in other.environment}
            if name in theirs and _text(theirs[name]) == _text(mine[name]):
                given = [theirs[prefix + end] for end in _PASSWORDS if prefix + end in theirs]
                found |= {entry.name: (other, entry) for entry in given if entry.name not in found}
    return found


def _has_url(mine: dict[str, EnvironmentEntry]) -> bool:
    return any(name.endswith(("_URL", "_DSN", "_URI")) and entry.endpoints for name, entry in mine.items())


def _text(entry: EnvironmentEntry) -> str:
    return entry.value.text if entry.value else ""


def _evidence(inventory: Inventory, service: Service, missing: dict[str, tuple[Service, EnvironmentEntry]]) -> Evidence:
    names = listed(missing)
    other = next(iter(missing.values()))[0]
    hosts = {name.rpartition("_")[0] + _HOST for name in missing}
    place = next(entry.location for entry in service.environment if entry.name in hosts)
    return Evidence(
        f"{service.name} is given the same address as {other.name}, of the same image, and not {names}: unless the "
        "image holds a file with it, every login fails.",
        place,
        subject=f"{service.name}/{'/'.join(missing)}",
        service=service.name,
        related=tuple(
            Related(entry.location, f"{item.name} is given {name}") for name, (item, entry) in missing.items()
        ),
        recommendation=f"Give {service.name} {names} as {other.name} has {'it' if len(missing) == 1 else 'them'}.",
        severity=Severity.LOW if environments.is_for_developers(inventory, service) else None,
        example=compose_lines.of_service(
            service, "environment:\n" + "\n".join(f"  {name}: ${{{name}:?set it in .env}}" for name in missing)
        ),
    )
