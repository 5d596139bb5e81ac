"""Where the compiler of TypeScript puts what it makes, as `tsconfig.json` and its like tell it.

Follows https://www.typescriptlang.org/tsconfig/#outDir. The text is searched, not parsed, as it may hold comments; what
a configuration takes from the one that it extends isn't followed.
"""

from __future__ import annotations

import posixpath

from auditlib.inventory.code import CompilerOutput
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_NAME = regex(r"(?:^|/)tsconfig(?:[._-][\w.-]+)?\.json$")
_OUTPUT = regex(r"(?m)^(?P<before>[^\n]{0,200}?)\"outDir\"\s*:\s*\"(?P<path>[^\"\n]{1,200})\"")


def read(source: Source) -> Reading:
    """A CompilerOutput for each configuration that names a folder of its own."""
    reading = Reading()
    for path in source.files:
        if not _NAME.search(path):
            continue
        text = source.glance(path)
        named = (match for match in _OUTPUT.finditer(text) if "//" not in match["before"])
        match = next(named, None)
        if match and "$" not in match["path"]:
            folder = posixpath.dirname(path)
            output = posixpath.normpath(match["path"])
            if not output.startswith(("/", "..")) and output != ".":
                place = location_at(path, text, match.end("before"))
                reading.records.append(CompilerOutput(folder, output, place))
    return reading
