"""A check's failure is lost in a pipe.

The status of a pipe is that of its last command: `pytest | tee report.txt` succeeds whatever pytest finds, and an `if`
around it always takes the branch for success. `set -e` changes nothing about it; only `pipefail` does, which `/bin/sh`,
by which make runs its lines, may not know.

Anti-pattern:

    set -e
    if mvn verify | tee build.log; then
      echo "all tests passed"
    fi

Better:

    set -eo pipefail
    if mvn verify | tee build.log; then
      echo "all tests passed"
    fi

Recommendation:

    Set `pipefail`, or write into the file and show it afterwards.

References:

- https://www.gnu.org/software/bash/manual/html_node/Pipelines.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from auditlib.conventions import checks, command_texts
from auditlib.conventions.command_texts import CommandText
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PASSES_ON = frozenset({"tee", "tail", "head", "cat", "less", "sed", "awk", "ts"})
_OF_TEXT = frozenset({"script", "target"})


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script and target without `pipefail` that pipes a check into what always succeeds."""
    if _PASSES_ON.isdisjoint(command_texts.words(inventory)):
        return
    strict = {item.path for item in inventory.manifests if item.pipes_fail}
    for text in command_texts.texts(inventory):
        if text.kind in _OF_TEXT and text.path not in strict and not _asks(text):
            found = [before for before, after in itertools.pairwise(text.commands) if _is_lost(before, after)]
            if found:
                yield _evidence(text, found)


def _asks(text: CommandText) -> bool:
    """Whether a text has a pipe fail with its first command, or looks at that command's status by itself."""
    words = (word for item in text.commands for word in item.words)
    looked_at = text.script is not None and "PIPESTATUS" in text.script.tests
    return looked_at or any("pipefail" in word or "PIPESTATUS" in word for word in words)


def _is_lost(before: Command, after: Command) -> bool:
    """Whether a check hands its output to a program that succeeds whatever it gets, in the same pipe."""
    near = after.location.line <= (before.location.end_line or before.location.line) + 1
    return (
        before.caught
        and not (after.caught or after.cannot_fail)
        and near
        and after.words[0] in _PASSES_ON
        and checks.is_check(before.words)
    )


def _evidence(text: CommandText, found: list[Command]) -> Evidence:
    first, *others = found
    said = " ".join(first.words)[:60]
    line = f"set -o pipefail; {said} | <the rest of the line>" if text.kind == "target" else "set -o pipefail"
    return Evidence(
        f"{text.opening} pipes `{said}` into another program without `pipefail`: whatever it finds, the line succeeds.",
        first.location,
        subject=f"{text.path}/{text.name}",
        related=tuple(Related(item.location, f"`{' '.join(item.words)[:60]}` too", member=True) for item in others),
        recommendation=f"Set `pipefail` in {text.path}{', and `SHELL := /bin/bash`' * (text.kind == 'target')}.",
        example=files.into(text.path, line),
    )
