"""Scripts say neither in themselves nor in a document what they are for.

A script without a word on its purpose is run by its author only. Nobody else knows when it belongs into a release,
what it needs, and whether it may be run twice; so it is either not run or run at the wrong time.

Anti-pattern:

    #!/usr/bin/env bash
    set -e
    python data_pipeline.py --source listings

Better:

    #!/usr/bin/env bash
    # Loads the listings of the day; cron starts it at 02:00, see docs/operations.md. Safe to repeat.
    set -euo pipefail
    python data_pipeline.py --source listings

Recommendation:

    Begin each script with a sentence on what it does, when it runs and what it needs, and name it in the documentation.

References:

- https://google.github.io/styleguide/shellguide.html#s4.1-file-header
- https://peps.python.org/pep-0257/
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule
from auditlib.rules._wording import counted, listed

_SELF_EXPLAINING = re.compile(
    r"(?:^|/)(?:\.husky|\.githooks|hooks|\.github)/|(?:^|/)(?:gradlew|mvnw|docker-entrypoint\.sh|entrypoint\.sh|manage\.py)$"
)


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each folder of scripts, with the folders below it, one finding for all that nothing explains."""
    mentioned = {mention.text for document in inventory.documents for mention in document.mentions}
    silent: defaultdict[str, list[Script]] = defaultdict(list)
    for script in inventory.scripts:
        if not script.summary and _wants_words(inventory, script) and not _is_named(script, mentioned):
            silent[script.path.partition("/")[0] if "/" in script.path else ""].append(script)
    for folder, scripts in silent.items():
        yield _evidence(inventory, folder, scripts)


def _wants_words(inventory: Inventory, script: Script) -> bool:
    """Hooks, wrappers and what an image or a service is given to start with explain themselves by their place."""
    copied = any(
        item.keyword in ("COPY", "ADD", "ENTRYPOINT", "CMD") and posixpath.basename(script.path) in item.argument
        for file in inventory.dockerfiles
        for item in file.instructions
    )
    copied = copied or any(mount.source == script.path for item in inventory.services for mount in item.mounts)
    empty = posixpath.basename(script.path) == "__init__.py"
    return not (copied or empty or _SELF_EXPLAINING.search(script.path) or environments.is_for_development(script.path))


def _is_named(script: Script, mentioned: set[str]) -> bool:
    name = posixpath.basename(script.path)
    return any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text) for text in mentioned)


def _evidence(inventory: Inventory, folder: str, scripts: list[Script]) -> Evidence:
    first, *others = scripts
    where = f"{folder}/" if folder else "The root"
    return Evidence(
        f"{where} has {counted(len(scripts), 'script')} without a leading comment or docstring, which no document "
        "names: "
        f"{listed(item.path for item in scripts)}.",
        first.location,
        subject=folder or "scripts",
        related=tuple(Related(item.location, "says nothing of itself either") for item in others),
        recommendation=f"Begin {listed((item.path for item in scripts), limit=3)} with a sentence on purpose, time "
        "and needs, "
        f"and write {folder + '/' if folder else ''}README.md on how they fit into a release.",
    )
