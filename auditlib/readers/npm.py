"""package.json: scripts with their commands, dependencies, engines, and the tools that it configures.

Follows https://docs.npmjs.com/cli/configuring-npm/package-json.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial

from auditlib.inventory.delivery import Manifest, Requirement, ScriptTarget
from auditlib.model import Coverage, Location, Read
from auditlib.readers import npm_locks, shell
from auditlib.readers.json_positions import Document, Object, text
from auditlib.readers.reading import Reading, each
from auditlib.source import Source, Unreadable

KIND = "package.json"

_GROUPS = {
    "dependencies": "main",
    "devDependencies": "dev",
    "peerDependencies": "peer",
    "optionalDependencies": "optional",
}
_TOOL_KEYS = frozenset({
    "ava", "babel", "c8", "commitlint", "cypress", "eslintConfig", "husky", "jest", "lint-staged", "mocha", "nyc",
    "playwright", "prettier", "stylelint", "vitest", "xo",
})  # fmt: skip
"""Keys under which tools keep their configuration."""
_TOOL_FILES = {
    "playwright.config": "playwright", "cypress.config": "cypress", "vitest.config": "vitest", "jest.config": "jest",
    "eslint.config": "eslint", ".eslintrc": "eslint", "biome.json": "biome", ".prettierrc": "prettier",
    "prettier.config": "prettier", "tsconfig": "typescript", ".stylelintrc": "stylelint",
}  # fmt: skip
"""Configuration files beside a package.json, by the beginning of their names."""


def read(source: Source) -> Reading:
    """A Manifest of the kind `npm` for each package.json."""
    beside: defaultdict[str, set[str]] = defaultdict(set)
    for path in source.files:
        folder, _, name = path.rpartition("/")
        beside[folder].update(tool for prefix, tool in _TOOL_FILES.items() if name.startswith(prefix))
    files = [path for path in source.files if posixpath.basename(path) == "package.json"]
    return each(source, files, KIND, partial(_read, beside))


def _read(beside: Mapping[str, set[str]], source: Source, path: str) -> Iterator[Manifest | Coverage]:
    document = Document(source, path)
    package = document.value
    if not isinstance(package, Object):
        raise Unreadable("is no JSON object")
    for key in ("scripts", "engines", *_GROUPS):
        if key in package and not isinstance(package[key], Object):
            yield Coverage(path, KIND, Read.PARTIAL, f"`{key}` is no object", document.location(package, key).line)
    yield Manifest(
        path=path,
        kind="npm",
        name=text(package, "name"),
        targets=tuple(_targets(source, document, package)),
        requirements=tuple(_requirements(document, package)),
        runtime=text(package, "engines", "node"),
        tools=tuple(sorted({*_own_tools(package), *beside[path.rpartition("/")[0]]})),
        location=Location(path),
        needs=npm_locks.needs(source, path.removesuffix("package.json")),
    )


def _own_tools(package: Object) -> Iterator[str]:
    return (key.removesuffix("Config") for key in package if key in _TOOL_KEYS)


def _targets(source: Source, document: Document, package: Object) -> Iterator[ScriptTarget]:
    for name, script, location in _entries(document, package, "scripts"):
        found = shell.commands(script, document.file, location.line, source.vault)
        found = tuple(shell.at(command, location) for command in found)  # the script stands within one JSON string
        yield ScriptTarget(name, found, source.vault.mask(script), location)


def _requirements(document: Document, package: Object) -> Iterator[Requirement]:
    for key, group in _GROUPS.items():
        for name, constraint, location in _entries(document, package, key):
            yield Requirement(name.lower(), constraint, group, location)


def _entries(document: Document, package: Object, key: str) -> Iterator[tuple[str, str, Location]]:
    """The entries of an object below `key` whose values are strings, with their places."""
    entries = package.get(key)
    if not isinstance(entries, Object):
        return
    places = document.places(entries)
    for name, value in entries.items():
        if isinstance(value, str):
            yield name, value, places.get(name, document.location(entries))
