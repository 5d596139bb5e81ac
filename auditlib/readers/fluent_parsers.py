"""The parsers that Fluent Bit's classic configurations name, apart from those that are defined.

Follows https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/classic-mode/configuration-file. It
reports no coverage.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator

from auditlib.inventory.logs import UnknownParser
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

_SECTION = regex(r"^[ \t]*\[(?P<name>[A-Z_]+)\]", re.I)
_NAMED = regex(r"^[ \t]*Parser(?:_Firstline|_\d)?[ \t]+(?P<name>[\w.-]+)", re.I)
_FILE = regex(r"^[ \t]*Parsers?_File[ \t]+(?P<path>\S+)", re.I)
_NAME = regex(r"^[ \t]*Name[ \t]+(?P<name>[\w.-]+)", re.I)
_INCLUDE = regex(r"^[ \t]*@INCLUDE[ \t]+(\S{1,300})", re.M | re.I)
_SIGN = regex(r"^[ \t]*\[(?:INPUT|FILTER)\]", re.M | re.I)


def read(source: Source) -> Reading:
    """The parsers that each configuration names though it has none."""
    reading = Reading()
    texts = {file: source.glance(file) for file in source.matching("*.conf")}
    included = [path for text in texts.values() for path in _INCLUDE.findall(text)]
    for file, text in texts.items():
        name = posixpath.basename(file)
        taken = any(fnmatch.fnmatch(name, posixpath.basename(path)) for path in included)
        if not taken and "arser" in text and _SIGN.search(text):
            reading.records += _of(file, text)
    return reading


def _defined(text: str) -> Iterator[str]:
    section = ""
    for line in text.split("\n"):
        if match := _SECTION.match(line[:200]):
            section = match["name"].upper()
        elif section == "PARSER" and (match := _NAME.match(line[:200])):
            yield match["name"]


def _of(file: str, text: str) -> Iterator[UnknownParser]:
    """The parsers of a configuration that reads no file of them, includes none and defines none itself."""
    lines = [line[:500] for line in text.split("\n")]
    if any(_FILE.match(line) for line in lines) or "@INCLUDE" in text.upper():
        return
    own, section = set(_defined(text)), ""
    for number, line in enumerate(lines, 1):
        if match := _SECTION.match(line):
            section = match["name"].upper()
        elif section in ("INPUT", "FILTER") and (match := _NAMED.match(line)) and match["name"] not in own:
            yield UnknownParser(file, match["name"], Location(file, number))
