"""Which of a repository's Compose files are deployed together, as its own commands show it.

A base goes with its override unless a command for production starts other files with it, or an overlay without it. A
file belongs to one combination only: of several that begin with it, the start that tells most of production decides.
Where a folder has files for production, a guide on deployments that starts its base isn't speaking of production there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from posixpath import dirname, join, normpath

from msgspec import Struct

from auditlib.compose import Found
from auditlib.model import Location
from auditlib.readers.compose.starts import Start, are_for_production

FILE_LIMIT = 20
"""Files of a combination that is resolved; more are there to take time."""
_PLACE_LIMIT = 20


class Combination(Struct, frozen=True):
    """Files that are deployed together, and the commands that start them."""

    files: tuple[str, ...]
    started_at: tuple[Location, ...]


def combinations(found: Iterable[Found], starts: Iterable[Start]) -> dict[str, Combination]:
    """By its first file each combination that is deployed."""
    usual = {item.directory: item.files for item in found if item.role == "base"}
    known = {file for item in found for file in item.files}
    chosen: dict[str, tuple[str, ...]] = {}
    added: set[str] = set()
    places: dict[str, list[Location]] = {}
    given = list(starts)
    occupied = {
        dirname(files[0])
        for start in given
        if (files := _files(start, usual, known)) and not start.implied and are_for_production(files)
    }
    for start in given:
        first, *others = _files(start, usual, known) or ("",)
        if not first or first in added or (first not in chosen and not chosen.keys().isdisjoint(others)):
            continue
        if start.implied and dirname(first) in occupied:
            continue
        if chosen.setdefault(first, (first, *others)) == (first, *others):
            added.update(others)
            places.setdefault(first, []).append(start.location)
    return {first: Combination(files, tuple(places[first][:_PLACE_LIMIT])) for first, files in chosen.items()}


def _files(start: Start, usual: Mapping[str, tuple[str, ...]], known: set[str]) -> tuple[str, ...]:
    """What a command starts, if all of it is there, in the likeliest folder that has it."""
    for folder in start.folders:
        files = tuple(normpath(join(folder, file)) for file in start.files) or usual.get(folder, ())
        if files and known.issuperset(files):
            return files
    return ()
