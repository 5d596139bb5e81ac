"""Under which paths a program looks for a module that a file of it imports.

Follows https://docs.python.org/3/reference/import.html and
https://nodejs.org/api/modules.html#all-together (relative ones alone, since all others are packages).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

_ENDINGS = ("", ".js", ".cjs", ".mjs", ".json", ".node", ".jsx", ".ts", ".tsx", ".mts", ".cts")
_INDEXES = ("index.js", "index.cjs", "index.mjs", "index.json", "index.node", "index.ts", "package.json")


def is_python(path: str) -> bool:
    """Whether a file is read by Python's rules; any other one by those of Node."""
    return path.endswith(".py")


def of_module(module: str, path: str, roots: Iterable[str]) -> list[str]:
    """The paths one of which a module must have that `path` imports; one with a slash at its end is a folder.

    `roots` are the folders in which Python looks for what isn't relative.
    """
    if not is_python(path):
        base = posixpath.normpath(posixpath.join(posixpath.dirname(path), module))
        return [*(base + ending for ending in _ENDINGS), *(posixpath.join(base, name) for name in _INDEXES)]
    return [found for base in _bases(module, path, roots) for found in _python(base)]


def _bases(module: str, path: str, roots: Iterable[str]) -> Iterator[str]:
    plain = module.lstrip(".")
    folder = path
    for _ in range(len(module) - len(plain)):
        folder = posixpath.dirname(folder)
    for root in [folder] if module.startswith(".") else roots:
        yield posixpath.join(root, plain.replace(".", "/")).rstrip("/")


def _python(base: str) -> list[str]:
    """A module, a package, or a folder that is one without saying so."""
    return [f"{base}.py", f"{base}/__init__.py", f"{base}/"] if base else []
