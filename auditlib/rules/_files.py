"""Lines under the name of the file that they go into, and what is done with files as a whole."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

_LIKE_C = ("js", "mjs", "ts", "tsx", "json", "jsx", "go", "rs", "java", "kt", "cs", "php")
_COMMENTS = {"md": "<!-- {} -->", **dict.fromkeys(_LIKE_C, "// {}")}


def into(file: str, lines: str) -> str:
    """Lines for a file, below a comment that names it."""
    return f"{_COMMENTS.get(file.rpartition('.')[2], '# {}').format(file)}\n{lines}"


def committed(paths: Iterable[str]) -> str:
    """The command that brings files into the repository which lie beside it, perhaps because they are ignored."""
    return f"git add --force {' '.join(map(shlex.quote, paths))}"
