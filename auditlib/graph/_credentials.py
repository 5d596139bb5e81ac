"""Where a credential flows: from its default, file or setting to each service, its image, and what it opens."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from auditlib import nearest
from auditlib.conventions import environments
from auditlib.errors import UsageError
from auditlib.graph._answers import Flow, Origin, Use
from auditlib.graph._hosts import Hosts
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service, Variable
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.redaction import Value, is_credential_name

if TYPE_CHECKING:
    from auditlib.graph._dependency_graph import DependencyGraph


_PASSWORD = regex(r"pass|pwd", re.I)


class Trace(Struct, frozen=True):
    """One sighting of a credential: an origin, a use, or both; `opens` are the services it gives access to."""

    variable: str
    origin: Origin | None = None
    use: Use | None = None
    opens: tuple[str, ...] = ()


def traces(inventory: Inventory, hosts: Hosts) -> Iterator[Trace]:
    """Every sighting of every credential: of variables with such a name, or with a secret in a value or default."""
    services = {service.key: service for service in inventory.services}
    entries = {service.key: {entry.name: entry for entry in service.environment} for service in inventory.services}
    for variable in inventory.variables:
        key = f"{variable.project}/{variable.service}"
        if _is_credential(variable.name, variable.default):
            name = variable.target.rpartition(".environment.")[2]
            entry = entries.get(key, {}).get(name) if ".environment." in variable.target else None
            yield _of_variable(variable, services.get(key), entry, hosts)
    for service in inventory.services:
        for entry in service.environment:
            if _is_credential(entry.name, entry.value) and not entry.variables:
                yield _of_entry(service, entry, hosts)
    for file in inventory.env_files:
        for line in file.lines:
            if line.value is not None and _is_credential(line.name, line.value):
                kind = "template" if file.template else "env_file"
                yield Trace(line.name, _origin(kind, line.value, line.location))
    for setting in inventory.settings:
        of_tests = environments.is_for_development(setting.location.file)
        if setting.default is not None and not of_tests and _is_credential(setting.name, setting.default):
            yield Trace(setting.name, _origin("setting", setting.default, setting.location))


def flows(graph: DependencyGraph, variable: str | None) -> list[Flow]:
    """The sightings put together, a flow for each variable, in the order of the names."""
    by_variable: defaultdict[str, list[Trace]] = defaultdict(list)
    for trace in graph.credentials:
        by_variable[trace.variable].append(trace)
    if variable is None:
        return [_flow(graph, name, by_variable[name]) for name in sorted(by_variable)]
    if variable not in by_variable:
        hint = nearest.hint(variable, list(by_variable), "`graph.credential_flow()` lists all")
        raise UsageError(f"there is no credential called {variable!r}; {hint}")
    return [_flow(graph, variable, by_variable[variable])]


def _flow(graph: DependencyGraph, variable: str, found: list[Trace]) -> Flow:
    uses = tuple(dict.fromkeys(trace.use for trace in found if trace.use))
    services = sorted({use.service for use in uses})
    images = {
        image for service in services for _, image, data in graph.links_from(service)
        if data["verb"] in ("runs", "builds") and graph.nodes[image]["kind"] == "image"
    }  # fmt: skip
    return Flow(
        variable,
        tuple(dict.fromkeys(trace.origin for trace in found if trace.origin)),
        uses,
        tuple(services),
        tuple(sorted(images)),
        tuple(sorted({service for trace in found for service in trace.opens})),
    )


def _is_credential(name: str, value: Value | None) -> bool:
    return is_credential_name(name) or (value is not None and value.secret)


def _of_variable(variable: Variable, service: Service | None, entry: EnvironmentEntry | None, hosts: Hosts) -> Trace:
    node = hosts.service(service.project, service.name) if service else None
    if variable.operator in (":-", "-"):
        origin: Origin | None = _origin("default", variable.default, variable.location)
    elif variable.source == "unset":
        origin = _origin("required" if variable.operator in (":?", "?") else "unset", None, variable.location)
    else:
        origin = None  # the environment file that gives it is an origin of its own
    if service is None or node is None:
        return Trace(variable.name, origin)
    target = variable.target.removeprefix(f"services.{service.name}.")
    use = Use(node, target, variable.location)
    return Trace(variable.name, origin, use, _opens(variable.name, service, node, entry, hosts))


def _of_entry(service: Service, entry: EnvironmentEntry, hosts: Hosts) -> Trace:
    node = hosts.service(service.project, service.name) or ""
    if entry.value is None:
        origin = _origin("unset", None, entry.location)
    else:
        origin = _origin("literal" if entry.origin == "environment" else "env_file", entry.value, entry.location)
    use = Use(node, f"environment.{entry.name}", entry.location)
    return Trace(entry.name, origin, use, _opens(entry.name, service, node, entry, hosts))


def _opens(variable: str, service: Service, node: str, entry: EnvironmentEntry | None, hosts: Hosts) -> tuple[str, ...]:
    """The services in the address beside the credential; without one an image takes it as its own password."""
    if entry is not None and entry.endpoints:
        found = (hosts.resolve(end.host, service.project, end.port) for end in entry.endpoints)
        return tuple(sorted({other for other in found if other}))
    named = f"{variable} {entry.name if entry else ''}"
    return (node,) if service.image and not service.build and _PASSWORD.search(named) else ()


def _origin(kind: str, value: Value | None, location: Location) -> Origin:
    if value is None:
        return Origin(kind, "", False, False, 0, location)
    return Origin(kind, value.text, value.weak, value.placeholder, value.identity, location)
