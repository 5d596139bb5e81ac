"""Trees of files as documents draw them, in the form of `tree`: which of their entries the repository lacks.

Only a tree that is the repository's: most of its first level is there. What is made later, or stands for many, is none.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from auditlib.patterns import regex

_ENTRY = regex(
    r"(?P<before>[\s│|┃]{0,80})(?:├|└|┣|┗|\+|\|)[─━-]{1,3}[>\s]\s*(?P<name>[\w@./-]{1,100})(?P<rest>.{0,300})$"
)
_LATER = regex(
    r"(?i)generat|creat|optional|ignor|not (?:in|committed)|auto|runtime|\byour?\b|local|secret|plan|todo|coming|"
    r"future|build|output|download|\.\.\.|…|example"
)
"""In the remark behind an entry that isn't meant to be in the repository."""
_MADE = regex(
    r"(?:node_modules|dist|build|target|venv|\.venv|__pycache__|logs?|data|tmp|coverage|uploads?|backups?|certs?|secrets?|"
    r"ssl|\.git|\.env.*|volumes?|storage|models?|output|artifacts|.*\.(?:log|db|sqlite3?|pem|key|crt|pkl|onnx|csv|parquet|"
    r"png|jpe?g|gif|svg|lock|ico|tfvars))"
)
_SEVERAL = regex(r".*(?:\.\.\.|\*|…)|\.{1,3}")


class _Entry(Struct):
    """A line of a tree."""

    depth: int
    name: str
    rest: str
    number: int


def absent(lines: Sequence[str], exists: Callable[[str], bool], homes: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The entries that aren't there, each as a path from the root with the number of its line."""
    block: list[_Entry] = []
    title = ""
    for number, line in enumerate([*lines, ""], start=1):
        match = _ENTRY.match(line[:400]) if "─" in line or "━" in line or "--" in line else None
        if match:
            block.append(
                _Entry(len(match["before"]), match["name"].removeprefix("./").strip("/"), match["rest"], number)
            )
        elif block and line.strip(" │|"):
            yield from _of_block(block, title, exists, homes)
            block, title = [], line
        elif not block:
            title = line if line.strip() else title
    yield from _of_block(block, title, exists, homes)


def _of_block(
    block: list[_Entry], title: str, exists: Callable[[str], bool], homes: Sequence[str]
) -> Iterator[tuple[str, int]]:
    if len(block) < 4:
        return
    own = title.strip().strip("`").rstrip("/").removeprefix("./").strip(".")
    for home in dict.fromkeys((*(posixpath.join(item, own) for item in homes if own and exists(own)), *homes)):
        first = min(item.depth for item in block)
        top = [item for item in block if item.depth == first]
        there = [item for item in top if exists(posixpath.join(home, item.name).lstrip("/"))]
        if len(there) >= 2 and 2 * len(there) >= len(top):
            yield from _below(block, home, exists)
            return


def _below(block: list[_Entry], home: str, exists: Callable[[str], bool]) -> Iterator[tuple[str, int]]:
    above: list[tuple[int, str]] = []
    for item in block:
        while above and above[-1][0] >= item.depth:
            above.pop()
        folder = above[-1][1] if above else home
        path = posixpath.join(folder, item.name).lstrip("/")
        above.append((item.depth, path))
        plain = not (
            _SEVERAL.fullmatch(item.name) or _LATER.search(item.rest) or _MADE.fullmatch(posixpath.basename(path))
        )
        if plain and not exists(path) and (not folder or exists(folder)):
            yield path, item.number
