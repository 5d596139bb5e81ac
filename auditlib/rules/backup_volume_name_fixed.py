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

from collections.abc import Iterator

from auditlib.conventions import backups, deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Volume
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SAID = frozenset({"echo", "printf", "log"})
_Use = tuple[str, str, Command, Volume]


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every script of backups that names volumes with a project's name before them which no file fixes."""
    loose = {volume.name: volume for volume in inventory.volumes if not volume.fixed_name}
    if not loose or _names_project(inventory):
        return
    for script in inventory.scripts:
        docker = any(command.words[:1] == ("docker",) for command in script.commands)
        if docker and backups.SCRIPT_NAME.search(script.path):
            uses = [use for command in script.commands for use in _uses(command, loose)]
            if uses:
                yield _evidence(script.path, uses)


def _names_project(inventory: Inventory) -> bool:
    """Whether an environment file or a command says what the project is called."""
    files = any(line.name == "COMPOSE_PROJECT_NAME" for item in inventory.env_files for line in item.lines)
    options = ({"-p", "--project-name"} & set(item.words[:6]) for item in deployment.commands(inventory)
               if "compose" in " ".join(item.words[:2]))  # fmt: skip
    return files or any(options)


def _uses(command: Command, loose: dict[str, Volume]) -> Iterator[_Use]:
    """The words of a command that are a project's name and a volume's."""
    if command.words[:1] and command.words[0] in _SAID:
        return
    for word in command.words[1:]:
        whole = word.partition(":")[0]
        parts = whole.split("_")
        own = next((name for n in range(1, len(parts)) if (name := "_".join(parts[n:])) in loose), "")
        if own and not any(letter in whole for letter in "$/ ="):
            yield whole, whole.removesuffix(f"_{own}"), command, loose[own]


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
