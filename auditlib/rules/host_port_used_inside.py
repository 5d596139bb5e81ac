"""The port that a variable publishes on the host is asked for inside the network too.

Inside a network of Compose a service is reached at the port that its program listens on; what stands before the colon
of `ports` counts on the host alone. While both numbers are the same nobody sees the mistake. As soon as somebody gives
the variable another value, because the port of the host is taken, every service that asks by it is refused.

Anti-pattern:

    services:
      db:
        image: postgres:17.2
        ports: ["127.0.0.1:${DB_PORT:-5432}:5432"]
      api:
        environment: {DB_HOST: db, DB_PORT: "${DB_PORT:-5432}"}

Better:

    services:
      db:
        image: postgres:17.2
        ports: ["127.0.0.1:${DB_HOST_PORT:-5432}:5432"]
      api:
        environment: {DB_HOST: db, DB_PORT: "5432"}

Recommendation:

    Write the port of the container where services ask, and keep the variable for the host's side of `ports`.

References:

- https://docs.docker.com/compose/how-tos/networking/
- https://docs.docker.com/reference/compose-file/services/#ports
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import database_names, environments, programs, starting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Port, Service, Variable
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_NAMED = regex(r"^\$\{?(?P<name>\w+)")
_LISTENING = frozenset({"PORT", "HTTP_PORT", "SERVER_PORT", "LISTEN_PORT", "GRPC_PORT"})
"""By which programs are told where they listen themselves."""
_HOSTS = ("_HOST", "_HOSTNAME", "_SERVER", "HOST")


class _Use(Struct, frozen=True):
    """A variable by which a service asks another at the port of the host."""

    service: Service
    entry: EnvironmentEntry


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each published port whose variable other services of the project are given as the port of that service."""
    for server in inventory.deployed_services:
        for port in server.ports:
            name = _host_variable(inventory, server, port)
            uses = list(_uses(inventory, server, name)) if name else []
            if uses and not environments.only_for_development(server):
                yield _evidence(server, port, name, uses)
            if name and (entry := _own(inventory, server, port, name)):
                yield _of_listener(server, port, name, entry)


def _own(inventory: Inventory, server: Service, port: Port, name: str) -> EnvironmentEntry | None:
    """The variable by which a program is told the host's port as the one to listen at, its mapping being fixed."""
    told = [item for item in server.environment if item.origin == "environment" and item.variables == (name,)]
    entry = next((item for item in told if item.name in _LISTENING), None)
    if entry is None or entry.value is None or entry.value.text != port.target or server.network_mode:
        return None
    program = next((item for item in programs.programs(inventory) if item.service.key == server.key), None)
    words = " ".join(word for start in starting.of(inventory, server) for word in start.words)
    reads = program is not None and any(entry.name in (item.name, *item.aliases) for item in program.settings)
    return entry if reads and port.target not in words else None


def _of_listener(server: Service, port: Port, name: str, entry: EnvironmentEntry) -> Evidence:
    return Evidence(
        f"{name} is the port at which the host publishes {server.name}, and {server.name} is told by {entry.name} to "
        f"listen at it too, while the mapping leads to {port.target} inside: another value leads to a port that nobody "
        "serves.",
        entry.location,
        subject=f"{server.name}/{name}/own",
        service=server.name,
        related=(Related(port.location, f"leads to {port.target}, whatever {name} is"),),
        recommendation=f"Give {server.name} {port.target} in place of {name}, which is for the host alone.",
        example=compose_lines.of_service(server, f"environment:\n  {_fixed(entry, name, port)}"),
    )


def _host_variable(inventory: Inventory, server: Service, port: Port) -> str:
    """The variable that holds the host's side of a port alone; empty where it holds the container's side as well."""
    path = f"services.{server.name}.ports."
    used = [item for item in inventory.variables_of.get((server.project, server.name), ())
            if item.target.startswith(path)]  # fmt: skip
    match = _NAMED.match(port.variable)
    name = match["name"] if match else _published(server, used)
    places = {item.location for item in used if item.name == name}
    return name if port.target.isdigit() and len(places) == 1 else ""


def _published(server: Service, used: list[Variable]) -> str:
    """The variable of `published` in the long form of the only port."""
    names = [item.name for item in used if item.target.endswith(".published")]
    return names[0] if len(names) == len(server.ports) == 1 else ""


def _uses(inventory: Inventory, server: Service, name: str) -> Iterator[_Use]:
    for service in inventory.services_of(server.project).values():
        if service.name == server.name or service.network_mode:
            continue
        for entry in service.environment:
            if entry.origin == "environment" and name in entry.variables and _asks(inventory, service, entry, server):
                yield _Use(service, entry)
                break


def _asks(inventory: Inventory, service: Service, entry: EnvironmentEntry, server: Service) -> bool:
    """Whether a variable holds the port of the server: in an address of it, or beside the variable of its host."""
    if any(end.host == server.name for end in entry.endpoints):
        return True
    stem = entry.name.removesuffix("PORT").rstrip("_")
    if not entry.name.endswith("PORT") or len(entry.variables) != 1:
        return False
    wanted = {f"{stem}{end}" if end.startswith("_") else f"{stem}_{end}" if stem else end for end in _HOSTS}
    hosts = (database_names.text(inventory, item) for item in service.environment if item.name in wanted)
    return server.name in hosts


def _evidence(server: Service, port: Port, name: str, uses: list[_Use]) -> Evidence:
    first, *others = uses
    names = listed(use.service.name for use in uses)
    return Evidence(
        f"{name} is the port at which the host publishes {server.name}, and {names} {'asks' if not others else 'ask'} "
        f"{server.name} at it too, which listens on {port.target} inside: another value cuts "
        f"{'it' if not others else 'them'} off.",
        first.entry.location,
        subject=f"{server.name}/{name}",
        service=first.service.name,
        related=(
            Related(port.location, f"{server.name} listens on {port.target}, whatever {name} is"),
            *(Related(use.entry.location, f"{use.service.name} asks at it too", member=True) for use in others),
        ),
        recommendation=f"Give {names} {port.target} in place of {name}, which is for the host alone.",
        example=compose_lines.of_service(first.service, f"environment:\n  {_fixed(first.entry, name, port)}"),
    )


def _fixed(entry: EnvironmentEntry, name: str, port: Port) -> str:
    if entry.name.endswith("PORT"):
        return f'{entry.name}: "{port.target}"'
    return f"{entry.name}: <the same address with {port.target} in place of ${{{name}}}>"
