"""A dump goes through a terminal.

With `-t` Docker gives the command in the container a terminal. Its output comes with CR LF for each line, and with the
error messages in it: a dump in a binary format is broken, one of SQL has lines that were not in the database. With `-i`
as well the command fails wherever there is no terminal: under cron, in a workflow.

Anti-pattern:

    docker exec -t shop-db pg_dump -U shop shop > shop.sql

Better:

    docker exec shop-db pg_dump -U shop shop > shop.sql

Recommendation:

    Leave `-t` out of the commands whose output goes to a file or a pipe.

References:

- https://docs.docker.com/reference/cli/docker/container/exec/
- https://www.postgresql.org/docs/current/app-pgdump.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from auditlib.conventions import backups, command_words, deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TERMINAL = regex(r"-[a-z]*t[a-z]*|--tty")
_KEPT_INSIDE = regex(r"\s(?:-f|--file|--result-file|--archive|-o|--out|--version|-V|--help|-\?)(?:[= ]|$)")
"""Options of a dump that writes its file in the container, or of none."""


class _Dump(Struct, frozen=True):
    tool: str
    option: str
    location: Location


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file one finding with the dumps that a terminal writes into a file or a pipe."""
    found: defaultdict[str, list[_Dump]] = defaultdict(list)
    for command in deployment.commands(inventory):
        if (command.writes or command.caught) and (dump := _dump(command.words, command.location)):
            found[command.location.file].append(dump)
    for item in deployment.documented_commands(inventory):
        # where its output goes isn't in the record, and nobody prints a dump to read it
        if not _KEPT_INSIDE.search(item.text) and (dump := _dump(item.text.split(), item.location)):
            found[item.location.file].append(dump)
    for dumps in found.values():
        yield _evidence(dumps)


def _dump(words: Sequence[str], place: Location) -> _Dump | None:
    """The dump that `docker exec` has a terminal for."""
    core = command_words.core(list(words))
    if core[:1] not in (["docker"], ["podman"]) or "exec" not in core[1:3] or "compose" in core[:2]:
        return None
    after = core[core.index("exec") + 1 :]
    option = next((word for word in _options(after) if _TERMINAL.fullmatch(word)), "")
    match = backups.DATABASE_DUMP.search(" ".join(after))
    return _Dump(match["tool"], option, place) if match and option else None


def _options(words: Sequence[str]) -> Iterator[str]:
    """The words before the container's name, values of options among them."""
    for word, before in zip(words, ("", *words), strict=False):
        if not word.startswith("-") and before not in ("-e", "--env", "-u", "--user", "-w", "--workdir"):
            return
        yield word


def _evidence(dumps: list[_Dump]) -> Evidence:
    first, *others = dumps
    file = first.location.file
    kept = first.option.replace("t", "") if not first.option.startswith("--") else ""
    kept = "" if kept == "-" else kept
    return Evidence(
        f"{file} calls {listed(dict.fromkeys(item.tool for item in dumps))} by `docker exec {first.option}`: what the "
        "terminal makes of the output, CR LF and error messages in it, is kept as the dump.",
        first.location,
        subject=f"{file}/{first.tool}",
        related=tuple(Related(item.location, f"{item.tool} is called so too", member=True) for item in others),
        recommendation=f"Leave `{first.option}` out of the dumps of {file}.",
        example=files.into(file, " ".join(filter(None, ("docker exec", kept, "<the container>", first.tool, "…")))),
    )
