"""A check of the pipeline is given a folder that isn't there.

The folder was renamed or moved, and the command still names it. Linters and test runners take that for an error: the
job fails whatever the code is like; where its failure is thrown away, the code that has moved is checked by nobody.

Anti-pattern:

    # the folder is airflow/dags
    - run: ruff check src api dags tests

Better:

    - run: ruff check src api airflow/dags tests

Recommendation:

    Name the folder as it is called today, or let the tool look at the whole repository.

References:

- https://docs.astral.sh/ruff/linter/
- https://docs.pytest.org/en/stable/reference/exit-codes.html
- https://black.readthedocs.io/en/stable/usage_and_configuration/the_basics.html
"""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterator

from auditlib.command_words import core
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_VERBS = {"ruff": ("check", "format"), "black": (), "flake8": (), "mypy": (), "pylint": (), "pytest": ()}
"""What looks at the paths that it is given, and ends with an error where one isn't there; with the verb before them."""
_PLAIN = regex(r"[A-Za-z_][\w-]*(?:/[\w.-]+)*/?(?<!\.)")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each command of a job that names several folders, of which the repository has some and lacks others."""
    for job in inventory.jobs:
        workspace = Workspace(inventory, job)
        for step in job.steps if workspace.holds_repository else ():
            for command in step.commands:
                paths = _paths(command)
                folder = workspace.folder(step, command)
                lost = [path for path in paths if workspace.lacks(normal(posixpath.join(folder, path)), step)]
                there = [path for path in paths if workspace.has(normal(posixpath.join(folder, path)))]
                if lost and there:
                    yield _evidence(inventory, job, step, command, lost)


def _paths(command: Command) -> list[str]:
    """The folders and files that stand behind the name of a tool, before its first option."""
    words = _called(command)
    name = posixpath.basename(words[0]) if words else ""
    verbs = _VERBS.get(name)
    if verbs is None or (verbs and words[1:2] and words[1] not in verbs):
        return []
    given = itertools.takewhile(lambda word: not word.startswith("-"), words[2 if verbs else 1 :])
    return [word for word in given if _PLAIN.fullmatch(word)]


def _called(command: Command) -> list[str]:
    """The words from the tool's name on (`python -m mypy src`)."""
    words = core(list(command.words))
    by_python = len(words) > 2 and words[1] == "-m" and posixpath.basename(words[0]).startswith("python")
    return words[2:] if by_python else words


def _moved(inventory: Inventory, path: str) -> str:
    """The one folder of the repository that has the name; empty where none or several have."""
    name = posixpath.basename(path.rstrip("/"))
    found = [folder for folder in inventory.folder_set if posixpath.basename(folder) == name]
    return found[0] if len(found) == 1 else ""


def _evidence(inventory: Inventory, job: Job, step: Step, command: Command, lost: list[str]) -> Evidence:
    said = " ".join(command.words)
    moved = {path: found for path in lost if (found := _moved(inventory, path))}
    instead = f"; {listed(f'{path} may be {found} today' for path, found in moved.items())}" if moved else ""
    right = " ".join(moved.get(word, word) for word in command.words if word not in lost or word in moved)
    result = "its failure is thrown away" if command.cannot_fail or step.continue_on_error else "it fails on each run"
    return Evidence(
        f"The job {job.id} gives {_called(command)[0]} {listed(lost)}, which the repository doesn't have: {result}"
        f"{instead}.",
        command.location,
        subject=f"{job.workflow}/{job.id}/{lost[0]}",
        related=(Related(job.location, f"the job {job.id}"),),
        recommendation=f"Take {listed(lost)} out of `{said[:60]}`, or name what it is called today.",
        example=workflow_lines.step(step.workflow, job.id, f"- run: {right}"),
    )
