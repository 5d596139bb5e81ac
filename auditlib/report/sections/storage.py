"""What of the system can be reached from where, and where its data lives."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from auditlib.audit import Audit
from auditlib.conventions import kept_data, routing
from auditlib.conventions import services as services_of
from auditlib.conventions.routing import Way
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Port, Service
from auditlib.report import wording
from auditlib.report.blocks import Blocks, Column, Prose, State, Table
from auditlib.report.charts import matrix, zones

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_CHIPS = 30
_ROWS = 40
_ACCESS = [(matrix.Mark("dot", "accent"), "reads and writes"), (matrix.Mark("ring", ""), "reads only")]


def exposure(audit: Audit) -> Blocks:
    """Which ports are open to every network of the host, which to the host alone, and what stays inside."""
    services = audit.inventory.deployed_services
    if not services:
        return Blocks(Prose("No service was found, so nothing is exposed."))
    label = audit.inventory.label
    ports = [(label(service), port) for service in services for port in service.ports]
    outside = [_chip(name, port) for name, port in ports if port.host_ip not in _LOOPBACK]
    local = [_chip(name, port) for name, port in ports if port.host_ip in _LOOPBACK]
    direct = [service for service in services if service.network_mode == "host"]
    ways = routing.ways(audit.inventory)
    routed = {way.service.key for way in ways}
    closed = [service for service in services if not service.ports and service not in direct]
    inside = [label(service) for service in closed if service.key not in routed]
    own = wording.count(len(direct), "service")
    words = wording.sentence(
        f"{wording.count(len(outside), 'port')} on every interface, {len(local) or 'none'} on the host alone; "
        + (f"{own} in the host's network, with every port that {'it opens' if len(direct) == 1 else 'they open'}; "
           if direct else "")
        + f"{wording.count(len(inside), 'service')} inside the networks only"
        + (f"; {wording.listing(_routed(audit, ways))} reached through a proxy." if ways else ".")
    )  # fmt: skip
    names = _names(audit, ways)
    through = [f"{names[way.proxy.key, way.service.key]} → {label(way.service)}" for way in ways]
    everywhere = [*_shortened(outside), *(f"{label(service)} (host network)" for service in direct)]
    bands: list[zones.Zone] = [
        ("Every interface", "reachable from outside the host", "bad", everywhere),
        ("Through a proxy", "a proxy on such a port leads there", "warn", _shortened(list(dict.fromkeys(through)))),
        ("This host only", "bound to the loopback address", "warn", _shortened(local)),
        ("Networks only", "reachable by other containers", "good", _shortened(inside)),
    ]
    canvas = zones.draw([band for band in bands if band[3] or band[0] != "Through a proxy"])
    rows = (*_port_rows(ports), *_host_rows(audit.inventory, direct), *_way_rows(audit.inventory, ways, names))
    columns = (Column("Service", "code"), Column("Host port", "number"), Column("Container port", "number"),
               Column("Protocol"), Column("Reachable from", "state"), Column("Place", "code"))  # fmt: skip
    table = Table("Published ports", columns, rows) if rows else None
    return Blocks(canvas.picture(words, words, table))


_Row = tuple[object, ...]


def _port_rows(ports: Iterable[tuple[str, Port]]) -> Iterator[_Row]:
    for name, port in ports:
        yield name, port.host_port or "any", port.target, port.protocol, _state(port), str(port.location)


def _host_rows(inventory: Inventory, services: Iterable[Service]) -> Iterator[_Row]:
    """The services that share the host's network: every port that they open is one of the host."""
    for service in services:
        state = State("every interface, by the host's network", "bad")
        yield inventory.label(service), "what it opens", "", "", state, str(service.location)


def _way_rows(inventory: Inventory, ways: Iterable[Way], names: Mapping[tuple[str, str], str]) -> Iterator[_Row]:
    for way in ways:
        state = State(f"through {names[way.proxy.key, way.service.key]}", "warn")
        yield inventory.label(way.service), "", "", "", state, str(way.location)


def _routed(audit: Audit, ways: Iterable[Way]) -> list[str]:
    return list(dict.fromkeys(audit.inventory.label(way.service) for way in ways))


