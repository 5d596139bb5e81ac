"""A backup names a volume by the folder that Compose happened to be started in.

Without `name:` Compose puts the name of the project's folder before each volume's own. A script with the whole name in
it works in one folder. From another checkout `docker run -v` makes a new, empty volume of that name, and the script
reports a success.

Anti-pattern:

    # compose.yaml has no name:
    # backup.sh
    docker run --rm -v shop_db_data:/data -v /backups:/out alpine tar czf /out/db.tar.gz /data

Better:

    # compose.yaml
    name: shop

Recommendation:

    Give the project a `name:`, or the volume one of its own, that the script can rely on.

References:

- https://docs.docker.com/compose/how-tos/project-name/
- https://docs.docker.com/reference/compose-file/volumes/#name
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import backups, compose_calls
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Volume
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SAID = frozenset({"echo", "printf", "log"})
_LEFT_OUT = regex(r"[^a-z0-9_-]")
_Use = tuple[str, str, Command, Volume]


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every script of backups that names volumes with a project's name before them which no file fixes."""
    fixed = {volume.name for volume in inventory.volumes if volume.fixed_name}
    loose = {volume.name: volume for volume in inventory.volumes if volume.name not in fixed}
    if not loose or compose_calls.name_project(inventory):
        return
    for script in inventory.scripts:
        docker = any(command.words[:1] == ("docker",) for command in script.commands)
        if docker and backups.SCRIPT_NAME.search(script.path):  # one that brings a backup back names volumes as well
            uses = [use for command in script.commands for use in _uses(command, loose)]
            if uses:
                yield _evidence(script.path, uses)


def _uses(command: Command, loose: dict[str, Volume]) -> Iterator[_Use]:
    """The words of a command that are a project's name and a volume's."""
    if command.words[:1] and command.words[0] in _SAID:
        return
    for word in command.words[1:]:
        whole = word.partition(":")[0]
        parts = whole.split("_")
        own = next((name for n in range(1, len(parts)) if (name := "_".join(parts[n:])) in loose), "")
        prefix = whole.removesuffix(f"_{own}") if own else ""
        if prefix and not any(letter in whole for letter in "$/ =") and prefix != _folder(loose[own]):
            yield whole, prefix, command, loose[own]


def _folder(volume: Volume) -> str:
    """The name that Compose gives a project by its folder, if that is one of the repository."""
    return _LEFT_OUT.sub("", posixpath.basename(posixpath.dirname(volume.location.file)).lower())


def _evidence(script: str, uses: list[_Use]) -> Evidence:
    whole, prefix, command, volume = uses[0]
    return Evidence(
        f"{script} names {listed(use[0] for use in uses)}, and no `name:` says that the project is called {prefix}: "
        "started from a folder of another name, Compose has other volumes, and the script meets empty ones.",
        command.location,
        subject=f"{script}/{whole}",
        related=tuple(Related(item.location, f"the volume {item.name}") for item in {use[3].name: use[3]
                      for use in uses}.values()),
        recommendation=f"Write `name: {prefix}` into {volume.location.file}.",
        example=files.into(volume.location.file, f"name: {prefix}"),
    )  # fmt: skip
