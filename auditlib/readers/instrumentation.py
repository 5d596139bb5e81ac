"""Code that names a client library of Prometheus; a library that is only installed gives no metrics.

In such code also the labels that take the path of a request as it came.

Sources: the documentation of each library. Read only where a manifest lists one of them.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from auditlib.inventory.monitoring import CLIENT_LIBRARIES, MULTIPROCESS, Instrumentation, RawPathLabel
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import own_metrics
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_MANIFEST = regex(r"requirements[\w.-]*\.(?:txt|in)|pyproject\.toml|Pipfile|setup\.(?:py|cfg)|package\.json|go\.mod")
_SUFFIXES = frozenset({".py", ".js", ".ts", ".mjs", ".cjs", ".go"})
_LIBRARY = regex("|".join(re.escape(word) for word in dict.fromkeys(CLIENT_LIBRARIES.values())))
_SHARED = regex(r"multiprocess|multiproc_dir", re.I)
_LISTED = regex("|".join(map(re.escape, CLIENT_LIBRARIES)), re.I)

_RAW = r"(?:request\.url\.path|request\.path|req\.path|req\.originalUrl|req\.url)\b(?!\.|\()"
"""The path as the client wrote it, in FastAPI, Flask, Django and Express."""
_ASSIGNED = regex(
    r"^[ \t]*(?:const |let |var )?(?P<name>\w+)(?:: ?\w+)?\s*=\s*"
    rf"(?:[\w.?]+ (?:\|\||\?\?) )?(?P<raw>{_RAW})[ \t]*;?[ \t]*$",
    re.M,
)
_OR_RAW = regex(
    r"^[ \t]*(?:const |let |var )?(?P<name>\w+)(?:: ?\w+)?\s*=\s*"
    rf"\w+\.route\s*\?(?!\.)\s*[^:;\n]{{1,120}}:\s*(?P<raw>{_RAW})[ \t]*;?[ \t]*$",
    re.M,
)
"""What Express knows no route of goes by its path (`req.route ? req.route.path : req.path`)."""
_IN_CALL = regex(rf"\.(?:labels|inc|observe)\([^()\n]{{0,200}}?(?P<raw>{_RAW})")


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
            if _LIBRARY.search(text) or "metrics" in text:
                reading.records += _raw_labels(str(path), text)
            if "prom" in text:
                reading.records += own_metrics.of(str(path), text)
    return reading


def _raw_labels(path: str, text: str) -> list[RawPathLabel]:
    """The first label of a file that takes the raw path: in the call itself, or by a name that nothing else sets."""
    found = [(match.start("raw"), match["raw"]) for match in _IN_CALL.finditer(text)]
    assigned = (match for pattern in (_ASSIGNED, _OR_RAW) for match in pattern.finditer(text))
    found += [(match.start("raw"), match["raw"]) for match in assigned if _is_label(match["name"], text)]
    return [RawPathLabel(raw, location_at(path, text, start)) for start, raw in sorted(found)[:1]]


def _is_label(name: str, text: str) -> bool:
    """Whether a name is assigned once and stands in a call that counts, or in an object that is given to one."""
    word = re.escape(name)
    once = len(re.findall(rf"(?<![.\w]){word}(?:: ?\w+)?\s*=(?![=>])", text)) == 1
    counted = re.search(rf"\.(?:labels|inc|observe)\([^()]{{0,200}}(?<![.\w]){word}\b(?!\s*=)", text)
    handed = re.search(rf"labels\s*=\s*\{{[^{{}}]{{0,200}}(?<![.\w]){word}\b", text)
    return once and bool(counted or handed)
