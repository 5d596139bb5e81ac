"""A command names a volume as Compose's file does, and Docker knows it by another name.

Compose puts the project's name before each volume and network that has no `name:`. `docker run -v db_data:/data` then
makes a new, empty volume without a word: a backup made that way holds nothing, a restore goes nowhere, and what is to
be removed stays.

Anti-pattern:

    # compose.yaml: volumes: {db_data: }
    docker run --rm -v db_data:/data -v "$PWD:/out" alpine tar czf /out/db.tar.gz /data

Better:

    # compose.yaml
    volumes:
      db_data:
        name: shop_db_data

Recommendation:

    Give the volume a `name:` and use that, or let Compose run the command (`docker compose run`).

References:

- https://docs.docker.com/reference/compose-file/volumes/#name
- https://docs.docker.com/compose/how-tos/project-name/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from auditlib import command_words
from auditlib.conventions import told_commands
from auditlib.conventions.told_commands import Told
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Network, Volume
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LOOKED_UP = frozenset({"inspect", "rm", "remove", "connect", "disconnect"})
_LASTS = regex(r"-\w*d\w*$|--detach$|--restart\b|--name\b|-p$|--publish\b|-\w*P$")
"""Options of a container that runs for good: it is started in the place of Compose's, with a volume of its own."""
_Part = Volume | Network


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file one finding for all volumes and networks that its calls of Docker name without the project."""
    loose = _loose(inventory)
    told = told_commands.everywhere(inventory) if loose else ()
    docker = [item for item in told if item.words[:1] == ("docker",) or item.words[:2] == ("sudo", "docker")]
    made = {word for item in docker if "create" in item.words[:4] for word in item.words}
    found: defaultdict[str, list[tuple[str, Told]]] = defaultdict(list)
    for item in docker:
        for kind, name in _named(command_words.core(list(item.words))):
            if (kind, name) in loose and name not in made:
                found[item.location.file].append((f"{kind} {name}", item))
    for file, uses in found.items():
        yield _evidence(file, uses, loose)


def _loose(inventory: Inventory) -> dict[tuple[str, str], _Part]:
    """The volumes and networks whose name begins with that of their project, by kind and own name."""
    fixed = {item.called or item.name for item in inventory.volumes if item.fixed_name or item.external}
    fixed |= {item.called or item.name for item in inventory.networks if item.called or item.external}
    parts: list[tuple[str, _Part]] = []
    parts += [("volume", item) for item in inventory.volumes if not item.external and not item.fixed_name]
    parts += [("network", item) for item in inventory.networks if not item.external and not item.called]
    return {(kind, item.name): item for kind, item in parts
            if item.name not in fixed and item.name not in ("default", "host", "bridge", "none")}  # fmt: skip


def _named(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The volumes and networks that a call of Docker names, each with its kind."""
    verb, kind = words[1:2], next(iter(words[1:2]), "")
    if kind in ("volume", "network") and words[2:3] and words[2] in _LOOKED_UP:
        yield from ((kind, word) for word in words[3:] if not word.startswith("-"))
    elif verb in (["run"], ["create"]) and not any(map(_LASTS.match, words)):
        for option, value in (*pairwise(words), *(word.partition("=")[::2] for word in words if "=" in word)):
            if option in ("-v", "--volume") and ":" in value:
                yield "volume", value.partition(":")[0]
            elif option == "--mount":
                fields = dict(part.partition("=")[::2] for part in value.split(","))
                yield "volume", fields.get("source") or fields.get("src") or ""
            elif option in ("--network", "--net"):
                yield "network", value


def _evidence(file: str, uses: list[tuple[str, Told]], loose: dict[tuple[str, str], _Part]) -> Evidence:
    named = list(dict.fromkeys(name for name, _ in uses))
    parts = {name: loose[kind, own] for name in named for kind, _, own in [name.partition(" ")]}
    first, part = uses[0][1], parts[named[0]]
    volumes = any(name.startswith("volume") for name in named)
    keeps = volumes and any(" -v " in item.text or "--mount" in item.text for _, item in uses)
    what = "Docker makes a new, empty one of that name" if keeps else "Docker knows none of that name"
    return Evidence(
        f"{first.caller} Docker with the {listed(named)}, to which Compose gives the project's name before its own: "
        f"{what}.",
        first.location,
        subject=f"{file}/{'/'.join(named)}",
        related=(
            *(Related(item.location, f"the {name}") for name, item in parts.items()),
            *(Related(item.location, f"names the {name}", member=True) for name, item in uses[1:]),
        ),
        recommendation=f"Write `name: <name>` below {part.name} in {part.location.file}, and use that in {file}.",
        severity=None if keeps else Severity.LOW,
        example=files.into(
            part.location.file,
            f"{named[0].partition(' ')[0]}s:\n  {part.name}:\n    name: <the name that `docker "
            f"{named[0].partition(' ')[0]} ls` shows>",
        ),
    )
