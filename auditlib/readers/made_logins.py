"""Users and databases that scripts for a database make (https://www.postgresql.org/docs/current/sql-createrole.html,
https://dev.mysql.com/doc/refman/8.4/en/create-user.html).
"""

from __future__ import annotations

import re

from auditlib.inventory.configuration import MadeLogin
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_ENDINGS = (".sql", ".sh")
_MAKES = regex(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:user|role|database)\b|\bcreate(?:user|db)\b|\bgrant\s.{0,200}\sto\b", re.I
)


def read(source: Source) -> Reading:
    """The first such statement of each script. It reports no coverage: a file belongs to its format's reader."""
    reading = Reading()
    for path in source.files:
        text = source.glance(path) if path.endswith(_ENDINGS) else ""
        if match := _MAKES.search(text):
            reading.records.append(MadeLogin(location_at(path, text, match.start())))
    return reading
