"""One Compose file gives a program a setting that another one of the same program leaves out.

A repository has a Compose file for each way in which it is run, and each has to be kept up. A switch, a list of hosts
or a key that was added to one of them alone keeps the default of the code in the others: the limit on logins is off
there, or only localhost is answered.

Anti-pattern:

    # docker-compose.cloud.yml
    api:
      environment: {RATE_LIMIT_ENABLED: "true", ALLOWED_HOSTS: "${ALLOWED_HOSTS:?}"}
    # docker-compose.production.yml
    api:
      environment: {}
    # config.py
    RATE_LIMIT_ENABLED: bool = False
    ALLOWED_HOSTS: str = "localhost"

Better:

    # docker-compose.production.yml
    api:
      environment: {RATE_LIMIT_ENABLED: "true", ALLOWED_HOSTS: "${ALLOWED_HOSTS:?}"}

Recommendation:

    Keep what all editions need in one file that each `extends`, or give each the same settings.

References:

- https://docs.docker.com/compose/how-tos/multiple-compose-files/extends/
- https://12factor.net/dev-prod-parity
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib import stages
from auditlib.conventions import env_readers, environments, programs, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.redaction import is_credential_name
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_ON = frozenset({"true", "1", "yes", "on"})
_OFF = frozenset({"false", "0", "no", "off", ""})
_LOCAL = regex(r"(?:^|[/,@\s\"'\[])(?:localhost|127\.0\.0\.1)(?:$|[:/,\s\"'\]])")
_OF_VISITORS = regex(
    r"(?:^|_)(?:ALLOWED_HOSTS|TRUSTED_HOSTS|(?:CORS_)?(?:ALLOWED_)?ORIGINS|(?:PUBLIC|BASE|SITE|APP)_UR[LI])$"
)
"""Names of addresses by which visitors come, of which no edition can do with localhost."""
_SHOWN = 4


class _Lack(Struct, frozen=True):
    """A setting that one edition gives a service, and the services of the same name that lack it."""

    entry: EnvironmentEntry
    giver: Service
    setting: Setting
    lacking: tuple[Service, ...]


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each Compose file the settings that it gives its programs and that files beside it don't."""
    if len(inventory.base_projects) < 2:
        return
    alike = _editions(inventory)
    found: defaultdict[str, dict[str, _Lack]] = defaultdict(dict)
    read = dict(_read(inventory)) if alike else {}
    for name, mine in alike.items():
        for lack in _lacks(inventory, read.get(name, ()), mine):
            if not any(lack.entry.name in known for known in found.values()):
                found[lack.giver.location.file][lack.entry.name] = lack
    for lacks in found.values():
        yield _evidence(list(lacks.values()))


def _editions(inventory: Inventory) -> dict[str, list[Service]]:
    """The services that run the repository's own programs, by a name that several whole Compose files have."""
    bases = {item.name for item in inventory.base_projects}
    alike: defaultdict[str, list[Service]] = defaultdict(list)
    for service in inventory.deployed_services:
        own = service.project in bases and service.changed_at is None
        if own and not environments.is_for_developers(inventory, service) and not _is_foreign(inventory, service):
            alike[service.name].append(service)
    return {name: mine for name, mine in alike.items() if len({item.location.file for item in mine}) > 1}


def _read(inventory: Inventory) -> Iterator[tuple[str, tuple[Setting, ...]]]:
    """By service the settings that its code reads; of one that is built from a folder above, all of the repository."""
    for service in inventory.distinct_services:
        if service.build is not None and service.build.outside:
            yield service.name, inventory.settings
    for program in programs.programs(inventory):
        if program.settings:
            yield program.service.name, program.settings


def _is_foreign(inventory: Inventory, service: Service) -> bool:
    return services.product(inventory, service) is not None or services.is_one_shot(service)


def _lacks(inventory: Inventory, settings: tuple[Setting, ...], mine: list[Service]) -> Iterator[_Lack]:
    given = {item.key: known for item in mine if (known := _given(inventory, item)) is not None}
    used = [item for item in settings if not item.unused and not programs.is_aside(item)]
    needed = {item.name for item in used if item.default is None}
    read = {item.name: item for item in used if item.name not in needed}
    ordered = sorted(mine, key=lambda item: not stages.names_production(item.location.file))
    for giver in ordered:
        for entry in giver.environment:
            setting = read.get(entry.name)
            without = tuple(item for item in mine if item.key in given and entry.name not in given[item.key])
            if setting and without and entry.origin == "environment" and _matters(entry, setting):
                yield _Lack(entry, giver, setting, without)


def _given(inventory: Inventory, service: Service) -> set[str] | None:
    """The variables that a service may be given; None where a file that nobody has tells them."""
    names = {entry.name for item in inventory.versions(service) for entry in item.environment}
    for reference in service.env_files:
        told = env_readers.of_file(inventory, reference.path)
        if not told:
            return None
        names.update(told)
    _, instructions = services.built_from(inventory, service)
    return names | {name for item in instructions for name, _ in item.variables}


def _matters(entry: EnvironmentEntry, setting: Setting) -> bool:
    """Whether the default of the code is off, local or a known password, where the edition says otherwise."""
    if setting.default is None or setting.default_kind not in ("literal", "empty"):
        return False
    value, default = entry.value, setting.default.text.strip().lower()
    if is_credential_name(entry.name):
        return setting.default_kind == "literal" and setting.default.length > 0
    if value and value.text.lower() in _ON:
        return default in _OFF and setting.default_kind == "literal"
    return bool(_OF_VISITORS.search(entry.name) and _LOCAL.search(setting.default.text))


def _default(lack: _Lack) -> str:
    return f"{lack.entry.name} is {lack.setting.default} by {lack.setting.location.file}"


def _evidence(lacks: list[_Lack]) -> Evidence:
    first = lacks[0]
    names = listed(item.entry.name for item in lacks)
    files = list(dict.fromkeys(each.location.file for item in lacks for each in item.lacking))
    verb = "does" if len(files) == 1 else "do"
    who = listed(dict.fromkeys(each.name for item in lacks for each in item.lacking))
    places = {(each.location, each.name): None for item in lacks for each in item.lacking}
    return Evidence(
        f"{first.giver.location.file} gives {names} to {who}, and {listed(files)} {verb} not: there "
        f"{listed(map(_default, lacks), _SHOWN)}, unless that is meant.",
        first.entry.location,
        subject=f"{first.giver.location.file}/editions",
        service=first.giver.name,
        related=(
            *(Related(item.entry.location, f"{item.entry.name} is given here", member=True) for item in lacks[1:]),
            *(Related(item.setting.location, f"the default of {item.entry.name}") for item in lacks),
            *(Related(place, f"{name} lacks it") for place, name in places),
        ),
        recommendation=f"Give {names} in {listed(files, _SHOWN)} too, or say there why not.",
        example=compose_lines.of_service(
            first.lacking[0],
            "environment:\n" + "\n".join(f"  {_line(item)}" for item in lacks if item.giver.name == first.giver.name),
        ),
    )


def _line(lack: _Lack) -> str:
    value, variables = lack.entry.value, lack.entry.variables
    if len(variables) == 1:
        return f"{lack.entry.name}: ${{{variables[0]}:?set it in .env}}"
    shown = value.text if value and not value.secret else f"${{{lack.entry.name}:?set it in .env}}"
    return f'{lack.entry.name}: "{shown}"'
