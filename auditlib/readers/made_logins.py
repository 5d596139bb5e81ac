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
_CODE = (".py", ".go", ".js", ".mjs", ".cjs", ".ts", ".java", ".kt", ".php", ".cs", ".rs", ".tf")
_MAKES = regex(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:user|role|database)\b|\bcreate(?:user|db)\b|\bgrant\s.{0,200}\sto\b", re.I
)

_BY_CODE = regex(r"\bcreate[ _]?database(?:_?if_?not_?exists?)?\b", re.I)
"""In the code of a program also the functions of libraries that are called so."""
_WORD_OF_CODE = ("atabase", "ataBase", "ATABASE")
"""Code without any of them isn't searched: most of it."""


def read(source: Source) -> Reading:
    """The first such statement of each script. It reports no coverage: a file belongs to its format's reader."""
    reading = Reading()
    for path in source.files:
        wanted = _MAKES if path.endswith(_ENDINGS) else _BY_CODE if path.endswith(_CODE) else None
        text = source.glance(path) if wanted else ""
        if wanted is _BY_CODE and not any(word in text for word in _WORD_OF_CODE):
            continue
        if wanted and (match := wanted.search(text)):
            reading.records.append(MadeLogin(location_at(path, text, match.start())))
    return reading
