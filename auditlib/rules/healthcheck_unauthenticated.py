"""The health check of a password-protected store does not authenticate.

`redis-cli ping` without the password gets "NOAUTH Authentication required" and exits with 0: the check passes whatever
state Redis is in. `mysqladmin ping` likewise succeeds when access is denied, and so does a `curl` of Elasticsearch
without `-f`. Who waits for `service_healthy` then waits for nothing. `pg_isready` and `rabbitmq-diagnostics` need no
password.

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

    Give Redis' probe the password by its environment (`REDISCLI_AUTH`), let MySQL's log in and ask something, and check
    the answer.

References:

- https://redis.io/docs/latest/develop/tools/cli/
- https://dev.mysql.com/doc/refman/8.4/en/mysqladmin.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from auditlib.conventions import open_stores, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Healthcheck, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_WEB = frozenset({"curl", "wget"})
_VARIABLES = {
    "redis": ("REDISCLI_AUTH", "VALKEYCLI_AUTH"),
    "mysql": ("MYSQL_PWD", "MYSQL_ALLOW_EMPTY_PASSWORD", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD"),
}
_OPTIONS = {
    "redis": ("-a", "--pass", "--user", "-u", "--askpass"),
    "mysql": ("-p", "--password", "--defaults", "--login-path"),
    "mongo": ("-u", "--username", "mongodb://", "--tls", "--authenticationMechanism"),
    "web": ("-u", "--user", "--netrc", "-n", "-H", "--header", "--http-user", "--cert", "-E"),
}
_TOOLS = {"redis-cli": "redis", "valkey-cli": "redis", "mysqladmin": "mysql", "mariadb-admin": "mysql",
          "mongosh": "mongo", "mongo": "mongo"}  # fmt: skip
_PROTECTING = {
    "Elasticsearch": ("ELASTIC_PASSWORD", "OPENSEARCH_INITIAL_ADMIN_PASSWORD"),
    "RabbitMQ": ("RABBITMQ_DEFAULT_PASS",),
}
"""Products whose web interface wants the password that the variable sets."""
_OPEN = ("xpack.security.enabled", "DISABLE_SECURITY_PLUGIN", "plugins.security.disabled")


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every probe of a protected store that doesn't give the password, or that succeeds whatever it finds."""
    for service in inventory.services:
        probe = service.healthcheck
        found = services.product(inventory, service)
        if probe is None or probe.disabled or not probe.commands:
            continue
        protected = open_stores.has_password_file(inventory, service)
        judged = (
            _fault(service, found.name if found else "", probe, command, protected=protected)
            for command in probe.commands
        )
        fault = next(filter(None, judged), None)
        if fault:
            yield _evidence(inventory, service, *fault)
        elif found and found.kind in services.DATASTORES and probe.commands[0].cannot_fail:
            yield _swallowed(service, probe)


_NEEDS_LOGIN = regex(
    r"\brs\.(?:status|conf)\b|\bserverStatus\b|\.stats\(|\blistDatabases\b|\breplSetGetStatus\b|"
    r"\bshow (?:dbs|databases)\b|\.getCollectionNames\(|\.countDocuments\(|\.find(?:One)?\("
)
"""What MongoDB answers to nobody without a login; `ping` and `hello` it does."""
_OF_MONGO = (
    '["CMD-SHELL", "mongosh --quiet -u \\"$$MONGO_INITDB_ROOT_USERNAME\\" -p \\"$$MONGO_INITDB_ROOT_PASSWORD\\" '
    "--authenticationDatabase admin --eval '<what it asks now>'\"]"
)
_FAILS = regex(r"-[a-zA-Z]*f[a-zA-Z]*")
_Fault = tuple[str, str, Severity | None]
"""What a probe without the password does, how it is mended, and how bad it is if not as usual."""


def _fault(service: Service, product: str, probe: Healthcheck, command: Command, *, protected: bool) -> _Fault | None:
    tool = command.words[0].rpartition("/")[2] if command.words else ""
    kind = "web" if tool in _WEB else _TOOLS.get(tool, "")
    if not kind or _gives(service, command, kind):
        return None
    if kind == "redis" and (protected or _wants_password(service)):
        checked = any("PONG" in word for other in probe.commands for word in other.words[1:])
        effect = "so the check never passes" if checked else f"and {tool} exits with 0, so the check passes"
        return f"gets NOAUTH instead of an answer {effect} whatever state it is in", "Set REDISCLI_AUTH", None
    if kind == "mysql" and "ping" in command.words:
        return "passes as soon as the server answers, also when it refuses the login", "", Severity.INFO
    if kind == "web" and _is_closed(service, product, command):
        fails = tool == "wget" or any(word == "--fail" or _FAILS.fullmatch(word) for word in command.words)
        effect = "so the check never passes" if fails else "and curl exits with 0, so the check passes"
        return (
            f"is refused with 401 {effect} whatever state it is in",
            f"Give {tool} the password that is",
            None,
        )
    if kind == "mongo" and _NEEDS_LOGIN.search(" ".join(command.words)) and _has_root(service):
        effect = "passes whatever state it is in" if command.cannot_fail else "never passes"
        return f"is refused what it asks, so the check {effect}", f"Give {tool} the login that is", None
    return None


