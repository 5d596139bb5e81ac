"""A unit of systemd is left out at a start of the host, or stays down after a crash.

A unit for Docker without `After=docker.service` may start before Docker does, and fails at some boots. A program whose
unit has no `Restart=` stays down after its first crash. Without `[Install]`, `systemctl enable` has nothing to do: the
unit, or the timer of a backup, doesn't come back with the host. A timer without a service of its name starts nothing.

Anti-pattern:

    [Unit]
    Description=Bot

    [Service]
    ExecStart=/opt/bot/venv/bin/python main.py

Better:

    [Unit]
    Description=Bot
    After=network-online.target

    [Service]
    ExecStart=/opt/bot/venv/bin/python main.py
    Restart=on-failure

    [Install]
    WantedBy=multi-user.target

Recommendation:

    Say when the unit starts, what it waits for, and that it is started again.

References:

- https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Restart=
- https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html#%5BInstall%5D%20Section%20Options
- https://www.freedesktop.org/software/systemd/man/latest/systemd.timer.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.schedules import Unit
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ORDERS = ("Unit.After", "Unit.Requires", "Unit.BindsTo", "Unit.Wants", "Unit.Requisite")
_ENDS = frozenset({"oneshot", "forking", "idle"})
_STARTS = frozenset({"Timer.Unit", "Unit.Wants", "Unit.Requires", "Unit.BindsTo", "Unit.OnFailure", "Unit.OnSuccess",
                     "Unit.Upholds", "Install.Also"})  # fmt: skip
"""By what a unit has another one started."""
_Lack = tuple[str, str]


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each unit of the repository that lacks what keeps it running, or brings it back with the host."""
    names = {unit.name for unit in inventory.units}
    for unit in inventory.units:
        if unit.kind == "file" or unit.values("Unit.Description"):
            timer = unit.name.endswith(".timer")
            lacks = list(_of_timer(unit, names) if timer else _of_service(inventory, unit))
            if lacks:
                yield _evidence(unit, lacks)


def _of_service(inventory: Inventory, unit: Unit) -> Iterator[_Lack]:
    """What a service lacks, each with the lines that it should have."""
    start = unit.value("Service.ExecStart")
    if not start or "@" in unit.name:
        return
    by_docker = posixpath.basename(start.split()[0]) in ("docker", "docker-compose")
    ordered = " ".join(item.value for name in _ORDERS for item in unit.values(name))
    if by_docker and "docker.s" not in ordered:
        yield "doesn't wait for Docker", "[Unit]\nAfter=docker.service\nRequires=docker.service"
    called = _is_called(inventory, unit)
    ends = unit.value("Service.Type") in _ENDS or bool(unit.values("Service.RemainAfterExit")) or _ends(start)
    if not ends and not called and not unit.values("Service.Restart"):
        yield "says no `Restart=`, so that it stays down after a crash", "[Service]\nRestart=on-failure\nRestartSec=5"
    wanted = any(item.name.startswith("Install.") for item in unit.settings)
    if unit.kind == "file" and not wanted and not called and unit.value("Service.Type") not in ("oneshot", "dbus"):
        yield "has no `[Install]`, so that it can't be enabled for the start", "[Install]\nWantedBy=multi-user.target"


def _is_called(inventory: Inventory, unit: Unit) -> bool:
    """Whether something else starts a unit: a timer, a socket, a watched path, or a unit that names it."""
    stem = unit.name.removesuffix(".service")
    home = posixpath.dirname(unit.location.file)
    beside = {posixpath.basename(path) for path in inventory.files if posixpath.dirname(path) == home}
    by_file = any(name.endswith(".path") or name == f"{stem}.socket" for name in beside)
    needed = " ".join(item.value for name in ("Unit.Requires", "Service.Sockets") for item in unit.values(name))
    if stem and f"{stem}.socket" in needed:
        return True
    others = [item for item in inventory.units if item is not unit]
    named = any(stem and _names(item, unit.name) for item in others)
    timers = (item for item in others if any(pair.name.startswith("Timer.") for pair in item.settings))
    timed = any(
        item.name == f"{stem}.timer" or (unit.kind != "file" and item.location.file == unit.location.file)
        for item in timers
    )
    return named or timed or (unit.kind == "file" and by_file)


def _names(unit: Unit, other: str) -> bool:
    """Whether a unit starts another one; one that it comes after may be started by anybody."""
    starting = (pair.value for pair in unit.settings if pair.name in _STARTS)
    return any(other in value.split() for value in starting)


def _ends(start: str) -> bool:
    """Whether a command ends by itself and is none to be started again."""
    words = start.split()
    return " up -d" in start or "--detach" in words or words[0].endswith(("/true", "/echo"))


def _of_timer(unit: Unit, names: set[str]) -> Iterator[_Lack]:
    if unit.kind != "file":
        return
    service = unit.value("Timer.Unit") or unit.name.removesuffix(".timer") + ".service"
    if service not in names and "@" not in service:
        yield f"starts {service}, which isn't there", f"[Timer]\nUnit=<the unit that is there in place of {service}>"
    if not any(item.name.startswith("Install.") for item in unit.settings):
        yield "has no `[Install]`, so that it can't be enabled", "[Install]\nWantedBy=timers.target"


def _evidence(unit: Unit, lacks: list[_Lack]) -> Evidence:
    path = unit.location.file
    name = path if unit.kind == "file" else f"{unit.name or 'The unit'} of {path}"
    said = " and ".join(what for what, _ in lacks)
    return Evidence(
        f"{name} {said}.",
        unit.location,
        subject=f"{path}/{unit.name}",
        related=tuple(Related(item.location, "what it starts") for item in unit.values("Service.ExecStart")[-1:]),
        recommendation=f"Write {', '.join(f'`{line}`' for _, lines in lacks for line in lines.split(chr(10))[1:2])} in "
        f"{unit.name or path}.",
        example=files.into(path, "\n".join(lines for _, lines in lacks)),
    )
