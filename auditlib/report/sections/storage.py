"""What of the system can be reached from where, and where its data lives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from auditlib.audit import Audit
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Port
from auditlib.report import wording
from auditlib.report.blocks import Blocks, Column, Prose, State, Table
from auditlib.report.charts import matrix, zones

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_CHIPS = 30
_ROWS = 40
_ACCESS = [(matrix.Mark("dot", "accent"), "reads and writes"), (matrix.Mark("ring", ""), "reads only")]


def exposure(audit: Audit) -> Blocks:
    """Which ports are open to every network of the host, which to the host alone, and what stays inside."""
    services = audit.inventory.distinct_services
    if not services:
        return Blocks(Prose("No service was found, so nothing is exposed."))
    label = audit.inventory.label
    ports = [(label(service), port) for service in services for port in service.ports]
    outside = [_chip(name, port) for name, port in ports if port.host_ip not in _LOOPBACK]
    local = [_chip(name, port) for name, port in ports if port.host_ip in _LOOPBACK]
    inside = [label(service) for service in services if not service.ports and service.network_mode != "host"]
    direct = [f"{label(service)} (host network)" for service in services if service.network_mode == "host"]
    words = wording.sentence(
        f"{wording.count(len(outside) + len(direct), 'port')} on every interface, "
        f"{len(local) or 'none'} on the host alone; {wording.count(len(inside), 'service')} inside the networks only."
    )
    canvas = zones.draw(
        [
            ("Every interface", "reachable from outside the host", "bad", [*_shortened(outside), *direct]),
            ("This host only", "bound to the loopback address", "warn", _shortened(local)),
            ("Networks only", "reachable by other containers", "good", _shortened(inside)),
        ]
    )
    rows = tuple(
        (name, port.host_port or "any", port.target, port.protocol, _state(port), str(port.location))
        for name, port in ports
    )
    columns = (Column("Service", "code"), Column("Host port", "number"), Column("Container port", "number"),
               Column("Protocol"), Column("Reachable from", "state"), Column("Place", "code"))  # fmt: skip
    return Blocks(canvas.picture(words, words, Table("Published ports", columns, rows) if rows else None))


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
    note = f" The {_ROWS} that most services share are drawn." if len(users) > _ROWS else ""
    canvas = matrix.draw(rows, columns, marks, _ACCESS)
    return Blocks(canvas.picture(words + note, words, _mounted(uses)))


def _uses(inventory: Inventory) -> dict[tuple[str, str], Mount]:
    """Who mounts which named volume: a volume of an overlay is that of its base, and another project's is another."""
    found = [
        (service, (inventory.base_of(service.project), mount.source), mount)
        for service in inventory.distinct_services
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
