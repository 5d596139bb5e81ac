"""A line for cron does something else than it says.

Cron hands a line to the shell up to the first `%`, which stands for the end of the line: of `$(date +%F)` the shell
sees `$(date +`, and ends with a syntax error. A line can't go on behind a `\\`. There is no terminal for
`docker exec -it`, and the shell is `/bin/sh`, which may not know `source` and takes `&>>` for a start in the
background. Nobody sees any of it unless cron's mail is read.

Anti-pattern:

    0 2 * * * docker exec -it db pg_dump shop > /backups/shop-$(date +%F).sql

Better:

    0 2 * * * docker exec db pg_dump shop > /backups/shop-$(date +\\%F).sql

Recommendation:

    Write `\\%` in the table, or put the commands into a script that the table only names.

References:

- https://man7.org/linux/man-pages/man5/crontab.5.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.schedules import CronLine
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PERCENT = regex(r"(?<![\\{])%(?!\})")
_TERMINAL = regex(
    r"\bdocker (?:exec|run) (?:-\S+ ){0,3}-(?:it|ti)\b|\bdocker exec (?:-i -t|-t -i)\b|"
    r"\bdocker-compose (?:-\S+ \S+ ){0,3}exec (?!.{0,40}(?:-T|--no-TTY)\b)"
)
_BACKGROUND = regex(r"&>>?")
_SOURCE = regex(r"(?:^|[;&(]\s*)source\s")
_OTHER_CRON = regex(r"supercronic|busybox|alpine")
"""Programs in the place of cron, and images whose cron takes `%` for itself."""


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each file, document and script with lines that cron reads otherwise than they were meant."""
    by_file: defaultdict[str, list[tuple[CronLine, str, str]]] = defaultdict(list)
    for line in inventory.cron_lines:
        if found := _fault(inventory, line):
            by_file[line.location.file].append((line, *found))
    for path, items in by_file.items():
        yield _evidence(path, items)


def _fault(inventory: Inventory, line: CronLine) -> tuple[str, str] | None:
    """What cron, or its shell, makes of a line, and what the line should be; None for a good one."""
    command = line.command
    if command.endswith("\\"):
        return "ends with `\\`, and cron knows no line that goes on: the rest is a line of its own", command[:-1] + "…"
    if line.kind != "script" and _PERCENT.search(command) and not _is_for_other_cron(inventory, line):
        said = (
            f"has a `%`, which cron takes for the end of the line: the shell gets `{command.partition('%')[0][-40:]}`"
        )
        return said, _PERCENT.sub(r"\\%", command)
    if match := _TERMINAL.search(command):
        return f"calls `{match[0].strip()}`, for which cron has no terminal", _without_terminal(command)
    by_bash = "bash" in line.shell or command.startswith(("bash ", "/bin/bash "))
    return None if by_bash else _of_bash(command)


def _of_bash(command: str) -> tuple[str, str] | None:
    """What only Bash knows of a line that `/bin/sh` runs, and what every shell knows instead."""
    if _BACKGROUND.search(command):
        said = "uses `&>`, which to `/bin/sh` may be a start in the background, whose output goes nowhere"
        return said, f"{_BACKGROUND.sub('>>', command)} 2>&1"
    if _SOURCE.search(command):
        return "uses `source`, which `/bin/sh` may not know", command.replace("source ", ". ", 1)
    return None


def _is_for_other_cron(inventory: Inventory, line: CronLine) -> bool:
    """Whether a table is for a container whose cron knows no `%`."""
    name = line.location.file.rpartition("/")[2]
    if line.kind != "file":
        return False
    texts = [" ".join(item.argument for item in file.instructions) for file in inventory.dockerfiles]
    texts += [f"{service.image} {' '.join((*service.entrypoint, *service.command))}" for service in inventory.services]
    return any(_OTHER_CRON.search(text) for text in texts if name in text or "cron" in text)


def _without_terminal(command: str) -> str:
    plain = command.replace(" -it ", " ").replace(" -ti ", " ").replace(" -i -t ", " ").replace(" -t -i ", " ")
    return plain if plain != command else command.replace(" exec ", " exec -T ", 1)


def _evidence(path: str, items: list[tuple[CronLine, str, str]]) -> Evidence:
    (first, said, better), *others = items
    user = f" {first.user}" if first.user else ""
    sure = not said.startswith("uses")
    return Evidence(
        f"The line of {path} for cron at `{first.schedule}` {said}.",
        first.location,
        subject=f"{path}/{first.schedule}",
        related=tuple(Related(line.location, f"it {what}", member=True) for line, what, _ in others),
        severity=None if sure else Severity.LOW,
        confidence=None if sure else Confidence.MEDIUM,
        recommendation=f"Put what the line does into a script, and let the line of {path} name that alone."
        if "goes on" in said
        else f"Write the line of {path} as cron and `/bin/sh` read it.",
        example=files.into(path, f"{first.schedule}{user} {better}"),
    )
