"""Which files Git tracks: one that was committed before it was ignored is part of the repository all the same.

Follows https://git-scm.com/docs/index-format, versions 2 to 4. Git itself is never called: a repository's configuration
can name programs that it would start.
"""

from __future__ import annotations

from collections.abc import Iterator

_HEADER = 12
_FIXED = 62
"""Bytes of an entry before its name: times, mode, owner, size, a hash of 20 bytes, flags."""
_EXTENDED = 0x4000
_SHORT = 4


def tracked(index: bytes) -> frozenset[str] | None:
    """The paths in an index; None if there is none, or if it can't be understood, as with hashes of 32 bytes."""
    version = int.from_bytes(index[4:8])
    if index[:4] != b"DIRC" or version not in (2, 3, 4):
        return None
    try:
        paths = frozenset(_paths(index, version, int.from_bytes(index[8:12])))
    except (ValueError, IndexError):  # cut short, no UTF-8, or another format
        return None
    return None if any(path.startswith("/") or ".." in path.split("/") for path in paths) else paths


def _paths(index: bytes, version: int, count: int) -> Iterator[str]:
    position, name = _HEADER, b""
    for _ in range(count):
        start = position
        flags = int.from_bytes(index[start + _FIXED - 2 : start + _FIXED])
        position += _FIXED + (2 if flags & _EXTENDED else 0)
        kept = 0
        if version == _SHORT:
            dropped, position = _offset(index, position)
            kept = len(name) - dropped
        end = index.index(b"\0", position)
        name = name[: max(kept, 0)] + index[position:end]
        if not name or min(len(name), 0xFFF) != flags & 0xFFF:
            raise ValueError("an entry's length is not that of its name")
        position = end + 1 if version == _SHORT else start + (end - start + 8) // 8 * 8
        yield name.decode()


def _offset(index: bytes, position: int) -> tuple[int, int]:
    """How many bytes of the name before are dropped, as a number of variable length, and where the name begins."""
    value = index[position] & 0x7F
    while index[position] & 0x80:
        position += 1
        value = (value + 1 << 7) | (index[position] & 0x7F)
    return value, position + 1
