"""Numbers that shell scripts take where nobody sets a variable: `DAYS=${DAYS:-7}`, `: "${DAYS:=7}"`.

Follows https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html (2.6.2).
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.code import ScriptDefault
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

_DEFAULT = regex(
    r"^[ \t]*(?:(?:export|readonly)[ \t]+)?(?:(?P<name>[A-Z][A-Z0-9_]{1,80})=\"?\$\{(?P=name):?-(?P<value>\d{1,9})\}|"
    r":[ \t]+\"?\$\{(?P<given>[A-Z][A-Z0-9_]{1,80}):?=(?P<number>\d{1,9})\})\"?[ \t]*(?:#.*)?$"
)


def read(source: Source) -> Reading:
    """A record for each. It reports no coverage: scripts belong to another reader."""
    scripts = [path for path in source.files if path.endswith((".sh", ".bash"))]
    return Reading([item for path in scripts for item in _read(path, source.glance(path))])


def _read(path: str, text: str) -> Iterator[ScriptDefault]:
    for number, line in enumerate(text.split("\n"), 1) if "${" in text else ():
        if match := _DEFAULT.match(line[:300]):
            name, value = match["name"] or match["given"], match["value"] or match["number"]
            yield ScriptDefault(name, value, Location(path, number))
