"""Code that tells Alembic the address of its database.

Follows https://alembic.sqlalchemy.org/en/latest/api/config.html#alembic.config.Config.set_main_option: a `%` in the
value is to be doubled, as the configuration is one of Python's `configparser`.
"""

from __future__ import annotations

from auditlib.inventory.code import MigrationAddress
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source, Unreadable

_SETS = regex(r"\bset_main_option\(\s*(['\"])sqlalchemy\.url\1,\s*(?P<source>[^\n]{1,200})")
_DOUBLES = regex(r"['\"]%%['\"]")
_LITERAL = regex(r"['\"][^'\"{}]*['\"]\s*\)?$")


def read(source: Source) -> Reading:
    """The first such call of each `env.py` that doubles no `%`, where the address is no text of the code itself."""
    reading = Reading()
    for path in source.files:
        if path.rpartition("/")[2] != "env.py":
            continue
        try:
            text = source.text(path)
        except Unreadable:
            continue  # reported with the kind of file that it is
        match = _SETS.search(text)
        if match and not _DOUBLES.search(text) and not _LITERAL.match(match["source"]):
            reading.records.append(MigrationAddress(location_at(path, text, match.start())))
    return reading
