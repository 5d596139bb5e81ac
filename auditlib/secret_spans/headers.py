"""Finds secrets in the headers of HTTP requests, as clients, servers and shippers of logs write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.patterns import regex
from auditlib.secret_spans.names import NOT_A_VALUE, is_credential_name, is_secret_value

Span = tuple[int, int]

_SCHEME = r"(?:bearer|basic|token|apikey|api-key|splunk|digest|key|negotiate)"
_AUTHORIZATION = regex(
    rf"""authorization["'`\])]{{0,3}}(?P<assigned>\s{{0,9}}(?:=>|[:=])\s{{0,9}}|\s{{0,9}},\s{{0,9}}|[ \t]{{1,40}})"""
    rf"""(?P<string>[bfru]?\\?["'`])?(?:(?P<scheme>{_SCHEME})[ \t]{{1,9}})?(?P<value>[^\s"'`,;\\)}}\]>]{{1,4000}})"""
    r"""(?P<end>\\?["'`,;)}\]]|[ \t]*(?:\n|$))?""",
    re.I,
)
_BEARER = regex(r"""bearer\s(?P<value>[^\s"'`\\]{1,4000})\\?["'`]""", re.I)
_WORDS = regex(r"(?:token|auth\w*|access|scheme|format|header\w*|credentials?|required|missing|error|realm=?)\W*", re.I)
_SCHEME_WORD = regex(r"(?P<scheme>bearer|basic|token)\s{1,9}(?P<value>[A-Za-z0-9+/=_.~-]{6,4000})", re.I)
_COOKIE = regex(r"cookie[\"']?:\s{0,9}[\"']?[^\n\"']{0,200}?(?:sess\w*|sid|auth|jwt|token)=(?P<value>[^\s;\"']+)", re.I)


def authorization(text: str, position: int) -> Iterator[Span]:
    """What follows `Authorization`: with a scheme anywhere, without one where a value is assigned and ends there."""
    match = _AUTHORIZATION.match(text, position)
    if match is None or not _is_value(match["value"]):
        return
    assigned, end = match["assigned"].strip(), match["end"]
    if match["scheme"]:
        is_value = bool(assigned) or end is not None  # else a sentence about an authorization token
    else:
        is_value = end is not None and (
            bool(match["string"] and assigned in (":", "=", "=>"))
            or (assigned == ":" and end.strip(" \t\n\\\"'`") == "")
        )
    if is_value:
        yield match.span("value")


def scheme(text: str, position: int) -> Iterator[Span]:
    """What follows `Bearer`, `Basic` or `token` in a header, if it is no word of a sentence."""
    before = text[position - 1 : position]
    if before.isalnum():
        return
    if (
        before in ('"', "'", "`")
        and before
        and (quoted := _BEARER.match(text, position))
        and _is_value(quoted["value"])
    ):
        yield quoted.span("value")
        return
    match = _SCHEME_WORD.match(text, position)
    if match is None:
        return
    digits = any(map(str.isdigit, match["value"]))
    if len(match["value"]) >= 20 or (digits and (len(match["value"]) >= 12 or match["scheme"].lower() == "bearer")):
        yield match.span("value")


_MATCHER = regex(
    r"""(?:headers?(?:regexp)?|query)\(\s{0,9}["'`](?P<name>[\w-]{1,80})["'`]\s{0,9},\s{0,9}"""
    r"""(?P<quote>["'`])(?P<value>[^"'`\n]{1,1000})(?P=quote)""",
    re.I,
)


def matcher(text: str, position: int) -> Iterator[Span]:
    """The value that a proxy's rule wants a header to have: ``Header(`X-Api-Key`, `…`)`` of Traefik."""
    match = _MATCHER.match(text, position)
    if match is None or not is_secret_value(match["name"], match["value"], quoted=True):
        return
    if is_credential_name(match["name"]) or match["name"].lower() in ("authorization", "cookie"):
        yield match.span("value")


def cookie(text: str, position: int) -> Iterator[Span]:
    """The session in a header of cookies."""
    match = _COOKIE.match(text, position)
    if match and _is_value(match["value"]):
        yield match.span("value")


def _is_value(word: str) -> bool:
    return word[0] != "<" and not NOT_A_VALUE.fullmatch(word) and not _WORDS.fullmatch(word)


_BASIC_USERS = regex(
    r"""basicauth(?:\.users["']?\s{0,9}[=:]|["']?:\s{0,40}\{?\s{0,40}users["']?:)\s{0,40}"""
    r"""(?P<entries>\[[^\]]{0,2000}|(?:-[ \t][^\n]{0,300}\n?[ \t]{0,40}){1,50}|[^\n]{0,2000})""",
    re.I,
)
_LOGIN = regex(r"""(?:^|[\s"'`,\[])[\w.@+-]{1,100}:(?P<value>[^\s"'`,\]$][^\s"'`,\]]{0,300})""")


def basic_users(text: str, position: int) -> Iterator[Span]:
    """The passwords of Traefik's `basicAuth` in `user:password,user:password`; hashes are known by their own form.

    Source: https://doc.traefik.io/traefik/middlewares/http/basicauth/
    """
    match = _BASIC_USERS.match(text, position)
    if match:
        start = match.start("entries")
        yield from (
            (start + a, start + b) for a, b in (each.span("value") for each in _LOGIN.finditer(match["entries"]))
        )
