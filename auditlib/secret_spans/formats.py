"""Finds what is a secret by its own form: keys and tokens of providers, private keys, hashed passwords, `.pgpass`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.patterns import regex

Span = tuple[int, int]

_HASH = regex(r"\$\$?(?:apr1|2[abxy]|argon2\w{0,2}|[156])\$[^\s'\":,;}]{8,200}|\{SHA\}[\w+/=]{8,200}", re.I)
_FORMATS = regex(
    r"(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Z])|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_\w{30,255}|glpat-[\w-]{20,255}"
    r"|sk-[\w-]{20,300}|[sr]k_(?:live|test)_[A-Za-z0-9]{10,255}|xox[abeoprs]-[A-Za-z0-9-]{10,300}|AIza[\w-]{35}"
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,300}|SG\.[\w-]{16,80}\.[\w-]{16,80}|dop_v1_[0-9a-f]{64}"
    r"|eyJ[\w-]{8,4000}\.eyJ[\w-]{8,4000}(?:\.[\w-]{0,4000})?|hvs\.[\w-]{20,200}|whsec_[\w+/=]{16,200}"
)
_KEY_LINES = regex(r"(?:(?:\\[nr]|\s){0,100}[A-Za-z0-9+/=]{16,})*+")
_PGPASS = regex(r":(?:\d{1,5}|\*):[^:\s]{1,100}:[^:\s]{1,100}:(?P<value>[^\s:\"'][^\s\"']{0,200})[\"']?$", re.M)


def private_key(text: str, position: int) -> Iterator[Span]:
    """What stands between the first and the last line of a private key."""
    if "BEGIN" in text[max(0, position - 40) : position].upper():
        start = position + len("private key-----")
        end = text.find("-----END", start, start + 20_000)
        rest = _KEY_LINES.match(text, start)
        yield start, end if end >= 0 else rest.end() if rest else start


def provider(text: str, position: int) -> Iterator[Span]:
    """A key or token by the format that its provider gave it."""
    before = text[position - 1 : position]
    if not (before.isalnum() or before == "_") and (match := _FORMATS.match(text, position)):
        yield match.span()


def password_hash(text: str, position: int) -> Iterator[Span]:
    """A hashed password, as `htpasswd` and crypt(3) write it."""
    if match := _HASH.match(text, position):
        yield match.span()


def pgpass(text: str, position: int) -> Iterator[Span]:
    """`host:port:database:user:password`, a line of .pgpass."""
    if match := _PGPASS.match(text, position):
        yield match.span("value")
