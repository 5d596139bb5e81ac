"""The program that dumps the database is older than the server.

`pg_dump` refuses a server of a newer major release than its own ("aborting because of server version mismatch"): the
backup job starts, and every backup fails, until somebody reads its log. It comes about when the server's image is
raised and the one that dumps it isn't, or when the distribution's package is older than the server.

Anti-pattern:

    services:
      db:
        image: postgres:17.2
      backup:
        image: postgres:15.8
        command: sh -c "while true; do pg_dump -h db shop > /backups/shop.sql; sleep 86400; done"

Better:

    services:
      db:
        image: postgres:17.2
      backup:
        image: postgres:17.2

Recommendation:

    Dump with the programs of the server's own release, best from its image.

References:

- https://www.postgresql.org/docs/current/app-pgdump.html#PG-DUMP-NOTES
- https://wiki.postgresql.org/wiki/Apt
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import dump_clients, environments, images, mounts, services
from auditlib.conventions.dump_clients import Client
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_DUMPS = regex(r"(?<![\w.-])pg_dump(?:all)?(?![\w.-])")
_HOST = regex(r"\s(?:-h[ =]?|--host[ =])(?P<one>[\w.$\"'{}-]+)|postgres(?:ql)?://(?:[^@/\s]*@)?(?P<other>[\w.$-]+)")
_IN_ANOTHER = regex(r"\b(?:docker|podman|kubectl)\b.{0,200}\bexec\b")
_BY_ITSELF = regex(r"postgres-backup")


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each deployed service that dumps a PostgreSQL of its project with older programs than all servers of it."""
    servers = [(item, number) for item in inventory.deployed_services if (number := _served(inventory, item))]
    dumping = _dumping(inventory) if servers else {}
    for service in inventory.deployed_services if servers else ():
        place = _dumps(inventory, service, dumping)
        if place is None or environments.is_for_developers(inventory, service):
            continue
        mine = [(item, number) for item, number in servers if item.project == service.project and item != service]
        if place and _dumps_elsewhere(inventory, service):
            continue
        client = dump_clients.of_service(inventory, service) if mine else None
        if client and all(client.number < number for _, number in mine):
            yield _evidence(service, client, place, *min(mine, key=lambda pair: pair[1]))


def _served(inventory: Inventory, service: Service) -> int:
    """The release of the server that a service runs; 0 if it runs none, or nobody knows which."""
    if service.build or images.repository(service.image) not in dump_clients.POSTGRES:
        return 0
    return dump_clients.release(service.image) if services.product(inventory, service) else 0


def _dumping(inventory: Inventory) -> dict[str, Location]:
    """The scripts and the files of code that call `pg_dump`, each with the place."""
    found: dict[str, Location] = {}
    for script in inventory.scripts:
        for command in script.commands:
            if _is_local(command.words):
                found.setdefault(script.path, command.location)
    for call in inventory.program_calls:
        if call.name in ("pg_dump", "pg_dumpall"):
            found.setdefault(call.location.file, call.location)
    return found


def _is_local(words: tuple[str, ...]) -> bool:
    """Whether a command calls `pg_dump` itself, and not in another container."""
    return words[0].rpartition("/")[2] in ("pg_dump", "pg_dumpall")


def _dumps(inventory: Inventory, service: Service, dumping: dict[str, Location]) -> Location | None:
    """Where a service calls `pg_dump`: in its command, in a script that it mounts and calls, or in its own image."""
    words = (*service.entrypoint, *service.command)
    text = " ".join(words)
    if _DUMPS.search(text) and not _IN_ANOTHER.search(text):
        return service.command_location or service.location
    if service.build is None and _BY_ITSELF.search(service.image):
        return service.image_location
    called = (mounts.path_outside(service, word) for part in words for word in part.split() if word.startswith("/"))
    place = next((dumping[path] for path in called if path in dumping), None)
    folder = service.build.folder if service.build and not service.build.outside else None
    if place is None and folder is not None:
        place = next((each for path, each in dumping.items() if _is_of(inventory, service, path, folder)), None)
    return place


def _dumps_elsewhere(inventory: Inventory, service: Service) -> bool:
    """Whether a host is named, and none of the project's services is."""
    text = " ".join((*service.entrypoint, *service.command))
    named = {(match["one"] or match["other"]).strip("\"'") for match in _HOST.finditer(text)}
    named |= {str(entry.value) for entry in service.environment if entry.value and entry.name.endswith("HOST")}
    named |= {end.host for entry in service.environment for end in entry.endpoints}
    known = inventory.services_of(service.project)
    return bool(named) and not any("$" in name or name in known or name.split(":")[0] in known for name in named)


def _is_of(inventory: Inventory, service: Service, path: str, folder: str) -> bool:
    """Whether a file is part of the image that a service is built from: below its folder, and copied or called."""
    if not folder:
        _, instructions = services.built_from(inventory, service)
        copied = (word for item in instructions if item.copies_context for word in item.words[:-1])
        return any(mounts.is_below(path, word.removeprefix("./").rstrip("/")) for word in copied if word.strip("./"))
    return mounts.is_below(path, folder)


def _evidence(service: Service, client: Client, place: Location, server: Service, number: int) -> Evidence:
    return Evidence(
        f"{service.name} {client.why}, and dumps {server.name}, which is PostgreSQL {number}: pg_dump of "
        f"{client.number} refuses a newer server, so that no backup is made.",
        client.location,
        subject=f"{service.name}/pg_dump",
        service=service.name,
        related=(
            Related(server.image_location, f"{server.name} runs {server.image}"),
            *((Related(place, "pg_dump is called here"),) if place != client.location else ()),
        ),
        recommendation=f"Give {service.name} the client programs of PostgreSQL {number}.",
        example=compose_lines.of_service(service, f"image: {server.image}")
        if service.build is None and images.repository(service.image) in dump_clients.POSTGRES
        else f"# {client.location.file}: the client programs of PostgreSQL {number}, as in {server.image}",
    )
