"""A unit of systemd doesn't do what it was written for.

systemd starts programs, not a shell: `&&`, `|` and `>` in `ExecStart` are arguments of the program. Its working folder
is `/` unless the unit says otherwise, so that `docker compose up` finds no Compose file. A service whose command ends,
as `docker compose up -d` does, counts as stopped: without `RemainAfterExit=yes` systemd runs `ExecStop` at once, and
the stack that has just been started goes down again. `Restart=always` and `Type=oneshot` are refused together.

Anti-pattern:

    [Service]
    Type=oneshot
    ExecStart=/usr/bin/docker compose up -d
    ExecStop=/usr/bin/docker compose down

Better:

    [Service]
    Type=oneshot
    RemainAfterExit=yes
    WorkingDirectory=/opt/shop
    ExecStart=/usr/bin/docker compose up -d
    ExecStop=/usr/bin/docker compose down

Recommendation:

    Try the unit with `systemd-analyze verify` and one start, and look at `systemctl status`.

References:

- https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html
- https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#WorkingDirectory=
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from msgspec import Struct

from auditlib import compose_command
from auditlib.compose_command import Call
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.schedules import Unit
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_START = "Service.ExecStart"
_OF_SHELL = frozenset({"&&", "||", "|", ">", ">>", "2>&1", "&", "<", "1>", "2>"})
_SHELL = regex(r"(?:^|/)(?:ba|da|z)?sh$")
_PLACEHOLDER = regex(r"@|^_*[A-Z][A-Z_]+(?:/|$)|__|YOUR|your|path/to")
"""What somebody fills in before the unit is installed."""
_PREFIX = "-@:+!"
_YES = frozenset({"yes", "true", "1", "on"})
_ALWAYS = frozenset({"always", "on-success"})


class _Fault(Struct, frozen=True):
    """What is wrong, where, and the line that would be right."""

    message: str
    location: Location
    line: str


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each unit with the lines that systemd reads otherwise than they were meant."""
    for unit in inventory.units:
        if unit.values(_START) and (found := list(_faults(unit))):
            yield _evidence(unit, found)


def _faults(unit: Unit) -> Iterator[_Fault]:
    start = unit.values(_START)[-1]
    words = start.value.lstrip(_PREFIX).split()
    if not words:
        return
    yield from _of_program(unit, words, start.location)
    call = compose_command.of(words)
    said = " ".join(words)
    if call and unit.kind == "file" and not _is_placed(unit) and not _names_place(call):
        yield _Fault(
            f"runs `{said[:60]}` in `/`, as it names no folder: no Compose file is there", start.location,
            "WorkingDirectory=<the checkout on the host>",
        )  # fmt: skip
    ends = call is not None and call.verb == "up" and call.is_in_background
    stays = unit.value("Service.RemainAfterExit").lower() in _YES
    stops = unit.values("Service.ExecStop")
    if ends and stops and not stays:
        yield _Fault(
            f"counts as stopped once `{said[:60]}` has ended, and systemd runs `{stops[0].value[:60]}` at once",
            stops[0].location, "RemainAfterExit=yes",
        )  # fmt: skip
    restart = unit.values("Service.Restart")
    if restart and unit.value("Service.Type") == "oneshot" and restart[-1].value in _ALWAYS:
        yield _Fault(
            f"says `Restart={restart[-1].value}` of a service of `Type=oneshot`, which systemd refuses",
            restart[-1].location, "Restart=on-failure",
        )  # fmt: skip


def _is_placed(unit: Unit) -> bool:
    """Whether a folder, or a variable that there may be, says where the Compose file is."""
    given = " ".join(item.value for item in unit.values("Service.Environment"))
    return bool(unit.value("Service.WorkingDirectory") or unit.values("Service.EnvironmentFile")) or "COMPOSE_" in given


def _names_place(call: Call) -> bool:
    """Whether a call says where its Compose file is, wherever it is called."""
    return "--project-directory" in call.options or any(file.startswith(("/", "%", "$")) for file in call.files)


def _of_program(unit: Unit, words: list[str], place: Location) -> Iterator[_Fault]:
    """What is wrong with the command itself."""
    program = words[0].strip("\"'")
    found = next((word for word in _bare(words) if word in _OF_SHELL), "")
    if found and not _SHELL.search(program):
        yield _Fault(
            f"has `{found}` in `ExecStart`, which systemd hands to {program.rpartition('/')[2]} as an argument", place,
            f"ExecStart={' '.join(words[:-1])}"
            if words[-1] == "&"
            else f"ExecStart=/bin/sh -c {_quoted(' '.join(words))}",
        )  # fmt: skip
    if "/" in program and not program.startswith(("/", "%", "$", "<", "{")) and not _PLACEHOLDER.search(program):
        folder = unit.value("Service.WorkingDirectory").rstrip("/") or "<the checkout on the host>"
        path = f"{folder}/{program.removeprefix('./').removeprefix('~/')}"
        yield _Fault(
            f"names its program by `{program}`: systemd takes an absolute path or a name alone", place,
            f"ExecStart={' '.join([path, *words[1:]])}",
        )  # fmt: skip


def _bare(words: list[str]) -> list[str]:
    """The words of a command outside quotes."""
    try:
        return shlex.split(" ".join(words), posix=False)
    except ValueError:
        return []


def _quoted(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    return f'"{text}"' if '"' not in text else "'<the command, with its quotes escaped>'"


def _evidence(unit: Unit, found: list[_Fault]) -> Evidence:
    first, *others = found
    path = first.location.file
    name = path if unit.kind == "file" else f"{unit.name or 'The unit'} of {path}"
    return Evidence(
        f"{name} {first.message}.",
        first.location,
        subject=f"{path}/{unit.name}",
        related=tuple(Related(item.location, f"it {item.message}", member=True) for item in others),
        severity=None if unit.kind == "file" else Severity.LOW,
        recommendation=f"Write `{first.line[:90]}` in the section `[Service]` of {unit.name or path}.",
        example=files.into(path, "[Service]\n" + "\n".join(dict.fromkeys(item.line for item in found))),
    )
