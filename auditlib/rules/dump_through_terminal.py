"""A dump goes through a terminal of Docker on its way into a file.

`docker exec -t` gives the program a terminal, and that writes a carriage return before each line's end: dumps in a
binary format are broken, others differ from what the database holds. With `-i` as well the command fails where no
terminal is, as under cron.

Anti-pattern:

    docker exec -t shop-db pg_dump -Fc -U shop shop > shop.dump

Better:

    docker exec shop-db pg_dump -Fc -U shop shop > shop.dump

Recommendation:

    Leave `-t` out wherever the output goes to a file or another program.

References:

- https://docs.docker.com/reference/cli/docker/container/exec/
- https://github.com/moby/moby/issues/8513
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import backups
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules import _shell_lines as shell_lines
from auditlib.rules._rule import Evidence, rule

_TERMINAL = regex(r"-[a-z]*t[a-z]*|--tty(?:=true)?")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script with such dumps."""
    for script in inventory.scripts:
        found = [command for command in script.commands if _option(command) and (command.writes or command.caught)]
        if found:
            yield _evidence(script, found)


def _option(command: Command) -> str:
    """The option by which `docker exec` or `docker run` gives a dump a terminal."""
    words = command.words
    start = next((index for index, word in enumerate(words[:3]) if word in ("exec", "run")), 0)
    if not start or words[start - 1].rpartition("/")[2] not in ("docker", "podman", "container"):
        return ""
    if not backups.DATABASE_DUMP.search(" ".join(words[start + 1 :])):
        return ""
    options = (word for word in words[start + 1 :] if word.startswith("-"))
    first = next(options, "")
    return first if _TERMINAL.fullmatch(first) else ""


def _evidence(script: Script, found: list[Command]) -> Evidence:
    first, *others = found
    option = _option(first)
    kept = option.replace("t", "", 1) if option[:2] != "--" else "-"
    words = [word if word != option else kept for word in first.words if word != option or kept != "-"]
    line = shell_lines.line(words) + "".join(f' > "{name}"' for name in first.writes)
    interactive = " Under cron it fails, as no terminal is there." if "i" in kept else ""
    return Evidence(
        f"{script.path} has a dump go through a terminal (`{option}`), which puts a carriage return before the end of "
        f"each line.{interactive}",
        first.location,
        subject=script.path,
        related=tuple(Related(item.location, "goes through a terminal too", member=True) for item in others),
        recommendation=f"Leave `-t` out of `{' '.join(first.words[:2])}` in {script.path}.",
        change=(f" {option} ", " " if kept == "-" else f" {kept} "),
        example=files.into(script.path, line),
    )
