"""Secrets that constants of code hold under their names, in languages other than Python: `const signingKey = "…"`.

What a person made up reads as words, and keys that every visitor gets have other names; both are silent here. Python
has a reader of its own, which knows its frameworks.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import islice

from auditlib.inventory.configuration import FixedSecret
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.readers.script_secrets import is_random
from auditlib.source import Source

FILE_LIMIT = 10
_ENDINGS = frozenset(
    {".go", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".java", ".kt", ".cs", ".php", ".rb", ".rs"}
)
_ELSEWHERE = regex(
    r"(?:^|/)(?:tests?|__tests__|specs?|e2e|testdata|fixtures|mocks?|examples?|docs?|vendor|node_modules|dist|build|seeds?)/|"
    r"(?:_test|[._-](?:test|spec|mock|min|d|pb|generated))\.\w+$|Tests?\.\w+$"
)
_NAME = (
    r"(?P<name>[A-Za-z_]{0,40}(?:[sS]ecret|SECRET|[pP]assword|PASSWORD|[pP]assphrase|PASSPHRASE|"
    r"(?:[sS]igning|[eE]ncryption|[pP]rivate|[sS]ecret|[mM]aster|[hH]mac|[jJ]wt)_?[kK]ey|"
    r"(?:SIGNING|ENCRYPTION|PRIVATE|SECRET|MASTER|HMAC|JWT)_KEY))"
)
_CONSTANT = regex(
    rf"^[ \t]*(?:(?:export|public|private|protected|internal|static|final|readonly|pub|const|let|var|val|String|string)"
    rf"[ \t]+){{0,5}}\$?{_NAME}[ \t]*(?::[ \t]*(?:&(?:'static[ \t]+)?str|[sS]tring)|[ \t]string)?[ \t]*:?=[ \t]*"
    rf"(?P<quote>[\"'`])(?P<value>[^\"'`\s\\$]{{16,200}})(?P=quote)",
    re.M,
)
_CALL = regex(
    r"\b(?:[Rr]equire|[Ss]et|[Ww]ith|[Uu]se|[Cc]heck|[Nn]ew|[Vv]erify)?"
    r"(?P<name>[A-Za-z]{0,40}(?:[tT]oken|[sS]ecret|[pP]assword|[aA]piKey|APIKey|[sS]igningKey))\(\s*(?P<quote>[\"'])"
    r"(?P<value>(?!eyJ)[^\"'`\s\\$]{24,200})(?P=quote)\s*\)"
)
"""A function that is given the secret that its name tells of: `RequireInternalToken("…")`."""
_OF_PAGES = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")
"""What may run in browsers, where functions are given tokens that every visitor gets (`setAccessToken("pk.…")`)."""
_COMMENT = regex(r"\s*(?://|#|\*|/\*)")
_BETWEEN = regex(r"(?<=[a-z0-9])(?=[A-Z])")


def read(source: Source) -> Reading:
    """The named secrets of every file of code. It reports no coverage: a file belongs to its language's reader."""
    reading = Reading()
    for path in source.files:
        if posixpath.splitext(path)[1] in _ENDINGS and not _ELSEWHERE.search(path):
            reading.records += islice(_read(source, path), FILE_LIMIT)
    return reading


def _read(source: Source, path: str) -> Iterator[FixedSecret]:
    text = source.glance(path)
    calls = () if path.endswith(_OF_PAGES) else _CALL.finditer(text)
    for match in (*_CONSTANT.finditer(text), *calls):
        begin = text.rfind("\n", 0, match.start("name")) + 1
        if is_random(match["value"]) and not _COMMENT.match(text, begin):
            value = source.vault.value("password", match["value"])
            line = text.count("\n", 0, begin) + 1
            name = _BETWEEN.sub("_", match["name"]).upper()  # as the variable is called that takes its place
            yield FixedSecret(name, value, Location(path, line, match.start("name") - begin + 1))
