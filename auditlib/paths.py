"""Paths of a repository, relative to its root, with `/`."""

from __future__ import annotations

from collections.abc import Iterable


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
