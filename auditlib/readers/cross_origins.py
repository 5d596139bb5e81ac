"""The origins that code in Go, C#, Ruby and PHP, and servers before it, let call it; other languages are read with
their settings.

There is no parser: each language has one expression for what its usual packages take. Of Nginx, Apache and Caddy only
single origins count: `*` is usual for fonts and the like. Follows https://github.com/fruitcake/php-cors,
https://pkg.go.dev/github.com/rs/cors, https://pkg.go.dev/github.com/gin-contrib/cors,
https://learn.microsoft.com/en-us/aspnet/core/security/cors, https://github.com/cyu/rack-cors and
https://laravel.com/docs/routing#cors.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.inventory.configuration import AllowedOrigin
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, each
from auditlib.readers.settings.other_languages import is_test
from auditlib.source import Source, Unreadable

KIND = "cross origins"
_STRING = r"""(?:"[^"\n]{0,300}"|'[^'\n]{0,300}')"""


class _Language(Struct, frozen=True):
    """What the packages of a language are given: `every` is all origins, `listed` holds them as strings."""

    hint: re.Pattern[str]
    """Without a match the file has none of these packages, and a name means something else."""
    origins: re.Pattern[str]
    credentials: re.Pattern[str]
    guard: re.Pattern[str]
    """What stands shortly before origins that hold in development alone."""


_GO = _Language(
    regex(r"/cors(?:/v\d+)?\"|/middleware\"|Access-Control-Allow-Origin"),
    regex(
        r"""\b(?P<holder>AllowedOrigins|AllowOrigins)\s*:\s*(?P<listed>\[\]string\{[^}]{0,1000}\}|"[^"\n]{0,500}")"""
        r"""|\b(?P<every>(?:AllowAllOrigins\s*:\s*true\b)|(?<=cors\.)(?:AllowAll|Default)\(\))"""
        r"""|["']Access-Control-Allow-Origin["']\s*,\s*(?P<header>"\*")"""
    ),
    regex(r"AllowCredentials\s*:\s*true\b"),
    regex(r"(?:[iI]s)?(?:Dev|Debug|Local)\w{0,60}\s{0,50}(?:\(\))?\s{0,50}\{|[\"'](?:dev|development|local)[\"']"),
)
_CSHARP = _Language(
    regex(r"Cors|WithOrigins"),
    regex(
        rf"""\b(?P<every>AllowAnyOrigin\(\)|SetIsOriginAllowed\(\s*\(?\w+\)?\s*=>\s*true\s*\))"""
        rf"""|\b(?P<holder>WithOrigins)\(\s*(?P<listed>{_STRING}(?:\s*,\s*{_STRING})*)"""
    ),
    regex(r"\bAllowCredentials\(\)"),
    regex(r"IsDevelopment\(\)"),
)
_RUBY = _Language(
    regex(r"Rack::Cors"),
    regex(rf"""(?:^|(?<=[{{;]))[ \t]*(?P<holder>origins)[ (]\s*(?P<listed>{_STRING}(?:\s*,\s*{_STRING})*)""", re.M),
    regex(r"credentials:\s*true\b"),
    regex(r"development\?|local\?"),
)
_PHP = _Language(
    regex(r"supports_credentials|Access-Control-Allow-Origin"),
    regex(
        r"""["'](?P<holder>allowed_origins)["']\s*=>\s*(?P<listed>\[[^\]]{0,1000}\])"""
        r"""|["']Access-Control-Allow-Origin(?::\s*(?P<all>\*)["']|["']\s*(?:,|=>)\s*(?P<header>["']\*["']))"""
    ),
    regex(r"""["']supports_credentials["']\s*=>\s*true\b"""),
    regex(r"environment\(\s*\[?\s*['\"](?:local|dev)"),
)
_SERVER = _Language(
    regex("Access-Control-Allow-Origin"),
    regex(
        r"""^[ \t]*(?:add_header|(?:Header[ \t]+(?:always[ \t]+)?(?:set|add))|header)[ \t]+["']?"""
        r"""(?P<holder>Access-Control-Allow-Origin)["']?[ \t]+(?P<listed>(?P<quote>["']?)https?://[^\s"';]{1,300}(?P=quote))"""
        r"""|^[ \t]*map[ \t]+\$http_origin[ \t]+(?P<kept>\$\w{1,60})\s*\{(?P<mapped>[^{}]{0,4000})\}""",
        re.M,
    ),
    regex(r"Access-Control-Allow-Credentials[\"']?[ \t]+[\"']?true\b"),
    regex(r"(?!)"),
)
_SERVER_FILE = regex(r"\.conf(?:\.\w+)?$|\.template$|(?:^|/)(?:Caddyfile|\.htaccess)$")
_BY_ENDING = {".go": _GO, ".cs": _CSHARP, ".rb": _RUBY, ".php": _PHP}
_QUOTED = regex(r"""["']([^"'\n]{1,300})["']""")
_MAPPED = regex(r"""^[ \t]*["']?(?P<origin>https?://[^\s"';~]{1,300})["']?[ \t]+[^\s;]{1,300};""", re.M)
"""A line of Nginx's `map`, by which a header gives back those origins that it names
(https://nginx.org/en/docs/http/ngx_http_map_module.html)."""
_EMPTY = regex(r"(?:\"\"|''|0);$")
_COMMENT = regex(r"\s*(?://|#|\*|/\*)")
_SHORTLY = 200
"""Characters before a place in which what guards it stands."""


