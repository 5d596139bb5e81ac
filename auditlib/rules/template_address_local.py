"""The template of an environment file leads a container to itself.

In a container `localhost` is the container. A template that names the database or the cache there is right for a
program that is started by hand on the host; where the file made of it is given to a service of Compose as well, the
service looks for its stores in its own container, and is refused.

Anti-pattern:

    # .env.example
    DATABASE_URL=postgresql://shop@localhost:5432/shop
    # compose.yaml
    api:
      build: .
      env_file: .env
    db:
      image: postgres:17.2

Better:

    api:
      build: .
      env_file: .env
      environment:
        DATABASE_URL: postgresql://shop:${DB_PASSWORD:?}@db:5432/shop   # counts before what env_file says

Recommendation:

    Set the address of the service in `environment`, which counts before `env_file`, or in the template.

References:

- https://docs.docker.com/compose/how-tos/networking/
- https://docs.docker.com/compose/how-tos/environment-variables/envvars-precedence/
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import env_file_uses, environments, programs, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.inventory.stack import Endpoint, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_PRODUCTS = {
    "postgres": {"PostgreSQL"}, "postgresql": {"PostgreSQL"}, "mysql": {"MySQL"}, "mariadb": {"MySQL"},
    "mongodb": {"MongoDB"}, "redis": {"Redis", "Valkey"}, "rediss": {"Redis", "Valkey"}, "amqp": {"RabbitMQ"},
    "amqps": {"RabbitMQ"}, "bolt": {"Neo4j"}, "neo4j": {"Neo4j"}, "clickhouse": {"ClickHouse"},
}  # fmt: skip
"""The products that addresses of a scheme are of."""
_PORTS = {
    "5432": {"PostgreSQL"}, "3306": {"MySQL"}, "27017": {"MongoDB"}, "6379": {"Redis", "Valkey"}, "5672": {"RabbitMQ"},
    "9092": {"Kafka"}, "29092": {"Kafka"}, "9200": {"Elasticsearch"}, "6333": {"Qdrant"}, "6334": {"Qdrant"},
    "9000": {"MinIO"}, "7687": {"Neo4j"}, "8123": {"ClickHouse"}, "11211": {"Memcached"}, "7700": {"Meilisearch"},
}  # fmt: skip
_NAMES = (
    (regex(r"(?:^|_)(?:POSTGRES(?:QL)?|PG|DB|DATABASE)_?(?:HOST|HOSTNAME|SERVER)$"), {"PostgreSQL", "MySQL"}),
    (regex(r"(?:^|_)(?:MYSQL|MARIADB)_?(?:HOST|HOSTNAME|SERVER)$"), {"MySQL"}),
    (regex(r"(?:^|_)(?:REDIS|VALKEY|CACHE)_?(?:HOST|HOSTNAME|SERVER)$"), {"Redis", "Valkey"}),
    (regex(r"(?:^|_)MONGO(?:DB)?_?(?:HOST|HOSTNAME|SERVER)$"), {"MongoDB"}),
    (regex(r"(?:^|_)(?:RABBIT(?:MQ)?|AMQP)_?(?:HOST|HOSTNAME|SERVER)$"), {"RabbitMQ"}),
)
"""Variables of a bare host, by what is looked for there."""
_FOR_OTHERS = regex(r"PUBLIC|EXTERNAL|FRONTEND|BROWSER|CORS|ORIGIN|CALLBACK|REDIRECT|(?:^|_)(?:TEST|CI|LOCAL)(?:_|$)")


class _Use(Struct, frozen=True):
    """A line of a template that leads a service to itself, and the service that is meant."""

    service: Service
    line: EnvLine
    meant: Service
    place: Location
    """Where the service is given the variable."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each template by which services of Compose look for the stores of their project in their own containers."""
    for file in inventory.env_files:
        told = {line.name for line in file.lines if line.commented and _is_elsewhere(line)} if file.template else set()
        local = [line for line in file.lines if _is_local(line) and line.name not in told] if file.template else []
        uses = list(_uses(inventory, file, local)) if local else []
        if uses:
            yield _evidence(file, uses)


def _is_local(line: EnvLine) -> bool:
    alone = not line.commented and not _FOR_OTHERS.search(line.name)
    return alone and any(end.host in _LOCAL for end in line.endpoints)


def _is_elsewhere(line: EnvLine) -> bool:
    """Whether a line names another host, as one does that stands in a comment for use in a container."""
    text = line.value.text if line.value else ""
    return bool(text) and not any(host in text for host in _LOCAL)


def _uses(inventory: Inventory, file: EnvFile, lines: list[EnvLine]) -> Iterator[_Use]:
    for program in programs.programs(inventory):
        service = program.service
        if service.network_mode or service.changed_at or not _is_own(inventory, service):
            continue
        given = {entry.name for entry in service.environment}
        read = {name for item in program.settings for name in (item.name, *item.aliases)}
        place = next((item.location for item in service.env_files if _is_made_of(file, item.path)), None)
        for line in lines if read else ():
            own = (
                place is not None and line.name not in given and not _is_overruled(inventory, service, place, line.name)
            )
            where = place if own else _passed(inventory, file, service, line)
            meant = _meant(inventory, service, line) if where and line.name in read else None
            if where and meant:
                yield _Use(service, line, meant, where)


