"""Reads what the configuration of PHP allows a request: bodies, uploads, time.

Follows https://www.php.net/manual/en/ini.core.php and
https://www.php.net/manual/en/install.fpm.configuration.php. Read are `*.ini` files, pools of PHP-FPM, and the lines
that Dockerfiles write.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlib.inventory.configuration import PhpLimit
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import reading, selection
from auditlib.source import Source

KIND = "PHP settings"
_LINE = regex(
    r"(?:^|[\s\"'\[])(?P<name>upload_max_filesize|post_max_size|max_execution_time)\]?\s*=\s*(?P<number>\d{1,10})\s*"
    r"(?P<unit>[kmgKMG]?)"
)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def read(source: Source) -> reading.Reading:
    """Every limit that a file sets, with its amount in bytes or seconds."""
    patterns = ("*.ini", "/**/php*/**/*.conf", "*fpm*.conf", "www.conf", "Dockerfile", "Dockerfile.*", "*.Dockerfile")
    found = selection.containing(source, patterns, "upload_max_filesize", "post_max_size", "max_execution_time")
    return reading.each(source, found, KIND, _read)


def _read(source: Source, file: str) -> Iterator[Any]:
    for number, line in enumerate(source.lines(file), 1):
        text = line[:1_000]
        if not text.lstrip().startswith((";", "#")):
            for match in _LINE.finditer(text):
                amount = int(match["number"]) * _UNITS[match["unit"].lower()]
                yield PhpLimit(match["name"], amount, Location(file, number))