def read(source: Source) -> Reading:
    """Every origin that such code names, tests left out."""
    files = [path for path in source.files if _language(path) and not is_test(path)]
    return Reading(each(source, [path for path in files if _has_package(source, path)], KIND, _read).records, [])


def _language(path: str) -> _Language | None:
    return _SERVER if _SERVER_FILE.search(path) else _BY_ENDING.get(posixpath.splitext(path)[1])


def _has_package(source: Source, path: str) -> bool:
    known = _language(path)
    try:
        return known is not None and known.hint.search(source.text(path)) is not None
    except Unreadable:
        return False


def _read(source: Source, path: str) -> Iterator[AllowedOrigin]:
    known, text = _language(path), source.text(path)
    if known is None:
        return
    credentials = known.credentials.search(text) is not None
    for match in known.origins.finditer(text):
        begin = text.rfind("\n", 0, match.start()) + 1
        before = text[max(0, match.start() - _SHORTLY) : match.start()]
        if not _COMMENT.match(text, begin, match.start() + 1) and not known.guard.search(before):
            start = match.start() + len(match[0]) - len(match[0].lstrip())
            place = Location(path, text.count("\n", 0, start) + 1, start - begin + 1)
            if match.groupdict().get("mapped"):
                yield from _of_map(path, text, match)
                continue
            yield from _allowed(match, place, sends=credentials, reflects=known is _PHP)


def _of_map(path: str, text: str, match: re.Match[str]) -> Iterator[AllowedOrigin]:
    """The origins that a map of Nginx knows, where the header is made of it in the same file."""
    header = re.search(rf"Access-Control-Allow-Origin[\"']?[ \t]+[\"']?{re.escape(match['kept'])}\b", text)
    for line in _MAPPED.finditer(match["mapped"]) if header else ():
        if not _EMPTY.search(line[0]):
            start = match.start("mapped") + line.start("origin")
            begin = text.rfind("\n", 0, start) + 1
            place = Location(path, text.count("\n", 0, start) + 1, start - begin + 1)
            yield AllowedOrigin(line["origin"], "Access-Control-Allow-Origin", False, place)


def _allowed(match: re.Match[str], place: Location, *, sends: bool, reflects: bool) -> Iterator[AllowedOrigin]:
    """The origins of one place; a plain `*` is sent as it is, and to that no browser gives a cookie. Laravel answers
    with the caller's own origin in its place where it lets browsers send cookies.
    """
    found = match.groupdict()
    if found.get("every"):
        echoes = found["every"].startswith("SetIs")
        holder = found["every"].partition("(")[0].partition(":")[0].strip()
        holder = "cors.Default()" if holder == "Default" else holder
        yield AllowedOrigin("*", holder, sends and echoes, place, "")
    elif found.get("header") or found.get("all"):
        yield AllowedOrigin("*", "Access-Control-Allow-Origin", False, place)
    else:
        listed = found["listed"] or ""
        for origin in _QUOTED.findall(listed) if listed[:1] != "h" else [listed]:
            yield AllowedOrigin(origin, found["holder"] or "", sends and (origin != "*" or reflects), place)