def _names(audit: Audit, ways: Iterable[Way]) -> dict[tuple[str, str], str]:
    """By proxy and service the names that the service has outside, or the proxy that leads to it and its port there."""
    node = audit.graph.service
    listens: defaultdict[tuple[str | None, str | None], set[str]] = defaultdict(set)
    for edge in audit.graph.edges_of("forwards_to"):
        listens[edge.source, edge.target].update(edge.attributes["ports"])
    found: dict[tuple[str, str], str] = {}
    for way in ways:
        proxy, service = way.proxy, way.service
        asked = listens.get((node(proxy.project, proxy.name), node(service.project, service.name)), ())
        ports = [f" :{port.host_port}" for port in proxy.ports if port.target in asked and port.host_port]
        found[proxy.key, service.key] = ", ".join(way.hosts) or audit.inventory.label(proxy) + "".join(ports[:1])
    return found


def _chip(name: str, port: Port) -> str:
    return f"{name} :{port.host_port or 'any'}"


def _shortened(names: list[str]) -> list[str]:
    return names if len(names) <= _CHIPS else [*names[:_CHIPS], f"and {len(names) - _CHIPS} more"]


def _state(port: Port) -> State:
    if port.host_ip in _LOOPBACK:
        return State("this host", "warn")
    return State(port.host_ip if port.host_ip not in ("", "0.0.0.0", "::") else "every interface", "bad")  # noqa: S104


def volumes(audit: Audit) -> Blocks:
    """Which service writes to which volume: what has to be kept, and who shares it."""
    uses = _uses(audit.inventory)
    if not uses:
        return Blocks(Prose("No service mounts a named volume; what containers write is gone when they are."))
    users = Counter(volume for _, volume in uses)
    rows = sorted(sorted(users, key=lambda volume: (-users[volume], volume))[:_ROWS])
    columns = sorted({service for service, volume in uses if volume in rows})
    marks = {
        (rows.index(volume), columns.index(service)): _mark(mount)
        for (service, volume), mount in uses.items()
        if volume in rows
    }
    shared = sorted(volume for volume, number in users.items() if number > 1)
    words = wording.count(len(users), "named volume")
    alone = ", each of one service." if len(users) > 1 else ", of one service."
    words += f"; shared by several services: {wording.listing(shared)}." if shared else alone
    words += "".join(_doubts(audit.inventory))
    note = f" The {_ROWS} that most services share are drawn." if len(users) > _ROWS else ""
    canvas = matrix.draw(rows, columns, marks, _ACCESS)
    return Blocks(canvas.picture(words + note, words, _mounted(uses)))


def _doubts(inventory: Inventory) -> Iterator[str]:
    """A sentence for each data store whose volume may not be where its image keeps the data."""
    for service in inventory.distinct_services:
        product = services_of.product(inventory, service)
        if product and (doubt := kept_data.doubt(service, product)) and kept_data.keeps_data(service, product):
            yield f" Whether the volume of {inventory.label(service)} holds its data isn't sure: {doubt}."


def _uses(inventory: Inventory) -> dict[tuple[str, str], Mount]:
    """Who mounts which named volume: a volume of an overlay is that of its base, and another project's is another."""
    found = [
        (service, (inventory.base_of(service.project), mount.source), mount)
        for service in inventory.deployed_services
        for mount in service.mounts
        if mount.kind == "volume" and mount.source
    ]
    numbers = Counter(name for _, name in {volume for _, volume, _ in found})
    return {
        (inventory.label(service), name if numbers[name] == 1 else f"{project}/{name}"): mount
        for service, (project, name), mount in found
    }


def _mounted(uses: Mapping[tuple[str, str], Mount]) -> Table:
    columns = (Column("Volume", "code"), Column("Service", "code"), Column("Path", "code"), Column("Access"),
               Column("Place", "code"))  # fmt: skip
    rows = tuple(
        (volume, service, mount.target, "reads only" if mount.read_only else "reads and writes", str(mount.location))
        for (service, volume), mount in sorted(uses.items(), key=lambda item: (item[0][1], item[0][0]))
    )
    return Table("Named volumes and who mounts them", columns, rows)


def _mark(mount: Mount) -> matrix.Mark:
    return matrix.Mark("ring") if mount.read_only else matrix.Mark("dot", "accent")
