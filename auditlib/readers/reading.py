"""What a reader answers: records, and how far it got with each file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct, field

from auditlib.model import Coverage, Location, Read
from auditlib.source import Source, Unreadable

_REPEATED_LIMIT = 20
"""Repeated keys that are named for one file; a generator may write ten thousand."""


class Reading(Struct):
    """The answer of one reader. `records` are of the types that `Inventory` has fields for."""

    records: list[Any] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)

    def parsed(self, file: str, kind: str) -> None:
        """Note that all of a file was understood."""
        self.coverage.append(Coverage(file, kind, Read.PARSED))

    def partial(self, file: str, kind: str, reason: str, line: int = 1) -> None:
        """Note that a part of a file was not understood, and why."""
        self.coverage.append(Coverage(file, kind, Read.PARTIAL, reason, line))

    def failed(self, file: str, kind: str, reason: str, line: int = 1) -> None:
        """Note that nothing of a file was understood, and why."""
        self.coverage.append(Coverage(file, kind, Read.FAILED, reason, line))


def each(source: Source, files: Iterable[str], kind: str, read: Callable[[Source, str], Iterator[Any]]) -> Reading:
    """Read files one by one: the records of each, or a coverage entry with the reason.

    `read` yields records; it may also yield `Coverage` for a part that it can't understand, which makes the file a
    partly read one. `Unreadable` makes it a failed one; what was yielded before stays.
    """
    reading = Reading()
    for file in files:
        before = len(reading.coverage)
        source.repeated_keys.pop(file, None)  # what was noted when another reader looked at the file
        try:
            for record in read(source, file):
                (reading.coverage if isinstance(record, Coverage) else reading.records).append(record)
        except Unreadable as error:
            reading.failed(file, kind, error.reason, error.line)
        for key, line in source.repeated_keys.pop(file, [])[:_REPEATED_LIMIT]:
            reading.partial(file, kind, f"key {key} stands twice (line {line})", line)
        if len(reading.coverage) == before:
            reading.parsed(file, kind)
    return reading


def location_at(file: str, text: str, offset: int) -> Location:
    """The line in which a character of a file's text stands."""
    return Location(file, text.count("\n", 0, offset) + 1)
