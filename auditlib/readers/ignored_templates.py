"""Templates of environment files that Git would leave out, should somebody write one: `.env.*` means them too."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import pathspec

from auditlib.inventory.delivery import IgnoredTemplate
from auditlib.listing import ignore_spec
from auditlib.model import Location
from auditlib.readers.reading import Reading
from auditlib.source import Source

_NAME = ".env.example"


def read(source: Source) -> Reading:
    """A record for each folder with a Compose file, and for the root. It opens no more files."""
    found = source.matching(".gitignore")
    specs = {posixpath.dirname(file): ignore_spec(source.glance(file).splitlines()) for file in found}
    return Reading(list(_records(source, specs)) if specs else [])


def _records(source: Source, specs: dict[str, pathspec.GitIgnoreSpec]) -> Iterator[IgnoredTemplate]:
    composed = source.matching("*compose*.yml", "*compose*.yaml")
    for folder in sorted({"", *map(posixpath.dirname, composed)}):
        path = posixpath.join(folder, _NAME)
        by = "" if source.is_file(path) else _ignored_by(path, specs)
        if by:
            yield IgnoredTemplate(path, by, Location(by))


def _ignored_by(path: str, specs: dict[str, pathspec.GitIgnoreSpec]) -> str:
    """The deepest `.gitignore` that says anything of a path, if it leaves it out."""
    folder = posixpath.dirname(path)
    while True:
        if folder in specs:
            said = specs[folder].check_file(path[len(folder) + 1 :] if folder else path).include
            if said is not None:
                return posixpath.join(folder, ".gitignore") if said else ""
        if not folder:
            return ""
        folder = posixpath.dirname(folder)
