"""A program has no password for a data store that asks for one.

The store is started with a password, and the address that a service of the same project is given has none. Each for
itself looks right; together every request ends with `NOAUTH Authentication required`, `Authentication failed` or
`ACCESS_REFUSED`, in the edition of the stack in which the password came later.

Anti-pattern:

    services:
      cache:
        image: redis:7.4.1
        command: redis-server --requirepass ${REDIS_PASSWORD:?}
      api:
        environment: {REDIS_URL: "redis://cache:6379/0"}

Better:

    services:
      cache:
        image: redis:7.4.1
        command: redis-server --requirepass ${REDIS_PASSWORD:?}
      api:
        environment: {REDIS_URL: "redis://:${REDIS_PASSWORD:?}@cache:6379/0"}

Recommendation:

    Give the service the login that the store is started with, or one that was made for it.

References:

- https://redis.io/docs/latest/operate/oss_and_stack/management/security/
- https://hub.docker.com/_/mongo
- https://www.rabbitmq.com/docs/access-control#default-state
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, images, open_stores, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_SCHEMES = {
    "redis": frozenset({"redis", "rediss"}),
    "mongo": frozenset({"mongodb"}),
    "rabbitmq": frozenset({"amqp", "amqps"}),
}
_FORMS = {
    "redis": "redis://:<the password of {host}>@{host}:6379/0",
    "mongo": "mongodb://<a user>:<its password>@{host}:27017/<the database>?authSource=admin",
    "rabbitmq": "amqp://<the user of {host}>:<its password>@{host}:5672/",
}
_LOGIN = regex(r"PASS|AUTH|SECRET|TOKEN|CREDENTIAL|USER")
_OF_STORES = regex(
    r"REDIS|VALKEY|CACHE|CELERY|BROKER|QUEUE|MONGO|RABBIT|AMQP|(?:^|_)(?:DB|DATABASE|MQ|BUS|STORE|DATA_SOURCE)(?:_|$)"
)


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each store that asks for a password, with the deployed services whose address of it has none."""
    asking = {item.key: kind for item in inventory.deployed_services if (kind := _asks(inventory, item))}
    found: defaultdict[str, list[tuple[Service, EnvironmentEntry]]] = defaultdict(list)
    for service in inventory.deployed_services if asking else ():
        if _may_know(inventory, service):
            continue
        mine = inventory.services_of(service.project)
        for entry in service.environment:
            server = next((mine[end.host] for end in entry.endpoints if end.host in mine), None)
            kind = asking.get(server.key, "") if server else ""
            if server and _is_bare(entry, kind) and not _shares(inventory, service, server):
                found[server.key].append((service, entry))
    for server in inventory.deployed_services:
        if server.key in found and not environments.is_for_developers(inventory, server):
            yield _evidence(server, asking[server.key], found[server.key])


def _asks(inventory: Inventory, server: Service) -> str:
    """Which store a service is that is started with a password; empty for one that isn't, or of which nobody knows."""
    if server.build is not None:
        return ""
    given = {entry.name: entry.value.text for entry in server.environment if entry.value}
    words = " ".join(server.command).split()
    if services.is_redis(inventory, server):
        after = [word.strip("\"'") for before, word in itertools.pairwise(words) if before == "--requirepass"]
        return "redis" if any(after) or open_stores.has_password_file(inventory, server) else ""
    name = images.repository(server.image)
    if "--noauth" in words:
        return ""
    if name == "mongo" and given.get("MONGO_INITDB_ROOT_USERNAME"):
        return name
    guest = given.get("RABBITMQ_DEFAULT_USER", "guest") in ("guest", "")
    mounted = any(mount.target.startswith("/etc/rabbitmq") for mount in server.mounts)
    return "rabbitmq" if name == "rabbitmq" and not guest and not mounted else ""


def _may_know(inventory: Inventory, service: Service) -> bool:
    """Whether a service may get a login of a store in another way, or asks none by itself."""
    found = services.product(inventory, service)
    if found is not None or service.secrets or services.lacks_env_file(inventory, service):
        return True
    return any(_LOGIN.search(entry.name) and _OF_STORES.search(entry.name) for entry in service.environment)


def _shares(inventory: Inventory, service: Service, server: Service) -> bool:
    """Whether a variable of which the store's login is made is given to the service, too."""
    command, given = (f"services.{server.name}.{part}" for part in ("command", "environment"))
    mine = {
        item.name
        for item in inventory.variables
        if item.project == server.project
        and (item.target.startswith(command) or (item.target.startswith(given) and _LOGIN.search(item.target)))
    }
    return any(not mine.isdisjoint({entry.name, *entry.variables}) for entry in service.environment)


def _is_bare(entry: EnvironmentEntry, kind: str) -> bool:
    """Whether an address of a store names no login, nor leaves the place of one to a variable."""
    text = entry.value.text if entry.value else ""
    schemes = _SCHEMES.get(kind, frozenset())
    return any(end.scheme in schemes for end in entry.endpoints) and "@" not in text and "‹" not in text


def _evidence(server: Service, kind: str, found: list[tuple[Service, EnvironmentEntry]]) -> Evidence:
    (first, entry), *others = found
    who = listed(dict.fromkeys(f"{item.name} of {service.name}" for service, item in found))
    verb = "has" if not others else "have"
    return Evidence(
        f"{server.name} is started with a password, and {who} {verb} none: unless code adds the login, "
        f"{server.name} refuses every request.",
        entry.location,
        subject=f"{server.name}/login",
        service=first.name,
        related=(
            Related(server.command_location or server.location, f"{server.name} asks for a password"),
            *(Related(item.location, f"{item.name} of {service.name} too", member=True) for service, item in others),
        ),
        recommendation=f"Put the login of {server.name} into {who}.",
        example=compose_lines.of_service(
            first, f"environment:\n  {entry.name}: {_FORMS[kind].format(host=server.name)}"
        ),
    )
