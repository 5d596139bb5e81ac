"""Whether a file of JavaScript that a container starts is one that the compiler of TypeScript makes, by its sources.

The compiler keeps the folders of what it reads (https://www.typescriptlang.org/tsconfig/#rootDir): `dist/jobs/mail.js`
comes from a `jobs/mail.ts`. Where a bundler, a generator or a copy may have put the file there, nothing is said.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import served_routes, services
from auditlib.conventions.workspaces import GENERATED
from auditlib.inventory import Inventory
from auditlib.inventory.code import CompilerOutput
from auditlib.inventory.stack import Service
from auditlib.paths import below
from auditlib.patterns import regex

_ENDINGS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_MAKES_FILES = regex(
    r"\b(?:tsup|esbuild|webpack|vite|rollup|rolldown|swc|babel|ncc|nest|parcel|bun build|unbuild|microbundle|tsdown|"
    r"copyfiles|cpx|cpy|ncp|shx|cp|mv|rsync|codegen)\b"
    r"|(?:^|\s)node (?:\./)?(?:scripts|tools|build)/"
)
"""What puts files into the folder that have no source of their name."""
_COMPILES = regex(r"\btsc\b")


def lacks(inventory: Inventory, service: Service, path: str) -> bool:
    """Whether the compiler makes all of the folder that a path names first, and nothing has the source of the file."""
    if not path.endswith((".js", ".mjs", ".cjs")) or service.build is None:
        return False
    homes = served_routes.folders(inventory, service)
    inside = [
        item
        for item in inventory.compiler_outputs
        if any(not home or f"{item.folder}/".startswith(f"{home}/") for home in homes)
    ]
    found = [(item, wanted) for item in inside if (wanted := _wanted(path, item))]
    if not found or not all(_is_alone(inventory, service, item) for item, _ in found):
        return False
    return not any(_has_source(inventory, item, wanted) for item, wanted in found)


def _wanted(path: str, item: CompilerOutput) -> str:
    """The end of the path of the source, without its ending; empty where the file lies in another folder."""
    parts, output = path.strip("/").split("/"), item.output.split("/")
    first = next((index for index, part in enumerate(parts[:-1]) if part in GENERATED), len(parts))
    rest = parts[first + len(output) :]
    if parts[first : first + len(output)] != output or not rest or GENERATED & set(rest[:-1]):
        return ""
    return posixpath.splitext("/".join(rest))[0]


def _is_alone(inventory: Inventory, service: Service, item: CompilerOutput) -> bool:
    """Whether the package of a configuration is compiled, and neither it nor the image's build makes other files."""
    texts = list(_texts(inventory, item))
    run = [step.argument for step in services.built_from(inventory, service)[1] if step.keyword == "RUN"]
    found = services.dockerfile(inventory, service)
    run += [step.argument for step in (found.instructions if found else ()) if step.keyword == "RUN"]
    compiled = any(_COMPILES.search(text) for text in (*texts, *run))
    return compiled and not any(_MAKES_FILES.search(text) for text in (*texts, *run))


def _texts(inventory: Inventory, item: CompilerOutput) -> Iterator[str]:
    """The commands of the scripts of the package that a configuration lies in."""
    for manifest in inventory.manifests:
        if manifest.kind == "npm" and posixpath.dirname(manifest.path) == item.folder:
            for target in manifest.targets:
                yield from (" ".join(command.words) for command in target.commands)


def _has_source(inventory: Inventory, item: CompilerOutput, wanted: str) -> bool:
    """Whether a file below the folder of a configuration, or its `index` as a folder, ends as the source does."""
    return any(
        path.endswith(_ENDINGS) and f"/{posixpath.splitext(path)[0]}".endswith(f"/{wanted}")
        for path in below(inventory.files, item.folder or ".")
    )
