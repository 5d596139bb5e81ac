"""What is deployed runs as in development.

The Compose file that a deployment starts says so itself: frameworks then show errors with their code to every caller,
log and cache as on a developer's machine, and leave out what protects.

Anti-pattern:

    # docker-compose.yml, started by the deployment
    environment:
      NODE_ENV: development

Better:

    environment:
      NODE_ENV: production
    # and in compose.dev.yaml, for development:
      NODE_ENV: development

Recommendation:

    Set production in the file that is deployed, and development in a file for development alone.

References:

- https://docs.docker.com/compose/how-tos/production/
- https://expressjs.com/en/advanced/best-practice-performance.html#set-node_env-to-production
- https://docs.djangoproject.com/en/stable/topics/settings/#envvar-DJANGO_SETTINGS_MODULE
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import django, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import DJANGO_MODULE
from auditlib.inventory.stack import EnvironmentEntry, Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_IN_PRODUCTION = {
    "development": "production", "Development": "Production", "DEVELOPMENT": "PRODUCTION",
    "dev": "prod", "Dev": "Prod", "DEV": "PROD",
}  # fmt: skip
"""What frameworks that call development by the one name call production."""
_Fixed = tuple[Service, EnvironmentEntry]


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each variable of a project that a command deploys one finding for all services that run as in development."""
    for project in inventory.deployed_projects:
        found: defaultdict[str, list[_Fixed]] = defaultdict(list)
        for service in inventory.services_of(project.name).values() if project.started_at else ():
            for entry in service.environment if not environments.only_for_development(service) else ():
                if _is_development(entry) and not _is_changed(inventory, service, entry):
                    found[entry.name].append((service, entry))
        for name, items in found.items():
            yield _evidence(inventory, project, name, items)


def _is_development(entry: EnvironmentEntry) -> bool:
    """Whether an entry says, whatever the environment holds, that the software is in development."""
    if entry.value is None or entry.variables or environments.is_for_development(entry.location.file):
        return False
    value = entry.value.text
    if entry.name == DJANGO_MODULE:
        return environments.is_development(value.rpartition(".")[2])
    return environments.names_environment(entry.name) and environments.is_development(value)


def _is_changed(inventory: Inventory, service: Service, entry: EnvironmentEntry) -> bool:
    """Whether an overlay that isn't for development alone says otherwise."""
    others = (item for item in inventory.versions(service) if item.project not in inventory.aside)
    return any(
        each.name == entry.name and not _is_development(each)
        for item in others for each in item.environment
    )  # fmt: skip


def _effects(inventory: Inventory, name: str, value: str) -> tuple[Related, ...]:
    """Where the code decides by the variable, or what the settings that it names turn on."""
    if name == DJANGO_MODULE:
        paths = django.of_module(inventory, value)
        switches = (item for item in inventory.debug_switches if item.location.file in paths)
        return tuple(Related(item.location, f"{item.name} is on there") for item in switches)
    return tuple(
        Related(item.location, f"decides by {name}: {', '.join(item.targets) or 'a branch'}")
        for item in inventory.environment_branches if item.variable.upper() == name.upper()
    )  # fmt: skip


def _evidence(inventory: Inventory, project: Project, name: str, items: list[_Fixed]) -> Evidence:
    (service, entry), *others = items
    value = entry.value.text if entry.value else ""
    effects = _effects(inventory, name, value)
    files = inventory.files_of(project.name)
    base = entry.location.file if entry.location.file in files else files[0]
    first = project.started_at[0]
    deploys = "has people deploy it" if environments.is_document(first.file) else "deploys it"
    return Evidence(
        f"{entry.location.file} sets {name} to `{value}` for {listed(item.name for item, _ in items)}, and "
        f"{first.file} {deploys}: what users reach runs as on a developer's machine.",
        entry.location,
        subject=f"{project.name}/{name}",
        service=service.name,
        related=(
            *(Related(other.location, f"{item.name} too", member=True) for item, other in others),
            Related(first, deploys),
            *effects,
        ),
        recommendation=f"Set {name} for production in {entry.location.file}, and `{value}` in a file for development.",
        severity=Severity.HIGH if effects else None,
        change=(value, _IN_PRODUCTION[value]) if name != DJANGO_MODULE and value in _IN_PRODUCTION else ("", ""),
        example="# compose.dev.yaml, which no server reads by itself: docker compose -f "
        f"{base} -f compose.dev.yaml up\n"
        f"services:\n  {service.name}:\n    environment:\n      {name}: {value}",
    )
