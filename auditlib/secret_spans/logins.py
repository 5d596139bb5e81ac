"""Finds the password of a login that a text for people tells: `Default login: admin / …`, `log in with admin / …`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.patterns import regex
from auditlib.secret_spans.names import NOT_A_VALUE

Span = tuple[int, int]

HINTS = ("login", "log-in", "credential", "user/pass", "username/pass", "user / pass")
_QUOTES = r"""["'`*]{0,3}"""
_TOLD = regex(
    r"""(?P<what>credentials?|log-?in|user(?:name)?\s?/\s?pass(?:word)?)\b[\w ]{0,12}?(?::|=|\sis|\sare|\swith|\sas)"""
    rf"""\s{{1,3}}{_QUOTES}(?P<user>[\w.@-]{{2,40}}){_QUOTES}(?P<between>\s/\s|/|:){_QUOTES}"""
    r"""(?P<value>[^\s"'`*,;|)</]{1,200})""",
    re.I,
)
_TOLD_BEFORE = regex(
    rf"""(?<![\w/.:]){_QUOTES}[\w.@-]{{2,40}}{_QUOTES}(?:\s/\s|/|:){_QUOTES}(?P<value>[^\s"'`*,;|)</:]{{1,100}}){_QUOTES}"""
    r"""\s(?:is|are)\s(?:the\s)?default\s\Z""",
    re.I,
)
_DEFAULT = regex(r"\bdefault\s(?:admin\s)?\Z", re.I)


def told(text: str, position: int) -> Iterator[Span]:
    """`Default login: admin / …`, `admin:… is the default login`; a path and a port are none."""
    match = _TOLD.match(text, position)
    if match and (match["between"] != "/" or "/" in match["what"] or _is_no_path(text, match)):
        yield from _password(match)
    if text[position - 8 : position].lower() == "default ":
        before = _TOLD_BEFORE.search(text, max(0, position - 160), position)
        yield from _password(before) if before else ()


def _is_no_path(text: str, match: re.Match[str]) -> bool:
    """Whether what is joined by a slash is the default login (`the default login is admin/…`)."""
    return bool(_DEFAULT.search(text, max(0, match.start() - 20), match.start())) and "." not in match["value"].rstrip(
        "."
    )


_OF_NETRC = regex(
    r"machine[ \t]{1,9}[^\s\\]{1,200}(?:\s|\\[nt]){1,20}login(?:\s|\\[nt]){1,20}[^\s\\]{1,200}(?:\s|\\[nt]){1,20}"
    r"""password(?:\s|\\[nt]){1,20}(?P<value>[^\s\\"'`]{1,200})""",
    re.I,
)


def of_netrc(text: str, position: int) -> Iterator[Span]:
    """`machine HOST login USER password …`, also with the ends of lines as `printf` is given them (`\\n`)."""
    match = _OF_NETRC.match(text, position)
    if match:
        yield from _password(match)


_SIGNED_IN = regex(
    r"""(?:log(?:ging)?|sign(?:ing)?)[ ]?in\b[^\n]{0,60}?\s(?:with|as|using)\s{1,3}(?:the\s)?"""
    r"""(?:user(?:name)?\s|login\s)?"""
    rf"""{_QUOTES}(?P<user>[\w.@+-]{{2,40}}){_QUOTES}[ ]?[/:][ ]?"""
    rf"""{_QUOTES}(?P<value>[^\s"'`*,;|)</]{{1,100}}?){_QUOTES}"""
    r"""(?=[.,;!)]{0,3}\s*(?:$|\n)|[.,;!)]{1,3}\s|\s(?:and|to|at|for|on|in|when|after|once|or)\s|\s[(–—-])""",
    re.I,
)
_WAYS = frozenset({
    "google", "github", "gitlab", "facebook", "twitter", "apple", "microsoft", "azure", "sso", "oauth", "oauth2",
    "saml", "ldap", "oidc", "email", "e-mail", "mail", "phone", "username", "user", "name", "login", "id", "http",
    "https",
})  # fmt: skip
"""What people log in with that is no user's name."""
_KINDS = regex(r"pass(?:word|wd|phrase|code)?s?|pwd|e-?mail|phone|pin|otp|sso|user|token|key|oauth2?", re.I)


def signed_in(text: str, position: int) -> Iterator[Span]:
    """`Log in with admin / …`; a choice between two ways to log in is none."""
    match = _SIGNED_IN.match(text, position)
    if match and match["user"].lower() not in _WAYS and not _KINDS.fullmatch(match["value"]):
        yield from _password(match)


_OF_ADMIN = regex(
    r"""admin\s?[/:]\s?(?P<value>\w[^\s()（）`|/*"']{2,60})\s?(?=[)）`|*"']|[ \t]{0,9}(?:\r?\n|\Z))""", re.I
)
_BEFORE_ADMIN = regex(r"[(（`|,:：*]\s{0,3}\Z")
_LINE = 500


def of_grafana(text: str, position: int) -> Iterator[Span]:
    """`Grafana: http://localhost:3000 (admin / …)`, the address and the login on one line or on the two."""
    match = _OF_ADMIN.match(text, position)
    if match:
        above = "\n".join(text[max(0, position - _LINE) : position].lower().split("\n")[-2:])
        apart = _BEFORE_ADMIN.search(text, max(0, position - 9), position)
        if "grafana" in above and (apart or ("http" in above and text[position - 1 : position].isspace())):
            yield from _password(match)


HASHERS = ("hash::make(", "passwordencoder.encode(", "passwordencoder().encode(", "bcrypt(", "bcrypt.hash(",
           "bcrypt.hashsync(", "bcryptjs.hash(",
           "argon2.hash(", "pwd_context.hash(", "crypt_context.hash(")  # fmt: skip
_HASHED = regex(r"""[\w.:()]{1,30}?\(\s{0,5}(?P<quote>["'])(?P<value>[^"'\n]{1,100})(?P=quote)""")


def hashed(text: str, position: int) -> Iterator[Span]:
    """`Hash::make('…')`: what a library makes the hash of a password from."""
    match = _HASHED.match(text, position)
    if match:
        yield match.span("value")


def _password(match: re.Match[str]) -> Iterator[Span]:
    value = match["value"].rstrip(".")
    if value and not NOT_A_VALUE.fullmatch(value) and not value.isdigit():
        yield match.start("value"), match.start("value") + len(value)
