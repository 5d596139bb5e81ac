"""Log files that programs of Node and Java write without ever beginning a new one.

Sources: https://github.com/winstonjs/winston/blob/master/docs/transports.md#file-transport (without `maxsize` a file
grows for ever), https://logback.qos.ch/manual/appenders.html#FileAppender and
https://logging.apache.org/log4j/2.x/manual/appenders/file.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from auditlib.inventory.configuration import UnrotatedLog
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_CODE = frozenset({".js", ".ts", ".mjs", ".cjs"})
_WINSTON = regex(r"new (?:\w+\.)?(?:transports\.)File\(\s*\{(?P<options>[^{}]{0,600})\}")
_LIMITED = regex(r"\bmaxsize\b|\.\.\.")
"""A limit, or options that are spread in from elsewhere."""
_CONFIGURATION = regex(r"(?:logback|log4j2?)[\w.-]*\.xml")
_APPENDER = regex(r"class=\"ch\.qos\.logback\.core\.FileAppender\"|<File\s[^<>]{0,300}\bfileName=")


def read(source: Source) -> Reading:
    """An UnrotatedLog for each such transport or appender."""
    reading = Reading()
    for name in source.files:
        path = PurePosixPath(name)
        if path.suffix in _CODE:
            reading.records += _transports(name, source.glance(name))
        elif _CONFIGURATION.fullmatch(path.name):
            text = source.glance(name)
            reading.records += [_found(name, text, item.start(), "FileAppender") for item in _APPENDER.finditer(text)]
    return reading


def _transports(file: str, text: str) -> Iterator[UnrotatedLog]:
    if "winston" not in text:
        return
    for match in _WINSTON.finditer(text):
        if not _LIMITED.search(match["options"]):
            yield _found(file, text, match.start(), "winston.transports.File")


def _found(file: str, text: str, start: int, handler: str) -> UnrotatedLog:
    return UnrotatedLog(location_at(file, text, start), handler)
