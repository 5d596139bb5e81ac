"""Entries of a project by their key path: where one stands, and the project without it."""

from __future__ import annotations

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
    if not path:
        return Map()
    key, rest = path[0], path[1:]
    if isinstance(value, Map) and key in value:
        out = value.copy()
        if rest:
            out[str(key)] = prune(value[str(key)], rest)
        else:
            out.drop(str(key))
        return out
    if isinstance(value, Seq) and isinstance(key, int) and key < len(value):
        items = value.copy()
        if rest:
            items[key] = prune(value[key], rest)
        else:
            items[key] = None
            del items[key], items.marks[key]
        return items
    return value
