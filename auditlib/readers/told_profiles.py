"""The profiles of Compose that files activate or tell of: scripts, task runners, pipelines, editors, documents.

Follows https://docs.docker.com/compose/how-tos/profiles/#start-specific-profiles. It reports no coverage.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.stack import ToldProfile
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_NAMED = regex(r"--profile(?:[= ]|[\"'],?\s{0,20})[\"']?(?P<name>[\w.*-]{1,60}|[${])")
_LISTED = regex(r"COMPOSE_PROFILES[\"']?\]?\s?[:=]\s?[\"']?(?P<names>[\w.*,-]{1,200}|[${])")


def read(source: Source) -> Reading:
    """A ToldProfile for each profile that a file names in a call of Compose, or by COMPOSE_PROFILES."""
    reading = Reading()
    for file in source.files:
        text = source.glance(file)
        if ("--profile" in text and "ompose" in text) or "COMPOSE_PROFILES" in text:
            reading.records += _of(file, text)
    return reading


def _of(file: str, text: str) -> Iterator[ToldProfile]:
    for match in _NAMED.finditer(text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if match["name"] not in "${" or "ompose" in line:  # another program may have profiles, too
            yield ToldProfile("*" if match["name"] in "${" else match["name"], location_at(file, text, match.start()))
    for match in _LISTED.finditer(text):
        for name in match["names"].split(","):
            yield ToldProfile("*" if name in "${" else name, location_at(file, text, match.start()))
