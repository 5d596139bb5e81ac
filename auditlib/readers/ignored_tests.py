"""Tests of Rust that are left out unless they are asked for.

Follows https://doc.rust-lang.org/reference/attributes/testing.html#the-ignore-attribute.
"""

from __future__ import annotations

import re

from auditlib.inventory.code import IgnoredTest
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source, Unreadable

_IGNORED = regex(r"^[ \t]*#\[ignore(?:\s*=\s*\"[^\"\n]*\")?\]", re.M)


def read(source: Source) -> Reading:
    """An IgnoredTest for each attribute."""
    reading = Reading()
    for path in source.files:
        if path.endswith(".rs"):
            try:
                text = source.text(path)
            except Unreadable:
                continue  # reported with the kind of file that it is
            for match in _IGNORED.finditer(text) if "#[ignore" in text else ():
                reading.records.append(IgnoredTest(location_at(path, text, match.start())))
    return reading
