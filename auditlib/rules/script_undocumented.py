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
from collections.abc import Iterable, Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SELF_EXPLAINING = regex(
    r"(?:^|/)(?:\.husky|\.githooks|hooks|\.github)/|(?:^|/)(?:gradlew|mvnw|docker-entrypoint\.sh|entrypoint\.sh|manage\.py)$"
)


_RUNNERS = (["make"], ["npm"], ["pnpm"], ["yarn"], ["just"])
_USAGE = regex(r"(?:_?(?:print|show)_)?(?:usage|help)\b|用法", re.I)


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each folder of scripts, with the folders below it, one finding for all that nothing explains."""
    explained = _names_in(mention.text for document in inventory.documents for mention in document.mentions)
    explained |= {name for file in inventory.env_files for name in file.scripts}
    explained |= _names_in(_given(inventory)) | _names_in(_by_targets(inventory))
    silent: defaultdict[str, list[Script]] = defaultdict(list)
    for script in inventory.scripts:
        speaks = script.summary or _tells_usage(script) or posixpath.basename(script.path) in explained
        if not speaks and _wants_words(script):
            silent[script.path.partition("/")[0] if "/" in script.path else ""].append(script)
    for folder, scripts in silent.items():
        yield _evidence(folder, scripts)


def _given(inventory: Inventory) -> Iterator[str]:
    """What images copy or start, what services mount and what `npm start` runs: it explains itself by its place."""
    for file in inventory.dockerfiles:
        yield from (item.argument for item in file.instructions if item.keyword in ("COPY", "ADD", "ENTRYPOINT", "CMD"))
    for service in inventory.services:
        yield from (mount.source for mount in service.mounts)
    for manifest in inventory.manifests:
        started = (target for target in manifest.targets if manifest.kind == "npm" and target.name == "start")
        yield from (word for target in started for command in target.commands for word in command.words)


def _by_targets(inventory: Inventory) -> Iterator[str]:
    """What targets run that a document names (`make validate`)."""
    said = {item.text for document in inventory.documents for item in document.mentions if item.kind == "command"}
    words = [text.split() for text in said]
    named = {word for each in words if each[:1] in _RUNNERS for word in each[1:]}
    for manifest in inventory.manifests:
        for target in manifest.targets if manifest.kind in ("make", "npm") else ():
            if target.name in named:
                yield from (word for command in target.commands for word in command.words)


def _tells_usage(script: Script) -> bool:
    """Whether a script says how it is used when it is asked (`--help`)."""
    return any(
        _USAGE.match(text)
        for command in script.commands
        for text in (command.function, *(command.words[1:2] if command.words[:1] == ("echo",) else ()))
    )


def _names_in(texts: Iterable[str]) -> set[str]:
    return {word.strip(".") for text in texts for word in re.findall(r"[\w.-]+", text)}


def _wants_words(script: Script) -> bool:
    """Hooks and wrappers, and what tests start, explain themselves by their place; empty files need no words."""
    empty = posixpath.basename(script.path) == "__init__.py"
    return not (empty or _SELF_EXPLAINING.search(script.path) or environments.is_for_development(script.path))


def _evidence(folder: str, scripts: list[Script]) -> Evidence:
    first, *others = scripts
    place = f"{folder}/" if folder else ""
    names = listed(item.path for item in scripts)
    return Evidence(
        f"{place or 'The root'} has {counted(len(scripts), 'script')} without a leading comment or docstring, which no "
        f"document names: {names}.",
        first.location,
        subject=folder or "scripts",
        related=tuple(Related(item.location, "says nothing of itself either", member=True) for item in others),
        recommendation=f"Begin each script with a sentence on purpose, time and needs, first of all {first.path}. "
        f"Write {place}README.md on how they fit into a release."
        if others
        else f"Begin {first.path} with a sentence on its purpose, its time and its needs.",
        example=_opening(first) + (f"\n{files.into(f'{place}README.md', _table(scripts))}" if others else ""),
    )


def _opening(script: Script) -> str:
    """The sentence with which a script begins."""
    text = "<What it does, when it runs and who starts it, what it needs, whether it may be repeated.>"
    return files.into(script.path, f'"""{text}"""' if script.path.endswith(".py") else f"# {text}")


def _table(scripts: list[Script]) -> str:
    rows = "".join(f"\n| `{posixpath.basename(item.path)}` | <purpose> | <when> |" for item in scripts)
    return f"| script | what for | who starts it, and when |\n|---|---|---|{rows}"
