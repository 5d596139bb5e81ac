"""A password that may hold a slash is put into an address as it is.

`openssl rand -base64` makes passwords with `/`, `+` and `=`. In `postgresql://shop:${PASSWORD}@db/shop` a `/` ends the
part of the host: the client looks for a host `shop` with the rest as its port, and fails. Every second password of 32
bytes has one, so that the same steps work on one host and not on the next.

Anti-pattern:

    # .env.example
    # openssl rand -base64 32
    DB_PASSWORD=
    # compose.yaml
    environment: {DATABASE_URL: "postgresql://shop:${DB_PASSWORD}@db:5432/shop"}

Better:

    # .env.example
    # openssl rand -hex 32
    DB_PASSWORD=

Recommendation:

    Make passwords that stand in addresses of letters and digits alone (`openssl rand -hex 32`).

References:

- https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1
- https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
- https://docs.openssl.org/master/man1/openssl-rand/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import templates
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.redaction import is_credential_name
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LOGIN = regex(r"^(?:jdbc:)?\w[\w+.-]*://[^@\s/?]{0,200}:[^@\s/?]{0,200}@")

_Use = tuple[Service, EnvironmentEntry]


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each template that has people make passwords in Base64 which Compose puts into addresses."""
    made = [(file, lines) for file in inventory.env_files if (lines := _made(file))]
    told: set[str] = set()
    for file, lines in made:
        uses = _uses(inventory, file)
        mine = {name: line for name, line in lines.items() if name in uses and name not in told}
        told.update(mine)
        if mine:
            yield _evidence(mine, uses)


def _made(file: EnvFile) -> dict[str, EnvLine]:
    return {line.name: line for line in file.lines if line.made_by and is_credential_name(line.name)}


def _uses(inventory: Inventory, file: EnvFile) -> dict[str, list[_Use]]:
    """By variable the addresses that hold it as their password, in the projects that a template may be for."""
    found: defaultdict[str, list[_Use]] = defaultdict(list)
    meant = {item.name for item in inventory.projects if templates.goes_with(inventory, file, item)}
    for service in inventory.deployed_services:
        for entry in service.environment if service.project in meant else ():
            text = entry.value.text if entry.value and entry.variables else ""
            if _LOGIN.match(text):
                for name in filter(is_credential_name, entry.variables):
                    found[name].append((service, entry))
    return dict(found)


def _evidence(lines: dict[str, EnvLine], uses: dict[str, list[_Use]]) -> Evidence:
    names = listed(lines)
    first = next(iter(lines.values()))
    found = [use for name in lines for use in uses[name]]
    places: dict[Location, str] = {}
    for _, entry in found:
        places.setdefault(entry.location, f"{entry.name} holds it as it is")
    who = listed(dict.fromkeys(f"{entry.name} of {service.name}" for service, entry in found))
    better = re.sub(r"-base64", "-hex", first.made_by) if "openssl" in first.made_by else "openssl rand -hex 32"
    verb = "takes" if len(found) == 1 else "take"
    return Evidence(
        f"{first.location.file} has people make {names} by `{first.made_by}`, and {who} {verb} "
        f"{'it' if len(lines) == 1 else 'them'} as the password of an address: one with a `/` in it breaks it.",
        first.location,
        subject=f"{first.location.file}/base64",
        service=found[0][0].name,
        related=(
            *(Related(line.location, f"{name} too", member=True) for name, line in list(lines.items())[1:]),
            *(Related(place, text) for place, text in places.items()),
        ),
        recommendation=f"Have people make {names} by `{better}`.",
        example=files.into(first.location.file, f"# {better}\n" + "\n".join(f"{name}=" for name in lines)),
    )
