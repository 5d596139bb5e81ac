"""package-lock.json: which version of Node the packages that are installed in production need.

Follows https://docs.npmjs.com/cli/configuring-npm/package-lock-json#packages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from auditlib.inventory.delivery import Requirement
from auditlib.model import Location
from auditlib.source import Source, Unreadable

_PREFIX = "node_modules/"


def needs(source: Source, folder: str) -> tuple[Requirement, ...]:
    """For each constraint on Node the first package of the lock file beside a package.json that has it."""
    path = f"{folder}package-lock.json"
    if not source.is_file(path):
        return ()
    try:
        content = source.text(path)
        document = json.loads(content)
    except (Unreadable, ValueError, RecursionError):
        return ()
    packages = document.get("packages") if isinstance(document, dict) else None
    found = {constraint: name for name, constraint in reversed(list(_engines(packages)))}
    return tuple(
        Requirement(name.rpartition(_PREFIX)[2], constraint, "main", Location(path, _line(content, name)))
        for constraint, name in reversed(found.items())
    )


def _engines(packages: object) -> Iterator[tuple[str, str]]:
    for name, package in packages.items() if isinstance(packages, Mapping) else ():
        engines = package.get("engines") if isinstance(package, Mapping) else None
        node = engines.get("node") if isinstance(engines, Mapping) else None
        if isinstance(node, str) and name.startswith(_PREFIX) and not {"dev", "optional", "devOptional"} & set(package):
            yield name, node


def _line(content: str, name: str) -> int:
    return content.count("\n", 0, max(content.find(json.dumps(name)), 0)) + 1
