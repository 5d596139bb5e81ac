"""One secret serves several purposes.

Whoever gets hold of it at one place has all the others, and it can only be replaced everywhere at once. A key that
signs sessions and tokens alike lets one be passed off as the other.

Anti-pattern:

    environment:
      SECRET_KEY: ${APP_SECRET}
      JWT_SECRET: ${APP_SECRET}

Better:

    environment:
      SECRET_KEY: ${SECRET_KEY:?set it in .env}
      JWT_SECRET: ${JWT_SECRET:?set it in .env}

Recommendation:

    Make a value of its own for each purpose, and require each variable.

References:

- https://cheatsheetseries.owasp.org/cheatsheets/Key_Management_Cheat_Sheet.html
- https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from auditlib.conventions import environments, secrets
from auditlib.conventions.secrets import Sighting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.redaction import Value, is_credential_name
from auditlib.rules import _login_lines as login_lines
from auditlib.rules._rule import Evidence, rule

_TEST = regex(r"(?:^|[-_.])(?:tests?|testing|e2e)(?:$|[-_.])", re.I)
_RUNNING = ("default", "literal", "setting")
_ROOT = "the root user of the database"
_ADMINISTRATOR = "an administrator's login"
_BROKER = "the message broker"
_BROKERS_OWN = regex(r"RABBITMQ|AMQP", re.I)
_LOGIN = regex(r"(?:^|_)(?:USER|USERNAME|DB|DATABASE)$")
_USER = regex(r"(?:^|_)(?:DB|DATABASE|MYSQL|MARIADB|SQL)_?(?:USER|USERNAME)$")


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every value, and every variable of Compose, that names of different purposes share."""
    values: defaultdict[int, list[Sighting]] = defaultdict(list)
    for item in secrets.sightings(inventory):
        by_chance = item.value.weak and not secrets.is_distinct(item.value)
        running = item.kind in _RUNNING or not item.value.placeholder
        if item.name and item.kind != "template" and running and not by_chance:
            values[item.value.identity].append(item)
    as_root = _logs_in_as_root(inventory)
    for sightings in values.values():
        yield from _judged(inventory, sightings, as_root)
    for (_, name), uses in _variables(inventory).items():
        yield from _judged(inventory, uses, as_root, name)
    for (project, name), mounted in _mounted(inventory).items():
        yield from _of_mounted(project, name, mounted.values())
    yield from _of_laravel(inventory)


def _mounted(inventory: Inventory) -> dict[tuple[str, str], dict[Location, Sighting]]:
    """The credentials that containers read from one secret of Compose, by the base project and that secret."""
    uses: defaultdict[tuple[str, str], dict[Location, Sighting]] = defaultdict(dict)
    bases = {name: base.name for base in inventory.base_projects for name in inventory.family(base.name)}
    for service in inventory.services:
        for entry in service.environment:
            folder, _, name = entry.value.text.rpartition("/") if entry.value else ("", "", "")
            if folder == "/run/secrets" and name in service.secrets and entry.name.endswith("_FILE"):
                item = Sighting(entry.name, entry.value or Value(""), entry.location, "literal", service.name)
                uses[bases.get(service.project, service.project), name].setdefault(entry.location, item)
    return uses


def _of_mounted(project: str, name: str, uses: Iterable[Sighting]) -> Iterator[Evidence]:
    """A secret of Compose that is the login of two different programs."""
    by_purpose: dict[str, list[Sighting]] = {}
    for item in uses:
        if found := secrets.purpose(item.name.removesuffix("_FILE").rstrip("_")):
            by_purpose.setdefault(found, []).append(item)
    if len(by_purpose) < 2:
        return
    (first, *_), *others = by_purpose.values()
    names = list(dict.fromkeys(item.name for found in by_purpose.values() for item in found))
    yield Evidence(
        f"{listed(names)} read the secret {name} of Compose: one secret for {listed(by_purpose)}.",
        first.location,
        subject=f"{project}/{name}",
        service=first.service,
        related=tuple(
            Related(item.location, f"{item.service} reads it too", member=True) for found in others for item in found
        ),
        recommendation=f"Give {listed(found[0].service for found in others)} a secret of its own.",
        severity=Severity.LOW if environments.is_for_development(first.location.file) else None,
        example="\n".join(
            f"# {found[0].service}: {found[0].name}: /run/secrets/<its own>, and <its own> below `secrets`"
            for found in others
        ),
    )


def _of_laravel(inventory: Inventory) -> Iterator[Evidence]:
    """What a configuration of Laravel takes `APP_KEY` for beside the framework, which encrypts with it."""
    for item in inventory.settings:
        folder, _, name = item.location.file.rpartition("/")
        top = folder.removesuffix("config").rstrip("/")
        of_config = item.style == "php" and item.name == "APP_KEY" and folder.endswith("config") and name != "app.php"
        if of_config and (f"{top}/artisan".lstrip("/") in inventory.file_set):
            yield Evidence(
                f"{item.location.file} takes APP_KEY, with which Laravel encrypts sessions and cookies, for another "
                "purpose: whoever is given it for that can read and forge these.",
                item.location,
                subject=f"{item.location.file}/APP_KEY",
                recommendation=f"Read a secret of its own in {item.location.file}.",
                example="'secret' => env('<a variable of its own>'),",
            )


def _logs_in_as_root(inventory: Inventory) -> bool:
    """Whether a service logs in to a database as its root user, whose password the application's is then."""
    entries = (entry for service in inventory.services for entry in service.environment)
    return any(_USER.search(item.name) and item.value is not None and item.value.text == "root" for item in entries)


