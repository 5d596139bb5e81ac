"""A service is given a variable, and its settings module sets that name to a constant.

Whoever sets the variable believes in an effect that it doesn't have. With `ALLOWED_HOSTS = []` Django refuses every
request as soon as debugging is off, whatever Compose passes.

Anti-pattern:

    # compose.yaml
    environment: {ALLOWED_HOSTS: shop.example.com}
    # settings.py
    ALLOWED_HOSTS = []

Better:

    ALLOWED_HOSTS = os.environ["ALLOWED_HOSTS"].split(",")

Recommendation:

    Read the variable in the settings, or stop passing it.

References:

- https://docs.djangoproject.com/en/stable/ref/settings/#allowed-hosts
- https://12factor.net/config
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, programs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import below
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_Pass = tuple[Service, EnvironmentEntry]


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each name that services are passed and that only a module of constants knows."""
    passed: defaultdict[str, list[_Pass]] = defaultdict(list)
    for service in inventory.distinct_services:
        for entry in service.environment if service.build and not service.build.outside else ():
            if entry.origin == "environment":
                passed[entry.name].append((service, entry))
    for item in inventory.django_settings:
        for name, place in item.fixed:
            uses = [use for use in passed.get(name, ()) if _builds(inventory, use[0], place.file)]
            if place.line < item.taken_over or programs.is_read_by_libraries(name):
                continue  # what is taken over later may read it, and so may a library
            if item.main and uses and _is_known_there_alone(inventory, name, place.file):
                yield _evidence(name, place, uses, dict(item.types).get(name, ""))


def _builds(inventory: Inventory, service: Service, file: str) -> bool:
    return service.build is not None and file in below(inventory.files, service.build.context)


def _is_known_there_alone(inventory: Inventory, name: str, file: str) -> bool:
    """Whether no other file that runs names it, and no code asks the environment for it."""
    read = any(name in (item.name, *item.aliases) for item in inventory.settings)
    naming = [item.path for item in inventory.named_variables if name.lower() in item.names and not item.commented]
    others = [path for path in naming if path != file and not _is_aside(path)]
    return not read and not others


def _is_aside(path: str) -> bool:
    return environments.is_document(path) or environments.is_for_development(path) or path.startswith(".github/")


_READ = {
    "bool": 'os.environ["{0}"].lower() in ("1", "true", "yes")',
    "int": 'int(os.environ["{0}"])',
    "float": 'float(os.environ["{0}"])',
    "list": 'os.environ["{0}"].split(",")',
}
"""How a variable, which is a text, becomes a constant of another type."""


def _evidence(name: str, place: Location, uses: list[_Pass], kind: str) -> Evidence:
    (service, first), *others = uses
    read = _READ.get(kind, 'os.environ["{0}"]').format(name)
    services = list(dict.fromkeys(item.name for item, _ in uses))
    return Evidence(
        f"{listed(services)} {'is' if len(services) == 1 else 'are'} given {name}, but {place.file} sets {name} to a "
        "constant and reads no such variable: it has no effect.",
        first.location,
        subject=f"{place.file}/{name}",
        service=service.name,
        related=(
            Related(place, f"{name} is set here"),
            *(Related(entry.location, f"{item.name} is given it too", member=True) for item, entry in others),
        ),
        recommendation=f"Read {name} from the environment in {place.file}, or remove it from {first.location.file}.",
        example=files.into(place.file, f"{name} = {read}"),
    )
