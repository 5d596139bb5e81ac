"""A script that is meant to be started by its path is not executable.

It has a `#!` line, so it is meant to be started directly, and Git keeps it without the execute bit: who calls it gets
"Permission denied". In a pipeline or as the entry point of an image that is a failure each time.

Anti-pattern:

    $ ls -l scripts/run.sh
    -rw-r--r-- scripts/run.sh
    # ci.yml: run: ./scripts/run.sh

Better:

    $ git update-index --chmod=+x scripts/run.sh

Recommendation:

    Set the bit with `git update-index --chmod=+x`, which also works on Windows, or remove the `#!` line.

References:

- https://git-scm.com/docs/git-update-index#Documentation/git-update-index.txt---chmod-x
- https://docs.docker.com/reference/dockerfile/#copy---chmod
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Iterator

from auditlib.conventions import calls, deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Scripts with a `#!` line and no execute bit: each that is called by its path, the rest of a folder together."""
    plain = [item for item in inventory.scripts if item.shebang and not item.executable]
    if not plain:
        return
    bits_kept = any(item.executable for item in inventory.scripts)
    called, made, interpreted = calls.by_path(inventory), calls.made_executable(inventory), calls.interpreted(inventory)
    given, outside = calls.given_to_containers(inventory), calls.made_executable(inventory, in_images=False)
    workflows, told = {item.file for item in inventory.workflows}, calls.told(inventory)
    idle: list[Script] = []
    for script in plain:
        name = posixpath.basename(script.path)
        place = called.get(script.path)
        if place and name not in (outside if place.file in workflows else made):
            yield _fails(script, place, bits_kept)
        elif script.path in told and name not in made and not _is_told_to_set(inventory, name):
            yield _fails(script, told[script.path], bits_kept, by_people=True)
        elif name not in made and name not in interpreted and bits_kept and _is_for_people(inventory, script, given):
            idle.append(script)
    if idle:
        yield _idle(idle)


def _is_for_people(inventory: Inventory, script: Script, given: frozenset[str]) -> bool:
    """Whether nothing copies or mounts it, so that somebody has to start it; modules are imported instead."""
    folder = posixpath.dirname(script.path)
    is_module = script.path.endswith((".py", ".js", ".ts")) or f"{folder}/__init__.py" in inventory.file_set
    return not is_module and posixpath.basename(script.path) not in given


def _fails(script: Script, place: Location, bits_kept: bool, *, by_people: bool = False) -> Evidence:
    """A script without the bit that is started by its path, by a program or by the readers of a document."""
    starts = "has its readers start it" if by_people else "starts it"
    return Evidence(
        f"{script.path} is not executable, and {place.file} {starts} by its path: permission denied.",
        script.location,
        subject=script.path,
        related=(Related(place, "readers are told to start it here" if by_people else "started by its path here"),),
        recommendation=f"Run `git update-index --chmod=+x {script.path}`.",
        example=_made_executable([script]),
        severity=None if by_people else Severity.HIGH,
        confidence=None if bits_kept else Confidence.MEDIUM,
    )


def _is_told_to_set(inventory: Inventory, name: str) -> bool:
    """Whether a document has its readers set the bit, of this file or of several."""
    given = (item.words for item in deployment.documented_commands(inventory) if "chmod" in item.text)
    return any(posixpath.basename(word) == name or "*" in word for words in given for word in words)


def _idle(scripts: list[Script]) -> Evidence:
    first, *others = scripts
    return Evidence(
        f"{counted(len(scripts), 'script has', 'scripts have')} a `#!` line and no execute bit: "
        f"{listed(item.path for item in scripts)}.",
        first.location,
        subject="scripts",
        related=tuple(Related(item.location, "not executable either", member=True) for item in others),
        recommendation=f"Run `git update-index --chmod=+x {_paths(scripts)}`.",
        example=_made_executable(scripts),
    )


def _made_executable(scripts: Iterable[Script]) -> str:
    return f"git update-index --chmod=+x {' '.join(shlex.quote(item.path) for item in scripts)}"


def _paths(scripts: Iterable[Script]) -> str:
    return " ".join(item.path for item in list(scripts)[:4])
