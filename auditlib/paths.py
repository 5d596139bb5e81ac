"""Paths of a repository, relative to its root, with `/`."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from auditlib.patterns import regex

_CHOICE = regex(r"\{([^{}\s]{0,400},[^{}\s]{0,400})\}")


def normal(path: str) -> str:
    """A path without `./`, and without anything for the root itself."""
    plain = posixpath.normpath(path) if path else ""
    return "" if plain == "." else plain


def folders_of(paths: Iterable[str]) -> frozenset[str]:
    """Every folder that one of these files is in, however deep; the root is `.`."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
        found.add(".")
    return frozenset(found)


def below(paths: Sequence[str], folder: str) -> Sequence[str]:
    """Of sorted paths those below a folder, found by halving; the root is empty or `.`."""
    if folder in ("", "."):
        return paths
    return paths[bisect_left(paths, f"{folder}/") : bisect_left(paths, f"{folder}0")]  # `0` is what follows `/`


def upwards(path: str) -> Iterator[str]:
    """A file and the folders that hold it, the root left out: what mounts that means the code, not a configuration."""
    while path and path != "/":
        yield path
        path = path.rpartition("/")[0]


def unfolded(word: str) -> tuple[str, ...]:
    """What Bash makes of a word with names in braces (`certs/{a,b}`); of several pairs only the last is taken apart."""
    match = max(_CHOICE.finditer(word), key=lambda item: item.start(), default=None) if "," in word else None
    if match is None or word[match.start() - 1 : match.start()] == "$":
        return (word,)
    return tuple(f"{word[: match.start()]}{name}{word[match.end() :]}" for name in match[1].split(","))
