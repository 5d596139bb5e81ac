"""A script has the line ends of Windows.

Linux takes the carriage return at the end of `#!/bin/bash` for a part of the program's name: "bad interpreter: No such
file or directory", or "no such file" of an entry point that is plainly there. The container never starts, and the file
looks right in every editor.

Anti-pattern:

    # docker/entrypoint.sh, saved on Windows: each line ends with CR LF

Better:

    # .gitattributes
    *.sh text eol=lf

Recommendation:

    Have Git end the lines of scripts with LF by `.gitattributes`, and save the files anew.

References:

- https://git-scm.com/docs/gitattributes#_eol
- https://docs.github.com/en/get-started/git-basics/configuring-git-to-handle-line-endings
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import calls
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all scripts with a `#!` line that ends so, first those that something starts by their path."""
    found = [item for item in inventory.scripts if item.shebang and item.carriage_return]
    if not found or _is_mended(inventory):
        return
    started = calls.by_path(inventory)
    yield _evidence(sorted(found, key=lambda item: (item.path not in started, item.path)), started)


def _is_mended(inventory: Inventory) -> bool:
    """Whether an image takes the carriage returns out of what it copies."""
    steps = (item for file in inventory.dockerfiles for item in file.instructions if item.keyword == "RUN")
    return any("dos2unix" in item.argument or "\\r" in item.argument for item in steps)


def _evidence(scripts: list[Script], started: dict[str, Location]) -> Evidence:
    first, *others = scripts
    place = started.get(first.path)
    names = listed((item.path for item in scripts), limit=5)
    fails = f"{place.file} starts {posixpath.basename(first.path)}, and " if place else ""
    return Evidence(
        f"The lines of {names} end with CR LF: {fails}Linux looks for a program whose name ends with a carriage "
        "return, unless Git changes the ends where it is checked out.",
        first.location,
        subject="line ends",
        related=(
            *([Related(place, "started by its path here")] if place else []),
            *(Related(item.location, "ends its lines so too", member=True) for item in others),
        ),
        recommendation="Write `*.sh text eol=lf` into .gitattributes, then run `git add --renormalize .` and commit.",
        severity=Severity.HIGH if place else None,
        example=files.into(".gitattributes", "*.sh text eol=lf"),
    )
