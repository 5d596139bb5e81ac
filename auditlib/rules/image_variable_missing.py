"""A database isn't given the variable without which its image refuses to start.

PostgreSQL's and MySQL's images make their data folder at the first start, and only if they are told the password of the
administrator, or that there is to be none. Without either the container ends with an error, and what waits for it too.

Anti-pattern:

    services:
      db:
        image: postgres:16
        env_file: .env        # made from .env.sample, which has DB_PASSWORD and no POSTGRES_PASSWORD

Better:

    services:
      db:
        image: postgres:16
        environment:
          POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it in .env}

Recommendation:

    Give the database the variable that its image asks for, and name it in the template of the environment file.

References:

- https://hub.docker.com/_/postgres
- https://hub.docker.com/_/mysql
- https://hub.docker.com/_/mariadb
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import image_variables, images, services, starting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every database that gets none of the variables of which its image needs one, from Compose or from a template."""
    for service in inventory.distinct_services:
        wanted = image_variables.needed(service.image) if service.build is None else ()
        if not wanted or not _is_server(inventory, service) or _is_old(inventory, service):
            continue
        versions = inventory.versions(service) or [service]
        given = {entry.name for item in versions for entry in item.environment}
        absent = [ref.path for item in versions for ref in item.env_files if ref.path not in inventory.file_set]
        templates = [found for path in absent if (found := _template(inventory, path))]
        given |= {line.name for found in templates for line in found.lines}
        if not set(wanted) & given and len(templates) == len(absent):
            brand = "MARIADB_" if "mariadb" in images.repository(service.image) else ""
            yield _evidence(service, next(name for name in wanted if name.startswith(brand)), templates)


_ENTRY = "docker-entrypoint.sh"
_STARTS = frozenset({"postgres", "mysqld", "mariadbd", _ENTRY})


def _is_server(inventory: Inventory, service: Service) -> bool:
    """Whether the entry point of the image sees that its server is to start, and makes a data folder for it."""
    if services.product(inventory, service) is None:
        return False
    first = service.command[0] if service.command else ""
    plain = not first or first.startswith("-") or posixpath.basename(first) in _STARTS
    called = any(_ENTRY in word for start in starting.of(inventory, service) for word in start.words)
    return called or (plain and not service.entrypoint)


def _is_old(inventory: Inventory, service: Service) -> bool:
    """Whether the data may be there already: in a volume that another project has made, or a folder of the host."""
    external = {item.name for item in inventory.volumes if item.project == service.project and item.external}
    return any(mount.outside or mount.source in external for mount in service.mounts)


def _template(inventory: Inventory, path: str) -> EnvFile | None:
    """The only template that lies beside an environment file, which is made from it."""
    folder = posixpath.dirname(path)
    found = [item for item in inventory.env_files if item.template and posixpath.dirname(item.path) == folder]
    return found[0] if len(found) == 1 else None


def _meant(service: Service, name: str) -> list[EnvironmentEntry]:
    """The variables that were probably meant to be the one that is missing."""
    unread = image_variables.unread(service.image)
    found = (item for item in service.environment if item.name in unread)
    return [item for item in found if image_variables.meant(service.image, item.name) == name]


def _evidence(service: Service, name: str, templates: list[EnvFile]) -> Evidence:
    where = f" ({templates[0].path}, of which its environment file is made, has none)" if templates else ""
    return Evidence(
        f"{service.name} runs {service.image} and is not given {name}{where}: it refuses to start with an empty data "
        "folder.",
        service.location,
        subject=f"{service.name}/{name}",
        service=service.name,
        related=(
            *(Related(item.location, f"the template names no {name}") for item in templates),
            *(Related(item.location, f"the image doesn't read {item.name}") for item in _meant(service, name)),
        ),
        recommendation=f"Give {service.name} `{name}: ${{{name}:?set it in .env}}`.",
        example=compose_lines.of_service(service, code_lines.required([name])),
        confidence=Confidence.MEDIUM if templates else None,
    )
