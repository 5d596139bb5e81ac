"""The programs that code starts by a name that stands in it, in Python, JavaScript and Go.

Follows https://docs.python.org/3/library/subprocess.html, https://nodejs.org/api/child_process.html and
https://pkg.go.dev/os/exec. A file that asks whether the program is there (`shutil.which`) gives none.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib.inventory.code import ProgramCall
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.readers.settings import is_test
from auditlib.source import Source

_NAME = r"[\"'](?P<name>[a-z][\w.+-]{1,30})[\"']"
_LIST = r"[\"'](?P<listed>[a-z][\w.+-]{1,30})[\"']"
_JAVASCRIPT = regex(rf"\b(?:spawn|spawnSync|execFile|execFileSync)\(\s*{_NAME}")
_CALLS = {
    ".py": (
        "subprocess",
        regex(
            rf"(?:\b(?:run|Popen|call|check_call|check_output)\(|\b(?:cmd|command|args)\s*=)\s*\[\s*{_LIST}|"
            rf"create_subprocess_exec\(\s*{_NAME}"
        ),
    ),
    ".js": ("child_process", _JAVASCRIPT),
    ".ts": ("child_process", _JAVASCRIPT),
    ".go": ('"os/exec"', regex(rf"\bexec\.Command(?:Context)?\((?:\w+,\s*)?{_NAME}")),
}
"""By the ending of code what shows that it starts programs, and how."""
_ASKS = regex(r"\bwhich\(|LookPath\(|FileNotFoundError|ENOENT")
_COMMENT = regex(r"(?m)^[ \t]*(?:#|//|\*)[^\n]*")


def read(source: Source) -> Reading:
    """A record for each program of each file, at its first place."""
    reading = Reading()
    for path in source.files:
        ending = posixpath.splitext(path)[1]
        text = source.glance(path) if ending in _CALLS else ""
        if text and _CALLS[ending][0] in text and not is_test(path) and not _ASKS.search(text):
            reading.records += _calls(path, _COMMENT.sub("", text), _CALLS[ending][1])
    return reading


def _calls(path: str, text: str, pattern: re.Pattern[str]) -> Iterator[ProgramCall]:
    told: set[str] = set()
    for match in pattern.finditer(text):
        name = next(filter(None, match.groupdict().values()))
        if name not in told:
            told.add(name)
            yield ProgramCall(name, location_at(path, text, match.start()))
