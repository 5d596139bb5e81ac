"""A service that asks the internet is on networks without a way out.

A network with `internal: true` has no gateway: its containers reach each other, and nothing else. A service that is on
such networks alone can't resolve or reach the API, the mail server or the bot that it is given the login of. Each call
ends in a timeout, and many programs note no more than that.

Anti-pattern:

    services:
      api:
        build: ./api
        environment: {TELEGRAM_BOT_TOKEN: "${TELEGRAM_BOT_TOKEN:?}"}
        networks: [back]
    networks:
      back: {internal: true}

Better:

    services:
      api:
        build: ./api
        environment: {TELEGRAM_BOT_TOKEN: "${TELEGRAM_BOT_TOKEN:?}"}
        networks: [back, outward]
    networks:
      back: {internal: true}
      outward:

Recommendation:

    Give the service one more network that isn't internal, and publish no port there.

References:

- https://docs.docker.com/reference/compose-file/networks/#internal
- https://docs.docker.com/engine/network/drivers/bridge/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, outside, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile
from auditlib.inventory.stack import EnvironmentEntry, Network, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_ADDRESSES = ("_BASE_URL", "_API_BASE", "_API_BASE_URL", "_BASE", "_URL", "_API_URL", "_HOST", "_ENDPOINT")
"""How the variables end that say where a service is asked whose login another one holds."""
_ELSEWHERE = frozenset({"webhook", "email"})
"""Integrations of Alertmanager whose address may be one of the same network."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each deployed service on internal networks alone that is given the login or the address of an outside service."""
    closed = {(item.project, item.name): item for item in inventory.networks if item.internal}
    for service in inventory.deployed_services if closed else ():
        if environments.is_for_developers(inventory, service) or not _is_closed(inventory, service, closed):
            continue
        needs = dict(_needs(inventory, service))
        if needs and not _knows_a_proxy(inventory, service):
            yield _evidence(service, closed[service.project, service.networks[0].network], needs)


def _is_closed(inventory: Inventory, service: Service, closed: dict[tuple[str, str], Network]) -> bool:
    """Whether all networks of a service are internal, whatever overlays make of it."""
    return not service.network_mode and not stacks.somewhere(
        inventory,
        service,
        lambda item: any((service.project, each.network) not in closed for each in item.networks) or not item.networks,
    )


def _needs(inventory: Inventory, service: Service) -> Iterator[tuple[str, Location]]:
    """What a service asks outside, each with the first place that says so."""
    left_out = _left_out(inventory, service)
    given = [(entry.name, entry.endpoints, entry.location) for entry in service.environment
             if _is_set(entry, left_out)]  # fmt: skip
    given += [(line.name, line.endpoints, line.location) for file in _templates(inventory, service)
              if not _is_shared(inventory, service, file) for line in file.lines if not line.commented]  # fmt: skip
    hosts = {name.upper(): {end.host for end in ends} for name, ends, _ in given}
    for name, ends, place in reversed(given):
        if _asks_inside(name.upper(), hosts):
            continue
        if known := outside.of_variable(name):
            yield known, place
        yield from ((end.host, place) for end in ends if outside.is_address(end))
    yield from _receivers(inventory, service)


def _templates(inventory: Inventory, service: Service) -> list[EnvFile]:
    """The templates of the files of variables that a service is given, and that are made on the host."""
    paths = {item.path for item in service.env_files} - inventory.file_set
    return [file for file in inventory.env_files if file.copied_to in paths] if paths and service.build else []


def _is_shared(inventory: Inventory, service: Service, file: EnvFile) -> bool:
    """Whether other services are given the same file, so that its variables may be theirs."""
    given = [item for item in inventory.services_of(service.project).values()
             if any(one.path == file.copied_to for one in item.env_files)]  # fmt: skip
    return len(given) > 1


def _knows_a_proxy(inventory: Inventory, service: Service) -> bool:
    names = [entry.name for entry in service.environment]
    names += [line.name for file in _templates(inventory, service) for line in file.lines if not line.commented]
    return any(name.upper() in outside.PROXIES for name in names)


def _left_out(inventory: Inventory, service: Service) -> set[str]:
    """The variables that are blank unless somebody sets them (`${NAME:-}`), as they are for what may be left out."""
    used = inventory.variables_of.get((service.project, service.name), ())
    return {
        item.name for item in used if item.operator in (":-", "-") and not (item.default and item.default.text.strip())
    }


def _is_set(entry: EnvironmentEntry, left_out: set[str]) -> bool:
    """Whether a variable has a value, as far as that is known."""
    if entry.variables:
        return not left_out.issuperset(entry.variables)
    return entry.value is None or bool(entry.value.text.strip())


def _asks_inside(name: str, hosts: dict[str, set[str]]) -> bool:
    """Whether a login is for a server of the same network: `OPENAI_BASE_URL` names it for `OPENAI_API_KEY`."""
    stem = name.partition("_")[0]
    ends = (hosts[known] for known in hosts if known in {f"{stem}{end}" for end in _ADDRESSES})
    return any("." not in host for found in ends for host in found)


def _receivers(inventory: Inventory, service: Service) -> Iterator[tuple[str, Location]]:
    """The services to which an Alertmanager sends its alerts."""
    found = services.product(inventory, service)
    if found is not None and found.name == "Alertmanager":
        for receiver in inventory.receivers:
            for item in receiver.integrations:
                if item.kind not in _ELSEWHERE and (not item.host or "." in item.host):
                    yield item.kind.capitalize(), receiver.location


def _evidence(service: Service, network: Network, needs: dict[str, Location]) -> Evidence:
    names = sorted(needs)
    first = min(needs.values(), key=lambda place: (place.file != service.location.file, place.line))
    joined = [item.network for item in service.networks]
    each = "the network" if len(joined) == 1 else "the networks"
    verb = "is" if len(joined) == 1 else "are"
    return Evidence(
        f"{service.name} asks {listed(names)}, and is on {each} {listed(joined)} alone, which {verb} internal: no "
        "request of it leaves the host.",
        service.networks[0].location,
        subject=f"{service.name}/internal",
        service=service.name,
        related=(
            Related(network.location, f"{network.name} has no way out"),
            Related(first, "what it asks outside"),
        ),
        recommendation=f"Add a network to {service.name} that isn't internal.",
        example=f"services:\n  {service.name}:\n    networks: [{', '.join((*joined, 'outward'))}]\n"
        "networks:\n  outward:",
    )
