"""What code of an Express application does that goes wrong behind a proxy that it doesn't know of.

Follows https://expressjs.com/en/guide/behind-proxies.html, https://github.com/express-rate-limit/express-rate-limit and
https://github.com/expressjs/session#cookiesecure. Read only where a package.json lists express.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib.inventory.configuration import ExpressFile
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_LISTED = regex(r'"express"\s*:')
_SUFFIXES = frozenset({".js", ".ts", ".mjs", ".cjs"})
_COMMENT = regex(r"^[ \t]*(?://|\*|/\*)[^\n]*", re.M)
_APPLICATION = regex(r"\bexpress\(\s*\)")
_TRUST = regex(
    r"""['"`]trust proxy['"`]|\btrustProxy\b|\btrust_proxy\b|\bproxy\s*:\s*true\b|\bX-Forwarded-For\b""", re.I
)
_LIMITER = regex(r"""['"]express-rate-limit['"]""")
_LIMIT = regex(r"\b(?:rateLimit|RateLimit|rateLimiter|limiter)\s*\(\s*\{")
_OWN_KEY = regex(r"\bkeyGenerator\b")
_SESSION = regex(r"""['"](?:express-session|cookie-session)['"]""")
_SECURE = regex(r"\bsecure\s*:\s*(?!\s*(?:false\b|['\"]auto['\"]))")


def read(source: Source) -> Reading:
    """A record for each thing of each file."""
    reading = Reading()
    manifests = [path for path in source.files if posixpath.basename(path) == "package.json"]
    if not any(_LISTED.search(source.glance(path)) for path in manifests):
        return reading
    for path in source.files:
        if posixpath.splitext(path)[1] in _SUFFIXES:
            reading.records += _found(path, source.glance(path))
    return reading


def _found(path: str, text: str) -> Iterator[ExpressFile]:
    code = _COMMENT.sub("", text)
    for kind, pattern in (("application", _APPLICATION), ("trust", _TRUST)):
        if match := pattern.search(code):
            yield ExpressFile(kind, _location(path, code, match))
    if _LIMITER.search(code) and not _OWN_KEY.search(code) and (match := _LIMIT.search(code)):
        yield ExpressFile("limit", _location(path, code, match))
    if (session := _SESSION.search(code)) and (match := _SECURE.search(code, session.end())):
        yield ExpressFile("cookie", _location(path, code, match))


def _location(path: str, text: str, match: re.Match[str]) -> Location:
    return location_at(path, text, match.start())
