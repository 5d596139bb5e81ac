"""The containers that every stage works on: plain dictionaries and lists that also know where each entry came from.

A *mark* is the origin of one entry. Most marks are a plain integer (file, first and last character, packed), so that
a file of a hundred thousand entries stays cheap; a `Trace` is a mark that has replaced others in a merge.
Containers are never changed once a stage has handed them on: a stage that changes something copies what it changes,
so YAML aliases may share containers freely.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

_BITS = 32
_LOW = (1 << _BITS) - 1
_REMEMBERED = 100


class Trace(Struct, frozen=True):
    """A mark that won over others; `lost` are theirs, oldest first."""

    at: int
    lost: tuple[int, ...]


Mark = int | Trace | None
"""Where an entry stands; `None` for what stands in no file."""


def pack(file: int, start: int, end: int) -> int:
    """A mark for the characters from `start` up to `end` of the file with that number."""
    return (file << 2 * _BITS) | (start << _BITS) | end


def unpack(mark: int) -> tuple[int, int, int]:
    """The file number, the first character and the one after the last."""
    return mark >> 2 * _BITS, (mark >> _BITS) & _LOW, mark & _LOW


def at(mark: Mark) -> int | None:
    """The place that counts, without its history."""
    return mark.at if isinstance(mark, Trace) else mark


def lost(mark: Mark) -> tuple[int, ...]:
    """The places that lost to this one, oldest first."""
    return mark.lost if isinstance(mark, Trace) else ()


def over(winner: Mark, loser: Mark) -> Mark:
    """The mark of a value that replaces another."""
    new, old = at(winner), at(loser)
    if new is None or old is None or new == old:
        return winner
    return Trace(new, (*lost(loser)[:_REMEMBERED], old, *(m for m in lost(winner) if m != old)))


class Map(dict[str, Any]):
    """A mapping with the origin of each entry. Keys are unique strings, values are scalars, `Map` or `Seq`."""

    __slots__ = ("marks",)

    def __init__(self, values: dict[str, Any] | None = None, marks: dict[str, Mark] | None = None) -> None:
        super().__init__(values or {})
        self.marks: dict[str, Mark] = marks if marks is not None else {}

    @classmethod
    def all_at(cls, mark: Mark, values: dict[str, Any]) -> Map:
        """A mapping all of whose entries come from one place, as when a short syntax is spelled out."""
        return cls(values, dict.fromkeys(values, mark))

    def copy(self) -> Map:
        """A copy that may be changed without the original noticing; the values are shared."""
        return Map(self, dict(self.marks))

    def put(self, key: str, value: Any, mark: Mark) -> None:
        """Set an entry and its origin."""
        self[key] = value
        self.marks[key] = mark

    def drop(self, key: str) -> None:
        """Remove an entry if it is there."""
        self.pop(key, None)
        self.marks.pop(key, None)


class Seq(list[Any]):
    """A list with the origin of each item."""

    __slots__ = ("marks",)

    def __init__(self, values: list[Any] | tuple[Any, ...] = (), marks: list[Mark] | None = None) -> None:
        super().__init__(values)
        self.marks: list[Mark] = marks if marks is not None else [None] * len(values)

    def copy(self) -> Seq:
        """A copy that may be changed without the original noticing; the items are shared."""
        return Seq(self, list(self.marks))

    def add(self, value: Any, mark: Mark) -> None:
        """Append an item with its origin."""
        self.append(value)
        self.marks.append(mark)

    def entries(self) -> zip[tuple[Any, Mark]]:
        """The items with their origins."""
        return zip(self, self.marks, strict=True)
