"""The configuration files of Redis and Valkey: what they write to disk.

Follows https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/: without `save` there are snapshots,
`save ""` turns them off, and `appendonly yes` writes a log.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.stack import RedisFile
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, each
from auditlib.source import Source

KIND = "redis"
_PATTERNS = ("*redis*.conf", "*valkey*.conf", "/**/redis/*.conf", "/**/valkey/*.conf")
_DIRECTIVE = regex(r"(?im)^[ \t]*(?P<name>appendonly|save|include|port|bind|maxmemory)[ \t]+(?P<value>[^\n#]*)")


def read(source: Source) -> Reading:
    """Every such file that by its directives configures a server and includes no other."""
    return each(source, source.matching(*_PATTERNS), KIND, _read)


def _read(source: Source, path: str) -> Iterator[RedisFile]:
    said = [(match["name"].lower(), match["value"].strip()) for match in _DIRECTIVE.finditer(source.text(path))]
    names = {name for name, _ in said}
    if names and "include" not in names:
        saves = [value.strip("\"' ") for name, value in said if name == "save"]
        appends = [value.strip("\"'").lower() for name, value in said if name == "appendonly"]
        log = appends[-1:] == ["yes"]
        mode = "log" if log else "off" if saves and not saves[-1] else "snapshots"
        yield RedisFile(path, mode, Location(path))
