"""package.json: its scripts, dependencies, tools and the Node.js that it wants.

Fields as in https://docs.npmjs.com/cli/configuring-npm/package-json.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial

from auditlib.inventory.delivery import Manifest, Requirement, ScriptTarget
from auditlib.model import Coverage, Location, Read
from auditlib.readers.reading import Reading, each
from auditlib.readers.shell import commands
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

KIND = "package.json"
GROUPS = {
    "dependencies": "main", "devDependencies": "dev", "optionalDependencies": "optional", "peerDependencies": "peer",
}  # fmt: skip
TOOL_KEYS = ("jest", "eslintConfig", "prettier", "stylelint", "lint-staged", "husky", "cypress", "ava", "mocha", "nyc")
TOOL_FILES = {
    "playwright.config": "playwright", "cypress.config": "cypress", "vitest.config": "vitest", "jest.config": "jest",
    "eslint.config": "eslint", ".eslintrc": "eslint", "biome": "biome", ".prettierrc": "prettier",
    "prettier.config": "prettier", "tsconfig": "typescript", ".stylelintrc": "stylelint",
}  # fmt: skip
"""Configuration files beside a package.json, by the beginning of their names."""


def read(source: Source) -> Reading:
    """A Manifest of the kind `npm` for each package.json."""
    tools: defaultdict[str, set[str]] = defaultdict(set)
    for path in source.files:
        folder, _, name = path.rpartition("/")
        tools[folder].update(tool for prefix, tool in TOOL_FILES.items() if name.startswith(prefix))
    return each(source, source.matching("package.json"), KIND, partial(_read, tools))


def _read(tools_of: Mapping[str, set[str]], source: Source, file: str) -> Iterator[Manifest | Coverage]:
    documents = source.yaml(file)  # JSON is YAML, and this way every value knows its line
    if not documents or not documents[0].is_mapping:
        raise Unreadable("is no JSON object")
    root = documents[0]
    scripts = root.get("scripts")
    if scripts is not None and not scripts.is_mapping:
        yield Coverage(file, KIND, Read.PARTIAL, "`scripts` is no object", scripts.line)
    yield Manifest(
        path=file,
        kind="npm",
        name=_text(root, "name"),
        targets=tuple(_targets(source, file, scripts)),
        requirements=tuple(_requirements(file, root)),
        runtime=_text(root, "engines", "node"),
        tools=tuple(sorted({*_own_tools(root), *tools_of[file.rpartition("/")[0]]})),
        location=Location(file),
    )


def _text(root: Node, *keys: str) -> str:
    node = root.get(*keys)
    return node.text if node else ""


def _targets(source: Source, file: str, scripts: Node | None) -> Iterator[ScriptTarget]:
    for key, value in scripts.items() if scripts else ():
        place = Location(file, key.line, key.column)
        found = commands(value.text, file, value.line, source.vault)
        yield ScriptTarget(key.text, found, source.vault.mask(value.text), place)


def _requirements(file: str, root: Node) -> Iterator[Requirement]:
    for field, group in GROUPS.items():
        section = root.get(field)
        for key, value in section.items() if section else ():
            yield Requirement(key.text, value.text, group, Location(file, key.line, key.column))


def _own_tools(root: Node) -> Iterator[str]:
    return (key.removesuffix("Config") for key in TOOL_KEYS if root.get(key))
