"""A service is handed an environment file with the credentials of others.

`env_file` gives a container everything in the file. Whoever gets into the container, or may inspect it, then has the
keys of programs that it has nothing to do with; and nobody can tell any more who needs which secret.

Anti-pattern:

    api:
      env_file: .env           # SECRET_KEY, DATABASE_URL, STRIPE_API_KEY
    cache:
      image: redis:7
      env_file: .env           # reads none of them

Better:

    cache:
      image: redis:7

Recommendation:

    Give each service the variables that it reads, by name in `environment` or in a file of its own.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/
- https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import env_readers, environments, programs
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_PAGES = (".tsx", ".jsx", ".vue", ".svelte")
_FEWEST_PAGES = 3
"""Files with parts of pages from which on a folder is taken for the whole code of a frontend."""


class _Use(Struct, frozen=True):
    """A service that is given an environment file; `read` is None where nobody knows what it reads."""

    service: Service
    place: Location
    read: set[str] | None


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each environment file whose credentials go to services that read none of them, with who does read them."""
    given: defaultdict[tuple[str, str], list[tuple[Service, Location]]] = defaultdict(list)
    for service in inventory.distinct_services:
        for item in service.env_files:
            given[service.project, posixpath.normpath(item.path)].append((service, item.location))
    shared = {path: uses for path, uses in given.items() if len(uses) > 1 or env_readers.is_known_image(uses[0][0])}
    known = _known(inventory) if any(len(uses) > 1 for uses in shared.values()) else {}
    filled = {item.env_file for item in inventory.projects}
    for (_, path), services in shared.items():
        names = env_readers.of_file(inventory, path)
        keys = env_readers.credentials(names)
        if keys:
            uses = [_Use(service, place, _read(inventory, known, service, names)) for service, place in services]
            yield from _judged(path, keys, uses, filled=path in filled)


def _known(inventory: Inventory) -> dict[str, Program]:
    """The programs of which all is known that they read of their environment, by their service."""
    in_part = env_readers.read_in_part(inventory)
    pages = [path for path in inventory.files if path.endswith(_PAGES)]
    return {
        item.service.key: item
        for item in programs.programs(inventory)
        if env_readers.is_read_completely(item, in_part) or _is_frontend(item, pages, in_part)
    }


def _is_frontend(program: Program, pages: list[str], in_part: list[str]) -> bool:
    """Whether a program's code is there, and draws pages: what asks for no variable there needs none."""
    if program.foreign or any(map(program.holds, in_part)):
        return False
    return sum(map(program.holds, pages)) >= _FEWEST_PAGES


def _read(inventory: Inventory, known: dict[str, Program], service: Service, names: tuple[str, ...]) -> set[str] | None:
    if env_readers.is_known_image(service):
        return env_readers.read_by_image(inventory, service, names)
    program = known.get(service.key)
    return None if program is None else env_readers.read_by_program(program, names)


def _judged(path: str, keys: tuple[str, ...], uses: list[_Use], *, filled: bool) -> Iterator[Evidence]:
    """A finding if credentials that one service reads go to another that reads none of them."""
    readers = {key: [item.service.name for item in uses if item.read is not None and key in item.read] for key in keys}
    wanted = [key for key in keys if readers[key]]
    idle = [item for item in uses if item.read is not None and not item.read.intersection(keys)]
    useless = [item for item in idle if not item.read]
    idle = [*useless, *(item for item in idle if item.read)]
    if wanted and idle:
        yield _evidence(path, wanted, readers, idle, filled=filled)
    elif images := [item for item in idle if env_readers.is_known_image(item.service)]:
        yield _evidence(path, list(keys), {}, images, filled=filled)


def _lines(item: _Use, *, filled: bool) -> str:
    """The variables that the service does read, by name; nothing where there are none.

    Compose can fill them in where it reads the file itself; else they need a file of their own.
    """
    read = sorted(item.read or ())
    if read and not filled:
        return compose_lines.of_service(item.service, f"env_file: <a file with {listed(read, limit=6)} alone>")
    entries = "".join(f"\n  {name}: ${{{name}}}" for name in read)
    return compose_lines.of_service(item.service, f"environment:{entries}" if read else "# without env_file")


def _held(keys: list[str], readers: dict[str, list[str]]) -> str:
    """What lies in the file, and who of the others reads it where that is known."""
    if not readers:
        return f"It holds {listed(keys, limit=6)}"
    return f"Others read {listed(f'{key} ({listed(readers[key], limit=3)})' for key in keys)}"


def _evidence(path: str, keys: list[str], readers: dict[str, list[str]], idle: list[_Use], *, filled: bool) -> Evidence:
    first, *others = idle
    names = listed(item.service.name for item in idle)
    nothing = all(not item.read for item in idle)
    reads = "any of its variables" if nothing else "any of its credentials"
    aside = all(environments.only_for_development(item.service) for item in idle)
    return Evidence(
        f"{names} {'is' if not others else 'are'} handed all of {path}, and nothing that is known of "
        f"{'it' if not others else 'them'} reads {reads}. {_held(keys, readers)}.",
        first.place,
        subject=path,
        service=first.service.name,
        related=tuple(Related(item.place, f"{item.service.name} is handed it too", member=True) for item in others),
        recommendation=f"Take `env_file: {path}` from {names}, and name there what each of them reads.",
        severity=Severity.LOW if aside or (first.read or set()).difference(env_readers.SYSTEM) else None,
        confidence=Confidence.HIGH if all(env_readers.is_known_image(item.service) for item in idle) else None,
        example="\n".join(_lines(item, filled=filled) for item in idle[:6]),
    )