def _is_own(inventory: Inventory, service: Service) -> bool:
    developers = environments.is_for_developers(inventory, service)
    return not developers and services.product(inventory, service) is None and not services.is_one_shot(service)


def _is_made_of(file: EnvFile, path: str) -> bool:
    """Whether people make a file of a template."""
    return file.copied_to == posixpath.normpath(path)


def _is_overruled(inventory: Inventory, service: Service, place: Location, name: str) -> bool:
    """Whether an environment file that comes later, and isn't in the repository, may give another address."""
    later = [item.path for item in service.env_files if item.location > place and item.path not in inventory.file_set]
    templates = {item.copied_to: item for item in inventory.env_files if item.template}
    known = (templates.get(posixpath.normpath(path)) for path in later)
    return any(item is None or any(line.name == name for line in item.lines) for item in known)


def _passed(inventory: Inventory, file: EnvFile, service: Service, line: EnvLine) -> Location | None:
    """Where Compose passes the variable on as the environment file of the project says it."""
    entry = next((item for item in service.environment if item.name == line.name), None)
    if entry is None or entry.variables != (line.name,) or entry.value is None or entry.value.text:
        return None
    project = next((item for item in inventory.projects if item.name == service.project), None)
    return entry.location if project and file.copied_to == env_file_uses.of_compose(project) else None


def _meant(inventory: Inventory, service: Service, line: EnvLine) -> Service | None:
    """The store of the project that an address is meant for."""
    end = next(item for item in line.endpoints if item.host in _LOCAL)
    wanted = _wanted(line.name, end)
    for item in inventory.services_of(service.project).values() if wanted else ():
        found = services.product(inventory, item)
        if found is not None and found.name in wanted and item.name != service.name:
            return item
    return None


def _wanted(name: str, end: Endpoint) -> set[str]:
    scheme = end.scheme.partition("+")[0]
    by_name = next((products for pattern, products in _NAMES if pattern.search(name)), set[str]())
    return _PRODUCTS.get(scheme) or (_PORTS.get(end.port) if end.port else None) or by_name


def _evidence(file: EnvFile, uses: list[_Use]) -> Evidence:
    first = uses[0]
    mine, who, rest = _together(uses)
    lines = {use.line.name: use for use in reversed(uses)}
    names, meant = listed(mine, 3), list(dict.fromkeys(use.meant.name for use in mine.values()))
    places = dict.fromkeys((use.place, use.service.name) for use in uses)
    own = "its own container" if len(who) == 1 else "their own containers"
    more = f" ({listed(rest)} {'gets' if len(rest) == 1 else 'get'} other lines of it likewise)" if rest else ""
    return Evidence(
        f"{file.path} gives {names} on localhost, and {listed(who)} {'gets' if len(who) == 1 else 'get'} "
        f"{'it' if len(mine) == 1 else 'them'}: {own}, where {listed(meant)} "
        f"{'is' if len(meant) == 1 else 'are'} not, unless somebody writes another address{more}.",
        first.line.location,
        subject=f"{file.path}/localhost",
        service=first.service.name,
        related=(
            *(
                Related(use.line.location, f"{name} too", member=True)
                for name, use in lines.items()
                if use is not first
            ),
            *(Related(place, f"{name} gets it here") for place, name in places),
            *(Related(item, "what is meant") for item in dict.fromkeys(use.meant.location for use in uses)),
        ),
        recommendation=f"Set {names} for {listed(who, 3)} in Compose, with {listed(meant)} as the host.",
        example=compose_lines.of_service(
            first.service, "environment:\n" + "\n".join(f"  {name}: {_at(use)}" for name, use in mine.items())
        ),
    )


def _together(uses: list[_Use]) -> tuple[dict[str, _Use], list[str], list[str]]:
    """The lines that the first service gets, the services that get the same ones, and those that get others."""
    found: defaultdict[str, dict[str, _Use]] = defaultdict(dict)
    for use in uses:
        found[use.service.key][use.line.name] = use
    mine = found[uses[0].service.key]
    names = {use.service.key: use.service.name for use in uses}
    who = [names[key] for key, lines in found.items() if lines.keys() == mine.keys()]
    return mine, list(dict.fromkeys(who)), [names[key] for key, lines in found.items() if lines.keys() != mine.keys()]


def _at(use: _Use) -> str:
    """The value with the host of the service that is meant."""
    text = use.line.value.text if use.line.value else ""
    for host in _LOCAL:
        text = text.replace(host, use.meant.name)
    return text if "‹" not in text else f"<the same with {use.meant.name} as the host>"
