"""An application keeps its data in its own memory.

H2 in memory is for tests: every restart begins with an empty database, and a second container has another one.

Anti-pattern:

    # src/main/resources/application.properties
    spring.datasource.url=jdbc:h2:mem:shop
    # compose.yaml gives the service no SPRING_DATASOURCE_URL

Better:

    spring.datasource.url=${SPRING_DATASOURCE_URL}

Recommendation:

    Give the service the address of a database, and keep the one in memory to a profile for tests.

References:

- https://www.h2database.com/html/features.html#in_memory_databases
- https://docs.spring.io/spring-boot/reference/data/sql.html#data.sql.datasource.embedded
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import environments, programs, services
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import MemoryDatabase
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_REPLACES = ("SPRING_DATASOURCE_URL", "SPRING_APPLICATION_JSON", "SPRING_CLOUD_CONFIG", "SPRING_CONFIG_", "JDBC_URL")
_PROFILES = regex(r"spring[._]profiles", re.I)
_ACTIVE = regex(r"spring[._]profiles[._](?:active|include)[\s=:\"']{1,4}([\w,-]+)", re.I)
_SCHEMES = {"PostgreSQL": "postgresql", "MySQL": "mysql"}


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service whose configuration has a database in memory, in the general file or in an active profile's."""
    for program in programs.programs(inventory):
        if environments.only_for_development(program.service):
            continue
        kept = [item for item in inventory.memory_databases if not item.of_tests]
        used = [item for item in kept if program.holds(item.location.file)]
        active = [item for item in used if _is_active(inventory, program, item)] if used else []
        if active and not _is_replaced(inventory, program):
            yield _evidence(inventory, program, active[0])


def _is_active(inventory: Inventory, program: Program, item: MemoryDatabase) -> bool:
    """Whether the file holds for the service; the general one may be replaced by that of an active profile."""
    text = _told(inventory, program)
    profiles = [name for names in _ACTIVE.findall(text) for name in names.split(",")]
    return item.profile in profiles if item.profile else not _PROFILES.search(text)


def _told(inventory: Inventory, program: Program) -> str:
    """All that a service is told at its start: by its variables, its command, and the steps of its image."""
    service = program.service
    given = [f"{entry.name}={entry.value.text if entry.value else ''}" for entry in service.environment]
    steps = [item.argument for item in services.built_from(inventory, service)[1]]
    return "\n".join((*given, *service.entrypoint, *service.command, *steps))


def _is_replaced(inventory: Inventory, program: Program) -> bool:
    names = [entry.name for item in inventory.versions(program.service) for entry in item.environment]
    names += [entry.name for entry in program.service.environment]
    unread = services.lacks_env_file(inventory, program.service)
    told = _told(inventory, program).lower()
    return (
        any(name.startswith(_REPLACES) for name in names) or "datasource" in told or "spring.config" in told or unread
    )


def _evidence(inventory: Inventory, program: Program, item: MemoryDatabase) -> Evidence:
    service = program.service
    return Evidence(
        f"{service.name} keeps its data in a database in memory, and is given no other address: it is empty after each "
        "restart.",
        item.location,
        subject=f"{service.name}/memory",
        service=service.name,
        related=(Related(service.location, f"{service.name} is built from this configuration"),),
        recommendation=f"Give {service.name} SPRING_DATASOURCE_URL with the address of a database.",
        example=compose_lines.of_service(
            service,
            f"environment:\n  SPRING_DATASOURCE_URL: {_address(inventory, service)}"
            "\n  SPRING_DATASOURCE_USERNAME: ${DB_USER:?set it in .env}"
            "\n  SPRING_DATASOURCE_PASSWORD: ${DB_PASSWORD:?set it in .env}   # and its driver among the dependencies",
        ),
    )


def _address(inventory: Inventory, service: Service) -> str:
    """The address of the project's own database, if it has one that Java's applications know."""
    for other in inventory.services_of(service.project).values():
        product = services.product(inventory, other)
        if product and product.name in _SCHEMES:
            return f"jdbc:{_SCHEMES[product.name]}://{other.name}/<name of the database>"
    return "jdbc:postgresql://<host>/<name of the database>"
