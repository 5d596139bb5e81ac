"""Entries of a project by their key path: where one stands, and the project without it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditlib.compose.errors import Path
from auditlib.compose.tree import Map, Mark, Seq


def mark_of(value: Any, path: Path) -> Mark:
    """The mark of the entry at a path, or of the nearest one above it that has any."""
    mark: Mark = None
    for part in path:
        if isinstance(value, Map) and part in value:
            mark, value = value.marks.get(str(part), mark), value[str(part)]
        elif isinstance(value, Seq) and isinstance(part, int) and part < len(value):
            mark, value = value.marks[part] or mark, value[part]
        else:
            break
    return mark


def prune(value: Any, path: Path) -> Any:
    """The project without the entry at a path."""
    return prune_all(value, [path])


def prune_all(value: Any, paths: Iterable[Path]) -> Any:
    """The project without the entries at all these paths, each container copied once."""
    below: dict[str | int, list[Path]] = {}
    for path in paths:
        if not path:
            return Map()
        below.setdefault(path[0], []).append(path[1:])
    if isinstance(value, Map):
        return _prune_map(value, below)
    return _prune_seq(value, below) if isinstance(value, Seq) else value


def _prune_map(value: Map, below: dict[str | int, list[Path]]) -> Map:
    out = value.copy()
    for part, rest in below.items():
        key = str(part)
        if key in out and () in rest:
            out.drop(key)
        elif key in out:
            out[key] = prune_all(out[key], rest)
    return out


def _prune_seq(value: Seq, below: dict[str | int, list[Path]]) -> Seq:
    out = Seq()
    for index, (item, mark) in enumerate(value.entries()):
        rest = below.get(index, [])
        if () not in rest:
            out.add(prune_all(item, rest) if rest else item, mark)
    return out