def _variables(inventory: Inventory) -> dict[tuple[str, str], list[Sighting]]:
    """The credentials that containers get from one variable without a default, by the base project and that variable.

    Another edition may have a default for it: what is told there says nothing of this one.
    """
    uses: defaultdict[tuple[str, str], list[Sighting]] = defaultdict(list)
    bases = {name: base.name for base in inventory.base_projects for name in inventory.family(base.name)}
    stands_in = [item for item in inventory.variables if item.operator in (":-", "-")]
    with_default = [item for item in stands_in if item.default is not None and item.default.secret]
    defaulted = {(bases.get(item.project, item.project), item.name) for item in with_default}
    for service in inventory.services:
        base = bases.get(service.project, service.project)
        for entry in service.environment:
            alone = len(entry.variables) == 1 and is_credential_name(entry.name)
            if alone and (base, entry.variables[0]) not in defaulted:
                item = Sighting(entry.name, entry.value or Value(""), entry.location, "literal", service.name)
                uses[base, entry.variables[0]].append(item)
    return uses


def _purpose(item: Sighting, as_root: bool) -> str:
    found = secrets.purpose(item.name)
    return _ROOT if as_root and found == "the database" else found


def _is_thrown_away(inventory: Inventory, items: list[Sighting]) -> bool:
    """Whether only services for tests have a value, by their names and profiles: their data is made anew."""
    known = {item.name: item for item in inventory.distinct_services}
    places = [known.get(item.service) for item in items]
    return all(
        item is not None and item.profiles and _TEST.search(item.name) and all(map(_TEST.search, item.profiles))
        for item in places
    )


def _is_a_name(inventory: Inventory, items: list[Sighting]) -> bool:
    """Whether all are short defaults as long as what several users or databases of Compose are called: the project.

    Each is to go by itself; that such names are the same tells nothing more.
    """
    if any(item.kind not in ("default", "setting") or secrets.is_distinct(item.value) for item in items):
        return False
    called: defaultdict[str, set[str]] = defaultdict(set)
    for item in inventory.variables:
        if item.default is not None and item.default.length == items[0].value.length and _LOGIN.search(item.name):
            called[item.default.text].add(item.name)
    return any(len(names) > 1 for names in called.values())


def _judged(inventory: Inventory, items: list[Sighting], as_root: bool, variable: str = "") -> Iterator[Evidence]:
    """A finding if the names speak of two purposes at least; a name that speaks of none counts for nothing."""
    by_purpose = _by_purpose(items, as_root)
    named = [item for found in by_purpose.values() for item in found]
    if len(by_purpose) < 2 or _is_thrown_away(inventory, named) or (not variable and _is_a_name(inventory, named)):
        return
    first = min(named, key=lambda item: environments.is_for_development(item.location.file))
    names = list(dict.fromkeys(item.name for item in named))
    logins = [list(dict.fromkeys(item.name for item in found)) for found in by_purpose.values()]
    logins.sort(key=lambda login: variable not in login)  # who is called like the variable keeps it
    told = [name for login in (logins[1:] if variable else logins) for name in login]
    others = [max(login, key=login_lines.is_of_server) for login in logins[1:]]
    what = f"get their value from {variable}" if variable else f"have the same value ({first.value.text})"
    published = all(item.kind == "default" and not secrets.is_distinct(item.value) for item in named)
    aside = published or all(environments.is_for_development(item.location.file) for item in named)
    holders = [item for item in inventory.distinct_services if item.name in {each.service for each in named}]
    places = {item.location: item for item in named if item.location != first.location}
    yield Evidence(
        f"{listed(names)} {what}: one secret for {listed(by_purpose)}"
        f"{', where nobody sets them' if published else ''}.",
        first.location,
        subject="/".join(sorted(names)),
        service=first.service or None,
        related=tuple(Related(place, f"{item.name} has it too", member=True) for place, item in places.items()),
        recommendation=f"Give {listed(others)} {'a value' if len(others) == 1 else 'values'} of "
        f"{'its' if len(others) == 1 else 'their'} own.",
        severity=Severity.LOW if aside else None,
        example=login_lines.with_kept(
            f"{_required(logins[1:] if variable else logins)}\n# in .env, each from a run of its own of: "
            "openssl rand -hex 32",
            inventory,
            told,
            [] if variable else [first.value],
            None if variable or not all(item.service for item in named) else holders,
            called=_called(inventory, told) if variable else {},
        ),
    )


def _by_purpose(items: list[Sighting], as_root: bool) -> dict[str, list[Sighting]]:
    """The sightings by what they are for; a name that may mean another one's login too counts for nothing beside it."""
    found: dict[str, list[Sighting]] = {}
    for item in items:
        purpose = _purpose(item, as_root)
        if purpose and not secrets.opens_nothing(item.name, item.value):
            found.setdefault(purpose, []).append(item)
    if any("ADMIN" in item.name for purpose, mine in found.items() if purpose != _ADMINISTRATOR for item in mine):
        found.pop(_ADMINISTRATOR, None)
    if "Redis" in found and not any(_BROKERS_OWN.search(item.name) for item in found.get(_BROKER, ())):
        found.pop(_BROKER, None)
    return found


def _required(logins: list[list[str]]) -> str:
    """The names as Compose demands them, those of one login from one variable: both ends have to know one value."""
    lines = []
    for names in logins:
        first = max(names, key=login_lines.is_of_server)
        lines += [f"\n  {name}: ${{{first}:?set it in .env}}" for name in names]
    return f"environment:{''.join(lines)}"


def _called(inventory: Inventory, names: list[str]) -> dict[str, str]:
    """By service the new variable that it gets for one of these names, in place of the one that was shared."""
    return {service.name: entry.name for service in inventory.distinct_services for entry in service.environment
            if entry.name in names}  # fmt: skip
