"""Reads what Prisma's schemas say of the client that is generated from them.

Follows https://www.prisma.io/docs/orm/reference/prisma-schema-reference#generator. The text is searched, not parsed.
"""

from __future__ import annotations

from auditlib.inventory.code import PrismaSchema
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_GENERATOR = regex(r"(?m)^generator\s+\w{1,60}\s*\{(?P<body>[^{}]{0,1000})\}")
_OF_CLIENT = regex(r"(?m)^\s*provider\s*=\s*\"prisma-client(?:-js)?\"")
_OUTPUT = regex(r"(?m)^\s*output\s*=\s*\"(?P<path>[^\"\n]{1,200})\"")


def read(source: Source) -> Reading:
    """A PrismaSchema for each schema that generates a client of JavaScript."""
    reading = Reading()
    for path in source.files:
        if not path.endswith(".prisma"):
            continue
        text = source.glance(path)
        for match in _GENERATOR.finditer(text):
            if _OF_CLIENT.search(match["body"]):
                output = _OUTPUT.search(match["body"])
                place = location_at(path, text, match.start())
                reading.records.append(PrismaSchema(output["path"] if output else "", place))
                break
    return reading
