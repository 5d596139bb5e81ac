"""Credentials that server code takes from the query of an address, and proxies whose logs hold that query.

Follows https://nginx.org/en/docs/http/ngx_http_log_module.html and https://caddyserver.com/docs/caddyfile/directives/log.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib import stages
from auditlib.inventory.proxy import QueryCredential, RequestLog
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_NAME = r"(?P<name>(?:x_)?(?:api[_-]?key|(?:access|auth|session)[_-]?token|token|jwt|secret|password))"
_USES = {
    ".py": regex(rf"\b(?:query_params|request\.args|request\.GET)(?:\.get\(|\[)\s{{0,3}}[\"']{_NAME}[\"']", re.I),
    ".js": regex(rf"\b(?:req|request|ctx)\.query(?:\.|\[[\"']){_NAME}\b", re.I),
    ".go": regex(rf"(?:\.Query\(\)\.Get|\.Query|\.QueryParam)\(\"{_NAME}\"", re.I),
    ".java": regex(rf"@RequestParam(?:\([^)\n]{{0,100}}\))?\s{{1,3}}(?:final\s{{1,3}})?String\s{{1,3}}{_NAME}\b", re.I),
}
_ALIKE = {".ts": ".js", ".mjs": ".js", ".kt": ".java"}
_ONCE = regex(r"verif|confirm|activat|reset|unsubscri|invit|csrf|magic|forgot|page[_-]?token", re.I)
"""Words of what a token is for that holds once."""
_QUERY = {
    ".py": ("query_params", "request.args", "request.GET"),
    ".js": (".query",),
    ".go": (".Query",),
    ".java": ("RequestParam",),
}
"""Texts of a language without any of them take nothing from an address."""
_NEAR = 200
_BEFORE = 800
_MAPPING = regex(r"@(?:Get|Post|Put|Patch|Delete|Request)Mapping\b")
_OFF = regex(r"^[ \t]*access_log[ \t]+off\b", re.M)
_ON = regex(r"^[ \t]*access_log[ \t]+(?!off\b)\S", re.M)
_FORMAT = regex(r"^[ \t]*log_format\b[^;]{0,2000};", re.M)
_HOLDS = regex(r"\$(?:request\b|request_uri|args|query_string|is_args)")
_CADDY = regex(r"^[ \t]*log(?:[ \t]*\{|[ \t]*$)", re.M)


def read(source: Source) -> Reading:
    """A record for each place. It reports no coverage: a file belongs to its format's reader."""
    reading = Reading()
    for path in source.files:
        ending = posixpath.splitext(path)[1]
        language = _ALIKE.get(ending, ending)
        if language in _USES:
            text = source.glance(path)
            if any(word in text for word in _QUERY[language]) and not stages.is_for_development(path):
                reading.records += _credentials(path, text, _USES[language])
        elif ending in (".conf", ".template") or "Caddyfile" in path:
            reading.records += _logs(path, source.glance(path))
    return reading


def _credentials(path: str, text: str, pattern: re.Pattern[str]) -> Iterator[QueryCredential]:
    for match in pattern.finditer(text):
        around = text[max(match.start() - _NEAR, 0) : match.end() + _NEAR]
        in_body = "@" in match[0] and _mapping(text, match.start()) != "@GetMapping"
        if not in_body and not _ONCE.search(around) and not _ONCE.search(path):
            yield QueryCredential(match["name"], location_at(path, text, match.start()))


def _mapping(text: str, place: int) -> str:
    """The last annotation of Spring before a place that says by which method a handler is asked."""
    before = text[max(place - _BEFORE, 0) : place]
    return next((match[0] for match in reversed(list(_MAPPING.finditer(before)))), "")


def _logs(path: str, text: str) -> Iterator[RequestLog]:
    """The place by which a proxy logs whole addresses: its own format, or the beginning where it has the usual one."""
    if "Caddyfile" in path:
        found = _CADDY.search(text)
        if found and "filter" not in text:
            yield RequestLog(path, location_at(path, text, found.start()))
    elif "server" in text and (_ON.search(text) or not _OFF.search(text)):
        formats = list(_FORMAT.finditer(text))
        holding = next((item for item in formats if _HOLDS.search(item[0])), None)
        if holding or not formats:
            yield RequestLog(path, location_at(path, text, holding.start() if holding else 0))
