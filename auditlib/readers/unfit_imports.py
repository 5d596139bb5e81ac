"""Imports of Python whose module is in the repository under a name with a hyphen, which no import can name.

Follows https://docs.python.org/3/reference/simple_stmts.html#import.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from auditlib.inventory.code import UnfitImport
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source, Unreadable

_IMPORT = regex(r"^(?:from|import)[ \t]+(?P<module>\w+)\b", re.M)
_LOADS = regex(r"\bimportlib\b|\bsys\.modules\b|\brunpy\b")


def read(source: Source) -> Reading:
    """An UnfitImport for each module that a file imports; a program that loads modules by other means is left out."""
    reading = Reading()
    python = [PurePosixPath(path) for path in source.files if path.endswith(".py")]
    known = {path.stem for path in python} | {part for path in python for part in path.parts[:-1]}
    unfit = {path.stem.replace("-", "_"): str(path) for path in python if "-" in path.stem}
    wanted = {module: file for module, file in unfit.items() if module not in known}
    loaded: set[str] = set()
    for path in map(str, python if wanted else ()):
        try:
            text = source.text(path)
        except Unreadable:
            continue  # reported with the kind of file that it is
        if _LOADS.search(text):
            loaded.update(module for module, file in wanted.items() if PurePosixPath(file).stem in text)
            continue
        for match in _IMPORT.finditer(text):
            if file := wanted.get(match["module"]):
                place = location_at(path, text, match.start())
                reading.records.append(UnfitImport(match["module"], file, place))
    reading.records = [item for item in reading.records if item.module not in loaded]
    return reading
