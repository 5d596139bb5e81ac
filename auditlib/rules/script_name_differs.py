"""A document tells to run a script that is called a little differently.

Who follows it step by step gets "No such file or directory" at the first command, often on the day on which there is
no time for it.

Anti-pattern:

    # README.md
    1. Run ./installion.sh
    # the repository has installation.sh

Better:

    1. Run ./installation.sh

Recommendation:

    Correct the name in the document, or rename the script.

References:

- https://www.writethedocs.org/guide/docs-as-code/
"""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Mention, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules._rule import Evidence, rule

_RUN = regex(r"\./[\w./@-]+\.(?:sh|bash)")
_CLOSE = 0.85
"""How much of two names has to be equal for one to be a slip of the other."""


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every script that a document runs from where it stands, which the repository lacks and has under a like name."""
    scripts = {posixpath.basename(item.path): item for item in inventory.scripts}
    told: set[str] = set()
    for document in inventory.documents:
        for item in document.mentions if not environments.is_for_development(document.path) else ():
            for path in _run(item):
                name = posixpath.basename(path)
                like = difflib.get_close_matches(name, scripts, 1, _CLOSE) if name not in scripts else []
                if like and name not in told:
                    told.add(name)
                    yield _evidence(item, path, scripts[like[0]])


def _run(item: Mention) -> list[str]:
    """The scripts that a mention starts by their path."""
    words = item.text.split() if item.kind == "command" else [item.text] if item.kind == "missing" else []
    return [word for word in words[:2] if _RUN.fullmatch(word)]


def _evidence(item: Mention, path: str, script: Script) -> Evidence:
    name = posixpath.basename(path)
    there = posixpath.basename(script.path)
    return Evidence(
        f"{item.location.file} runs {path}, which the repository lacks; there is {script.path}.",
        item.location,
        subject=path,
        related=(Related(script.location, "the script that is meant"),),
        recommendation=f"Write {there} in {item.location.file}.",
        change=(name, there),
    )
