"""Builds the tree of a configuration of nginx out of its statements, with those that rules look at.

Follows https://nginx.org/en/docs/dirindex.html. Of a header only its name is kept, and its value where that is made of
variables or one of a few words: whatever else stands there may be a secret, as may what a condition compares with.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from auditlib.inventory.proxy import Block, Directive
from auditlib.model import Location
from auditlib.patterns import regex

_KEPT = frozenset({
    "access_log", "add_header", "alias", "allow", "auth_basic", "auth_basic_user_file", "auth_request", "autoindex",
    "client_max_body_size", "default_type", "deny", "error_page", "fastcgi_buffering", "fastcgi_cache",
    "fastcgi_cache_path", "fastcgi_param", "fastcgi_pass", "fastcgi_read_timeout", "grpc_pass", "if", "include",
    "internal", "limit_conn", "limit_conn_zone", "limit_req", "limit_req_zone", "listen", "proxy_buffering",
    "proxy_cache", "proxy_cache_path", "proxy_http_version", "proxy_pass", "proxy_pass_request_headers",
    "proxy_read_timeout", "proxy_redirect", "proxy_set_header", "real_ip_header", "resolver", "return", "rewrite",
    "root", "satisfy", "server", "server_name", "set_real_ip_from", "ssl", "ssl_certificate", "ssl_certificate_key",
    "ssl_client_certificate", "ssl_dhparam", "ssl_prefer_server_ciphers", "ssl_protocols", "ssl_trusted_certificate",
    "try_files", "uwsgi_pass", "uwsgi_read_timeout",
})  # fmt: skip
_VALUES = {"proxy_set_header": 2, "add_header": 2, "fastcgi_param": 2, "if": 1}
"""Statements whose value may be a secret, by the place of that value."""
_WORDS = frozenset({
    "", "upgrade", "close", "keep-alive", "https", "http", "on", "off", "no", "443", "80",
    "=", "!=", "~", "~*", "!~", "!~*", "-f", "!-f", "-d", "!-d", "-e", "!-e",
})  # fmt: skip
HIDDEN = "…"


_COMMENTED = regex(
    r"^[ \t]*#+[ \t]*(?P<text>(?:deny[ \t]+all|allow[ \t]+[\da-fA-F.:/]+|auth_basic[ \t]+[\"'\w][^;\n]{0,80}|"
    r"auth_request[ \t]+/[^;\n]{0,80}|limit_req[ \t]+zone=[^;\n]{0,80}));",
    re.M,
)
"""A guard that somebody has commented out."""
COMMENT = "#"
_MOST = 200


class _Open(Struct):
    words: tuple[str, ...]
    line: int
    directives: list[Directive] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


class Builder:
    """Takes the statements of a file one by one, in their order."""

    def __init__(self, file: str, text: str = "") -> None:
        self._file = file
        self._open = [_Open((), 1)]
        self._comments = _comments(file, text)

    def take(self, words: list[str], line: int, opens: bool | None) -> None:
        """A statement by its words and line; `opens` is true where it opens a block, None where one closes."""
        self._note(line)
        if opens is None:
            self._close()
        elif opens:
            self._open.append(_Open(_shown(words), line))
        elif words and words[0] in _KEPT:
            self._open[-1].directives.append(Directive(_shown(words), Location(self._file, line)))

    def finished(self) -> Block:
        """The outermost block; those that nothing closes end with the file."""
        while len(self._open) > 1:
            self._close()
        return self._block(self._open[0])

    def _note(self, line: int) -> None:
        """Put the guards that are commented out before a line into the block that is open."""
        while self._comments and self._comments[-1].location.line < line:
            self._open[-1].directives.append(self._comments.pop())

    def _close(self) -> None:
        if len(self._open) > 1:
            closed = self._open.pop()
            self._open[-1].blocks.append(self._block(closed))

    def _block(self, one: _Open) -> Block:
        return Block(one.words, Location(self._file, one.line), tuple(one.directives), tuple(one.blocks))


def _comments(file: str, text: str) -> list[Directive]:
    """The guards that are commented out, the last one first."""
    found = _COMMENTED.finditer(text) if "#" in text else iter(())
    places = ((match, Location(file, text.count("\n", 0, match.start("text")) + 1)) for match in found)
    return [Directive((COMMENT, *match["text"].split()), place) for match, place in places][_MOST::-1]


def _shown(words: list[str]) -> tuple[str, ...]:
    place = _VALUES.get(words[0]) if words else None
    if place is None:
        return tuple(words)
    return (
        *words[:place],
        *(word if "$" in word or word.lower().strip("()\"'") in _WORDS else HIDDEN for word in words[place:]),
    )
