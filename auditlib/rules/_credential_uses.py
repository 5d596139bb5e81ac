"""Where Compose files hold credentials: each by its name, with its places and the services that get it."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from auditlib.conventions import secrets
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.patterns import regex
from auditlib.redaction import is_credential_name
from auditlib.rules import _login_lines as login_lines
from auditlib.rules._credential_lines import Use

_FOR_TESTS = regex(r"(?:^|[._-])(?:tests?|testing|ci|e2e)(?=$|[._-])")
"""What the name of a Compose file says that is started for the tests alone, and thrown away after them."""
_USER = regex(r"(?:^|_)(?:USER|USERNAME)$")
_KEY_OF_USER = regex(r"(?:^|_)ACCESS_KEY(?:_ID)?$")
"""What clients of an object store call the name of a user; `SECRET_ACCESS_KEY` is the password."""


def user_names(inventory: Inventory) -> set[tuple[str, str]]:
    """By family and name the variables that hold whom a store lets in, not the secret (`MINIO_ROOT_USER:
    ${MINIO_ACCESS_KEY:-shop}`).
    """
    families = _families(inventory)
    given = [
        (service.project, entry.name, name)
        for service in inventory.services
        for entry in service.environment
        for name in entry.variables
    ]
    given += [  # where an override gives another value, the variable is in its base alone
        (item.project, item.target.rpartition(".")[2], item.name)
        for item in inventory.variables
        if ".environment." in item.target
    ]
    return {
        (families.get(project, project), name)
        for project, holder, name in given
        if _USER.search(holder) and _KEY_OF_USER.search(name) and "SECRET" not in name
    }


def thrown_away(inventory: Inventory) -> set[tuple[str, str]]:
    """By file and service what tests alone start, keeps nothing and is asked by nobody else: nothing opens."""
    return {
        (file, service.name)
        for service in inventory.services
        for file in {service.location.file, *(entry.location.file for entry in service.environment)}
        if _FOR_TESTS.search(posixpath.basename(file)) and not _is_kept(service, file)
    }


def _is_kept(service: Service, file: str) -> bool:
    """Whether a file publishes a port of a service or gives it a volume; one that it goes with doesn't count."""
    kept = [mount.location for mount in service.mounts if mount.kind == "volume"]
    return any(place.file == file for place in (*kept, *(port.location for port in service.ports)))


def sharing(inventory: Inventory) -> dict[tuple[str, int], dict[str, None]]:
    """By the place of an entry the services that have it: several, where an anchor brings it into each."""
    found: defaultdict[tuple[str, int], dict[str, None]] = defaultdict(dict)
    for service in inventory.services:
        for entry in service.environment:
            found[entry.location.file, entry.location.line][service.name] = None
    return found


def reached(
    by_name: Mapping[tuple[str, str], Service],
    family: str,
    uses: Iterable[Use],
    sharing: Mapping[tuple[str, int], Iterable[str]],
) -> list[Service]:
    places = [(use.service, (use.location.file, use.location.line)) for use in uses]
    names = dict.fromkeys(name for own, spot in places for name in (own, *sharing.get(spot, ())) if name)
    return [by_name[family, item] for item in names if (family, item) in by_name]


def _families(inventory: Inventory) -> dict[str, str]:
    return {project.name: project.base or project.name for project in inventory.projects}


def defaults(inventory: Inventory) -> Iterator[tuple[str, str, Use]]:
    """`${NAME:-value}`, wherever it stands."""
    families = _families(inventory)
    for variable in inventory.variables:
        if variable.operator in (":-", "-") and secrets.is_default(variable) and variable.default is not None:
            use = Use(variable.location, variable.service or "", variable.default, literal=False)
            yield families.get(variable.project, variable.project), variable.name, use


def literals(inventory: Inventory) -> Iterator[tuple[str, str, Use]]:
    """`NAME: value` in the environment of a service."""
    families = _families(inventory)
    for service in inventory.services:
        for entry in service.environment:
            literal = entry.origin == "environment" and entry.value and entry.value.secret and not entry.variables
            if literal and entry.value and not _is_called_so(service, entry):
                is_address = bool(login_lines.hosts_of(entry))
                use = Use(entry.location, service.name, entry.value, literal=True, is_address=is_address)
                yield families.get(service.project, service.project), entry.name, use


def _is_called_so(service: Service, entry: EnvironmentEntry) -> bool:
    """Whether a user or a database has the name that the password beside it, in the same line, has as its value."""
    line = entry.location.line
    beside = [item for item in service.environment if item.location.line == line and is_credential_name(item.name)]
    mine = entry.value.identity if entry.value else 0
    return not is_credential_name(entry.name) and any(item.value and item.value.identity == mine for item in beside)