def _has_root(service: Service) -> bool:
    """Whether MongoDB is given a first login, which turns its access control on."""
    return any(item.name.startswith("MONGO_INITDB_ROOT_USERNAME") for item in service.environment)


def _wants_password(service: Service) -> bool:
    """Whether Redis is told a password by its command, or by the variable that Bitnami's image reads."""
    given = {entry.name for entry in service.environment if entry.value}
    bitnami = "bitnami" in service.image and {"REDIS_PASSWORD", "VALKEY_PASSWORD"} & given
    return "--requirepass" in " ".join((*service.entrypoint, *service.command)) or bool(bitnami)


def _is_closed(service: Service, product: str, command: Command) -> bool:
    """Whether a web interface wants a password, and the probe asks it for something that is behind it."""
    given = {entry.name: entry.value.text.lower() for entry in service.environment if entry.value}
    opened = any(given.get(name) == ("true" if name.isupper() or "disabled" in name else "false") for name in _OPEN)
    url = next((word for word in command.words if "://" in word), "")
    asks = "@" not in url and (product != "RabbitMQ" or "/api/" in url)
    return asks and not opened and any(name in given for name in _PROTECTING.get(product, ()))


def _gives(service: Service, command: Command, kind: str) -> bool:
    names = {entry.name for entry in service.environment} | set(command.assignments)
    by_option = any(word.startswith(_OPTIONS[kind]) for word in command.words[1:])
    return by_option or not names.isdisjoint(_VARIABLES.get(kind, ()))


def _evidence(
    inventory: Inventory, service: Service, effect: str, first_step: str, severity: Severity | None
) -> Evidence:
    probe = service.healthcheck
    place = (probe.test_location or probe.location) if probe else service.location
    protected = service.command_location
    return Evidence(
        f"The health check of {service.name} doesn't give the password: it {effect}.",
        place,
        subject=service.name,
        service=service.name,
        related=(Related(protected, f"{service.name} wants a password"),) if protected else (),
        recommendation=f"{first_step} in the environment of {service.name} and check what the probe answers."
        if first_step
        else f"Let the probe of {service.name} log in and ask something, where it is to tell more than that the server "
        "runs.",
        severity=severity,
        example=compose_lines.of_service(service, _password(inventory, service, first_step)),
    )


def _password(inventory: Inventory, service: Service, first_step: str) -> str:
    """The password for the probe, from the variable that the service takes its own from."""
    if not first_step:
        return f"healthcheck:\n  test: {_login(service)}"
    if "mongo" in first_step:
        return f"healthcheck:\n  test: {_OF_MONGO}"
    own = inventory.variables_of.get((service.project, service.name), ())
    known = [item.name for item in own if item.target.startswith(f"services.{service.name}.command")]
    known += [name for entry in service.environment for name in (*entry.variables, entry.name)]
    variable = next((name for name in known if "PASS" in name), "<the variable with the password>")
    optional = any(item.name == variable and item.operator in ("-", ":-") for item in own)
    if optional and first_step.startswith("Set "):  # a start without the variable is to go on
        return f"environment:\n  {first_step.removeprefix('Set ')}: <the password, as it stands in the command>"
    if not first_step.startswith("Set "):
        return f'healthcheck:\n  test: ["CMD-SHELL", "curl -fsS -u <user>:$${{{variable}}} <what it asks now>"]'
    return f"environment:\n  {first_step.removeprefix('Set ')}: ${{{variable}:?set it in .env}}"


def _login(service: Service) -> str:
    """A question with a login that the container's own variables give; in MYSQL_PWD the image's first start would take
    the password along.
    """
    tools = [item.words[0] for item in service.healthcheck.commands if item.words] if service.healthcheck else []
    client = "mariadb" if any("mariadb" in tool for tool in tools) else "mysql"
    given = {entry.name for entry in service.environment}
    for brand in ("MYSQL", "MARIADB"):
        if {f"{brand}_USER", f"{brand}_PASSWORD"} <= given:
            return _query(client, f'\\"$${brand}_USER\\"', f"{brand}_PASSWORD")
    password = next((name for name in ("MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD") if name in given), "")
    return _query(client, "root", password or "<the variable with the password>")


def _query(client: str, user: str, password: str) -> str:
    return f'["CMD-SHELL", "{client} -h 127.0.0.1 -u{user} -p\\"$${password}\\" -e \'SELECT 1\'"]'


def _asking(probe: Healthcheck) -> str:
    """The probe without what is done with its result."""
    return json.dumps(["CMD-SHELL", f"{' '.join(probe.commands[0].words)} || exit 1"])


def _swallowed(service: Service, probe: Healthcheck) -> Evidence:
    return Evidence(
        f"The health check of {service.name} throws its result away: it passes whatever state the store is in.",
        probe.test_location or probe.location,
        subject=f"{service.name}/swallowed",
        service=service.name,
        recommendation=f"Let the test of {service.name} end with `|| exit 1`, or with the probe itself.",
        example=compose_lines.of_service(service, f"healthcheck:\n  test: {_asking(probe)}"),
    )
