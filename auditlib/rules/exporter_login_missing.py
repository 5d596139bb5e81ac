"""Redis asks for a password, and its exporter has none.

The exporter starts and is scraped, `up` is 1, and each of its questions is answered by `NOAUTH`: `redis_up` is 0, and
there is nothing to see of memory, keys and clients.

Anti-pattern:

    cache:
      image: redis:7
      command: redis-server --requirepass ${REDIS_PASSWORD}
    redis-exporter:
      image: oliver006/redis_exporter:v1.62.0
      environment: {REDIS_ADDR: "redis://cache:6379"}

Better:

    redis-exporter:
      environment:
        REDIS_ADDR: redis://cache:6379
        REDIS_PASSWORD: ${REDIS_PASSWORD}

Recommendation:

    Give the exporter the password of the server that it asks.

References:

- https://github.com/oliver006/redis_exporter#command-line-flags
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from auditlib import scraping
from auditlib.conventions import exporters, open_stores, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service, Variable
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_MAY_BE_EMPTY = frozenset({"-", ":-", "+", ":+"})


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every exporter of Redis without a login, whose server is of the repository and asks for a password."""
    for service in inventory.distinct_services:
        known = exporters.of_image(service.image) if service.build is None else None
        if known is None or known.name != "Redis exporter" or _has_login(service):
            continue
        for name, place, host in _addresses(service):
            server = scraping.service_named(inventory, graph, host, project=service.project)
            if server and _asks(inventory, server):
                yield _evidence(inventory, service, server, name, place)
                break


def _has_login(service: Service) -> bool:
    """Whether a variable or an option may give it a password, or what nobody reads here."""
    named = any("PASSWORD" in item.name or "USER" in item.name for item in service.environment)
    texts = (*service.command, *(item.value.text for item in service.environment if item.value))
    return (
        named or bool(service.env_files or service.secrets) or any("@" in text or "password" in text for text in texts)
    )


def _addresses(service: Service) -> Iterator[tuple[str, Location, str]]:
    """The hosts that it is told to ask, with what tells it."""
    for item in service.environment:
        for end in item.endpoints if item.name == "REDIS_ADDR" else ():
            yield item.name, item.location, end.host
    for end in service.command_endpoints:
        yield "its command", service.command_location or service.location, end.host


def _asks(inventory: Inventory, server: Service) -> bool:
    """Whether a server is started with a password that isn't empty, or with a variable that is to hold one."""
    words = " ".join(server.command).split()
    after = [word for before, word in pairwise(words) if before == "--requirepass"]
    told = [item for item in _variables(inventory, server) if item.operator not in _MAY_BE_EMPTY]
    asks = any(word.strip("\"'") for word in after) or ("--requirepass" in words and bool(told))
    return services.is_redis(inventory, server) and (asks or open_stores.has_password_file(inventory, server))


def _variables(inventory: Inventory, server: Service) -> list[Variable]:
    """The variables of a server's command that are called as a password is."""
    used = inventory.variables_of.get((server.project, server.name), ())
    return [item for item in used if item.target.startswith(f"services.{server.name}.command") and "PASS" in item.name]


def _password(inventory: Inventory, server: Service) -> str:
    """The password as the server is told it, where that is by one variable."""
    told = _variables(inventory, server)
    plain = len({item.name for item in told}) == 1 and told[0].operator not in ("-", ":-")
    return f"${{{told[0].name}}}" if plain else f"<the password, as it stands in the command of {server.name}>"


def _evidence(inventory: Inventory, service: Service, server: Service, name: str, place: Location) -> Evidence:
    return Evidence(
        f"{server.name} is started with a password, and {service.name}, which {name} sends there, has no password: "
        "`redis_up` is 0, and there are no metrics of it.",
        place,
        subject=f"{service.name}/{server.name}",
        service=service.name,
        related=(Related(server.command_location or server.location, f"{server.name} asks for a password"),),
        recommendation=f"Give {service.name} the password of {server.name} as REDIS_PASSWORD.",
        example=compose_lines.of_service(service, f"environment:\n  REDIS_PASSWORD: {_password(inventory, server)}"),
    )
