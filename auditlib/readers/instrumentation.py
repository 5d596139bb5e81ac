"""Code that names a client library of Prometheus; a library that is only installed gives no metrics.

Sources: the documentation of each library. Read only where a manifest lists one of them.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from auditlib.inventory.monitoring import CLIENT_LIBRARIES, MULTIPROCESS, Instrumentation
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

_MANIFEST = regex(r"requirements[\w.-]*\.(?:txt|in)|pyproject\.toml|Pipfile|setup\.(?:py|cfg)|package\.json")
_SUFFIXES = frozenset({".py", ".js", ".ts", ".mjs", ".cjs"})
_LIBRARY = regex("|".join(re.escape(word) for word in dict.fromkeys(CLIENT_LIBRARIES.values())))
_SHARED = regex(r"multiprocess|multiproc_dir", re.I)
_LISTED = regex("|".join(map(re.escape, CLIENT_LIBRARIES)), re.I)


def read(source: Source) -> Reading:
    """An Instrumentation for each file of code and each library that it names."""
    reading = Reading()
    paths = [PurePosixPath(path) for path in source.files]
    manifests = [path for path in paths if _MANIFEST.fullmatch(path.name)]
    if not any(_LISTED.search(source.glance(str(path)).replace("_", "-")) for path in manifests):
        return reading
    for path in paths:
        if path.suffix in _SUFFIXES:
            text = source.glance(str(path))
            for name in dict.fromkeys(match[0] for match in _LIBRARY.finditer(text)):
                line = text.count("\n", 0, text.index(name)) + 1
                reading.records.append(Instrumentation(name, Location(str(path), line)))
            if _SHARED.search(text):
                reading.records.append(Instrumentation(MULTIPROCESS, Location(str(path))))
    return reading
