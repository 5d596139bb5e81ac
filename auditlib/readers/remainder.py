"""What no reader reported: files that can't be read, and the kinds of files that no reader knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from auditlib.model import Coverage, Read
from auditlib.source import Source

KIND_LIMIT = 100
"""Kinds of unknown files that get an entry of their own; what is rarer shares one."""


def remainder(source: Source, coverage: Iterable[Coverage]) -> Iterator[Coverage]:
    """A coverage entry for each unreadable file and for each kind of file that no reader looked at."""
    reported = {entry.file for entry in coverage}
    for file, error in source.unreadable.items():
        if file not in reported:
            yield Coverage(file, "file", Read.FAILED, error.reason, error.line)
    kinds = Counter(_kind(file) for file in source.files if file not in reported and file not in source.unreadable)
    for kind, count in sorted(kinds.most_common(KIND_LIMIT)):
        yield Coverage(".", "other", Read.SKIPPED, f"{_files(count)} of a format that no reader knows: {kind}")
    rest = sum(kinds.values()) - sum(count for _, count in kinds.most_common(KIND_LIMIT))
    if rest:
        yield Coverage(".", "other", Read.SKIPPED, f"{_files(rest)} of still other formats that no reader knows")


def _kind(file: str) -> str:
    path = PurePosixPath(file)
    return f"*{path.suffix}" if path.suffix else path.name


def _files(count: int) -> str:
    return f"{count} file{'s' * (count != 1)}"
