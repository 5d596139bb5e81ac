"""What no reader reported: files that can't be read, and the kinds of files that no reader knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from auditlib.model import Coverage, Read
from auditlib.phrases import counted
from auditlib.source import Source

KIND_LIMIT = 100
"""Kinds of unknown files that get an entry of their own; what is rarer shares one."""


def remainder(source: Source, coverage: Iterable[Coverage]) -> Iterator[Coverage]:
    """An entry for what the listing read, each unreadable file and each kind of file that no reader looked at."""
    heeded = [file for file in source.files if file.rpartition("/")[2] == ".gitignore"]
    yield from (Coverage(file, ".gitignore", Read.PARSED) for file in heeded)
    reported = {entry.file for entry in coverage}.union(heeded)
    known = frozenset(source.files)
    for file, error in source.unreadable.items():
        if file in known and file not in reported:
            yield Coverage(file, "file", Read.FAILED, error.reason, error.line)
    rest = [file for file in source.files if file not in reported and file not in source.unreadable]
    opened = frozenset(source.opened)
    yield from _counted((file for file in rest if file in opened), "without anything that the audit reads")
    yield from _counted((file for file in rest if file not in opened), "of a format that no reader knows")


def _counted(files: Iterable[str], what: str) -> Iterator[Coverage]:
    """One entry for each kind of file; the rarest kinds share one."""
    kinds = Counter(_kind(file) for file in files)
    shown = dict(kinds.most_common(KIND_LIMIT))
    for kind, count in sorted(shown.items()):
        yield Coverage(".", "other", Read.SKIPPED, f"{counted(count, 'file')} {what}: {kind}")
    if other := sum(kinds.values()) - sum(shown.values()):
        yield Coverage(".", "other", Read.SKIPPED, f"{counted(other, 'file')} {what}, of further kinds")


def _kind(file: str) -> str:
    path = PurePosixPath(file)
    return f"*{path.suffix}" if path.suffix else path.name
