"""The first process of a container, which alone gets SIGTERM: a shell, or npm, passes it on to nobody.

Sources: https://docs.docker.com/reference/dockerfile/#shell-form-entrypoint-example and
https://github.com/nodejs/docker-node/blob/main/docs/BestPractices.md#cmd.
"""

from __future__ import annotations

from auditlib.conventions import services, starting
from auditlib.conventions.starting import Start
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

_MANAGERS = frozenset({"npm", "yarn", "pnpm"})
_SERVERS = frozenset({
    "gunicorn", "uvicorn", "hypercorn", "daphne", "uwsgi", "runserver", "celery", "node", "java", "rails", "puma",
    "sidekiq", "php-fpm", "nginx", "streamlit", "flask", "fastapi",
})  # fmt: skip


_SAYS = frozenset({"echo", "printf", "exit"})
"""What a script does when its server has ended."""
HANDED = ("$@",)
"""What a script starts last that runs the command which it is given."""
_AS_USER = frozenset({"gosu", "runuser", "setpriv", "su-exec"})


def shell_form(instructions: tuple[Instruction, ...]) -> Instruction | None:
    """The instruction that starts the container, if it has the shell form and doesn't hand over by `exec`."""
    started = {item.keyword: item for item in instructions if item.keyword in ("CMD", "ENTRYPOINT")}
    last = started.get("ENTRYPOINT") or started.get("CMD")
    replaced = any(item.keyword == "SHELL" for item in instructions)
    if last is None or replaced or not last.shell or last.argument.lstrip().startswith(("exec ", "[")):
        return None
    hands_over = any(command.words[:1] in (("exec",), ("tini",), ("dumb-init",)) for command in last.commands)
    return None if hands_over else last


def last_of_script(inventory: Inventory, service: Service) -> Start | None:
    """The server that a script starts last as its child, so that the shell stays the first process."""
    followed = [start for start in starting.of(inventory, service) if start.followed and start.words]
    while followed and followed[-1].words[0] in _SAYS:
        followed.pop()
    minded = any({"trap", "wait"} & set(start.words[:1]) for start in followed)
    last = followed[-1] if followed and not minded else None
    if last is None or last.location.file not in inventory.scripts_by_path:
        return None
    if _starts_server(last) or _is_handed(last):
        return last
    return _of_branches(inventory, service, last.location.file)


_LASTING = regex(
    r"^(?:exec )?(?:\S*/)?(?:gunicorn|uvicorn|hypercorn|daphne|puma|streamlit run|celery\b.* (?:worker|beat))\b"
    r"(?!.* (?:--daemon|--detach|-D)\b)"
)
"""Commands that only ever serve, whatever stands behind them in a script."""


def _of_branches(inventory: Inventory, service: Service, path: str) -> Start | None:
    """The server of a script that starts one by its argument, if none of its branches hands over by `exec`.

    It is the one that names what the service tells the script, or else the first.
    """
    commands = inventory.scripts_by_path[path].commands
    servers = [item for item in commands if _LASTING.match(" ".join(item.words))]
    if not servers or any(item.words[0] == "exec" or not item.conditional or item.caught for item in servers):
        return None
    told = {*service.command, service.name}
    own = next((item for item in servers if not told.isdisjoint(item.words)), servers[0])
    return Start(own.words, own.location, True)


def _is_handed(start: Start) -> bool:
    """Whether a script runs the command which it is given, itself or as another user."""
    return start.words[-1:] == HANDED and (len(start.words) == 1 or start.words[0] in _AS_USER)


def _starts_server(start: Start) -> bool:
    return start.words[0] != "exec" and not _SERVERS.isdisjoint(word.rpartition("/")[2] for word in start.words)


def package_manager(inventory: Inventory, service: Service) -> Start | None:
    """How a service starts npm or the like as its first process, which then runs a script of package.json."""
    first = next(iter(starting.of(inventory, service)), None)
    if first is None or not first.words or first.words[0] not in _MANAGERS or len(first.words) not in (2, 3):
        return None
    return None if services.is_one_shot(service) or _has_shell_form(inventory, first) else first


def _has_shell_form(inventory: Inventory, start: Start) -> bool:
    """Whether a start is an instruction in shell form, so that a shell comes first."""
    found = inventory.dockerfiles_by_path.get(start.location.file)
    return any(item.location == start.location and item.shell for item in (found.instructions if found else ()))
