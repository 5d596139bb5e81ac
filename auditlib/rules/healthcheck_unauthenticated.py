"""The health check of a password-protected store does not authenticate.

`redis-cli ping` without the password gets "NOAUTH Authentication required" and exits with 0: the check passes whatever
state Redis is in. `mysqladmin ping` likewise succeeds when access is denied. Who waits for `service_healthy` then waits
for nothing.

Anti-pattern:

    cache:
      command: redis-server --requirepass ${REDIS_PASSWORD:?}
      healthcheck:
        test: ["CMD", "redis-cli", "ping"]

Better:

    cache:
      command: redis-server --requirepass ${REDIS_PASSWORD:?}
      environment:
        REDISCLI_AUTH: ${REDIS_PASSWORD:?}
      healthcheck:
        test: ["CMD-SHELL", "redis-cli ping | grep -q PONG"]

Recommendation:

    Give the probe the password by its environment (`REDISCLI_AUTH`, `MYSQL_PWD`) and check the answer.

References:

- https://redis.io/docs/latest/develop/tools/cli/
- https://dev.mysql.com/doc/refman/8.4/en/mysqladmin.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule

_REDIS = frozenset({"redis-cli", "valkey-cli"})
_REDIS_OPTIONS = ("-a", "--pass", "--user", "-u", "--askpass")
_REDIS_VARIABLES = frozenset({"REDISCLI_AUTH", "VALKEYCLI_AUTH"})
_MYSQL = frozenset({"mysqladmin", "mariadb-admin"})
_MYSQL_VARIABLES = frozenset({"MYSQL_PWD", "MYSQL_ALLOW_EMPTY_PASSWORD", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD"})
_MYSQL_OPTIONS = ("-p", "--password", "--defaults", "--login-path")


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every probe of Redis or MySQL that is protected by a password and doesn't give it."""
    for service in inventory.services:
        probe = service.healthcheck
        if probe is None or probe.disabled:
            continue
        words = " ".join((*service.entrypoint, *service.command))
        names = {entry.name for entry in service.environment}
        for command in probe.commands:
            tool = command.words[0].rpartition("/")[2] if command.words else ""
            if (
                tool in _REDIS
                and "--requirepass" in words
                and not _gives(command, names, _REDIS_OPTIONS, _REDIS_VARIABLES)
            ):
                checked = any("PONG" in word for other in probe.commands for word in other.words[1:])
                effect = "so the check never passes" if checked else f"and {tool} exits with 0, so the check passes"
                yield _evidence(service, f"gets NOAUTH instead of an answer {effect} whatever state it is in")
            elif (
                tool in _MYSQL
                and "ping" in command.words
                and not _gives(command, names, _MYSQL_OPTIONS, _MYSQL_VARIABLES)
            ):
                yield _evidence(service, "succeeds also when access is denied", Severity.LOW)


def _gives(command: Command, names: set[str], options: tuple[str, ...], variables: frozenset[str]) -> bool:
    by_option = any(word.startswith(options) for word in command.words[1:])
    return by_option or bool(variables & (names | set(command.assignments)))


def _evidence(service: Service, effect: str, severity: Severity | None = None) -> Evidence:
    probe = service.healthcheck
    place = (probe.test_location or probe.location) if probe else service.location
    protected = service.command_location
    return Evidence(
        f"The health check of {service.name} doesn't give the password: it {effect}.",
        place,
        subject=service.name,
        service=service.name,
        related=(Related(protected, f"{service.name} wants a password"),) if protected else (),
        recommendation=f"Set {'REDISCLI_AUTH' if severity is None else 'MYSQL_PWD'} in the environment of "
        f"{service.name} and check what the probe answers.",
        severity=severity,
    )
