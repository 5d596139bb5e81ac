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

from collections.abc import Iterable, Iterator, Sequence

from auditlib.conventions import backups
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules import _shell_lines as shell_lines
from auditlib.rules._rule import Evidence, rule

_TERMINAL = regex(r"-[a-z]*t[a-z]*|--tty(?:=true)?")
_WITH_VALUE = frozenset({
    "-e", "--env", "--env-file", "-u", "--user", "-w", "--workdir", "-v", "--volume", "--name", "--network", "--mount",
})  # fmt: skip


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script, makefile and the like with such dumps."""
    for path, commands in _sources(inventory):
        found = [command for command in commands if _option(command) and (command.writes or command.caught)]
        if found:
            yield _evidence(path, found)


def _sources(inventory: Inventory) -> Iterator[tuple[str, Iterable[Command]]]:
    yield from ((script.path, script.commands) for script in inventory.scripts)
    for manifest in inventory.manifests:
        yield manifest.path, [command for target in manifest.targets for command in target.commands]


def _option(command: Command) -> str:
    """The option by which `docker exec` or `docker run` gives a dump a terminal."""
    words = command.words
    start = next((index for index, word in enumerate(words[:3]) if word in ("exec", "run")), 0)
    if not start or words[start - 1].rpartition("/")[2] not in ("docker", "podman", "container"):
        return ""
    if not backups.DATABASE_DUMP.search(" ".join(words[start + 1 :])) or {"--version", "--help"} & set(words):
        return ""
    return next((word for word in _options(words[start + 1 :]) if _TERMINAL.fullmatch(word)), "")


def _options(words: Sequence[str]) -> Iterator[str]:
    """The options before the container's or image's name."""
    value = False
    for word in words:
        if not value and not word.startswith("-"):
            return
        if not value:
            yield word
        value = not value and word in _WITH_VALUE


def _evidence(path: str, found: list[Command]) -> Evidence:
    first, *others = found
    option = _option(first)
    kept = option.replace("t", "", 1) if option[:2] != "--" else "-"
    words = [word if word != option else kept for word in first.words if word != option or kept != "-"]
    line = shell_lines.line(words) + "".join(f' > "{name}"' for name in first.writes)
    interactive = " Under cron it fails, as no terminal is there." if "i" in kept else ""
    return Evidence(
        f"{path} has a dump go through a terminal (`{option}`), which puts a carriage return before the end of "
        f"each line.{interactive}",
        first.location,
        subject=path,
        related=tuple(Related(item.location, "goes through a terminal too", member=True) for item in others),
        recommendation=f"Leave `-t` out of `{' '.join(first.words[:2])}` in {path}.",
        change=(f" {option} ", " " if kept == "-" else f" {kept} "),
        example=files.into(path, line),
    )
