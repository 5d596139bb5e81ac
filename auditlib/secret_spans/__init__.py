"""Finds where a text holds a secret, by the name before it, the program that takes it, or its provider's format.

Words that hint at a secret are found in one pass; what stands around each hint is looked at within fixed bounds, so
that the time is linear whatever the text. Doubt is settled in favour of hiding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from auditlib.patterns import regex
from auditlib.secret_spans import addresses, commands, env_lines, formats, headers, inputs, logins
from auditlib.secret_spans.assignments import default, key_input, name_around, named
from auditlib.secret_spans.names import is_credential_name, is_secret_value, only_hints_at_login

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

__all__ = ["Span", "find", "is_credential_name", "is_secret_value", "only_hints_at_login", "union"]

Span = tuple[int, int]
"""Where a secret begins and ends in a text."""


def find(text: str, *, code: bool = False, env: bool = False) -> list[Span]:
    """The spans of `text` that hold a secret; one may stand inside another.

    In `code` only quoted text is a value; of an `env` file lines that are no assignment may hold one.
    """
    found: list[Span] = list(env_lines.broken(text)) if env else []
    last = 0
    for kind, start in _hits(_lower(text)):
        handler = _HANDLERS[kind]
        if handler is named:
            if start < last:
                continue  # inside a name that was looked at
            begin, last = name_around(text, start)
            spans = list(named(text, begin, last, code))
            last = max([last, *(end for _, end in spans)])  # what stands in a secret is hidden with it
            found += spans
        else:
            found += handler(text, start)
    if code:
        found += _in_texts(text)
    return [span for span in found if span[0] < span[1]]


_TEXTS_IN_CODE = {
    '"""': regex(r'"""(.+?)"""', re.S),
    "'''": regex(r"'''(.+?)'''", re.S),
    "`": regex(r"(?:[=(,:?+]|=>|return)\s?`([^`]*)`"),
}


def _in_texts(text: str) -> Iterator[Span]:
    """The spans in the strings of code that go over several lines: what stands there is a text of its own."""
    matches = (match for quote, pattern in _TEXTS_IN_CODE.items() if quote in text for match in pattern.finditer(text))
    for match in matches:
        if "\n" not in match[0]:
            continue
        start = match.start(1)
        yield from ((start + first, start + last) for first, last in find(match[1]))


def _hits(text: str) -> Iterator[tuple[int, int]]:
    """Each hint as its index and position, a part of the text at a time so that memory is bounded."""
    for begin in range(0, len(text), _PART):
        part = text[begin : begin + _PART + _LONGEST_HINT]
        for kind, start, _ in _hints().find_matches_as_indexes(part, overlapping=True):
            if start < _PART:
                yield kind, begin + start


def union(spans: list[Span]) -> list[Span]:
    """The spans sorted, those that overlap made one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


_UPPER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _lower(text: str) -> str:
    """`text` in lower case with every character in its place, which `str.lower` doesn't promise."""
    return text.lower() if text.isascii() else text.translate(_UPPER)


_NAME_HINTS = ("pass", "pwd", "pw", "secret", "token", "key", "webhook", "salt", "dsn", "bearer",
               "auth", "cred", "psk", "pepper", "seed", "cookie", "slack_api_url", "httpheadervalue",
               "x-honeycomb-team", "stringdata")  # fmt: skip
_PROVIDER_HINTS = ("akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "sk_live_",
                   "sk_test_", "rk_live_", "rk_test_", "xox", "aiza", "npm_", "pypi-", "sg.", "dop_v1_", "eyj", "hvs.",
                   "whsec_")  # fmt: skip
_HASH_HINTS = ("$apr1$", "$2y$", "$2a$", "$2b$", "$2x$", "$argon2", "$5$", "$6$", "$1$", "{sha}",
               "$$apr1$", "$$2y$", "$$2a$", "$$2b$")  # fmt: skip
_ADDRESSES = ("hooks.slack.com/services/", "hooks.slack.com/workflows/", "discord.com/api/webhooks/",
              "discordapp.com/api/webhooks/", "outlook.office.com/webhook/", "webhook.office.com/webhookb2/",
              "api.telegram.org/bot", "hooks.zapier.com/hooks/catch/", "chat.googleapis.com/v1/spaces/")  # fmt: skip
_QUERY_HINTS = ("?key=", "&key=", "?sig=", "&sig=", "?signature=", "&signature=", "?x-amz-signature=",
                "&x-amz-signature=", "&x-goog-signature=")  # fmt: skip
_PORT_HINTS = (":5432:", ":6432:", ":5433:", ":*:")

_HINTS: list[tuple[str, Callable[..., Iterator[Span]]]] = [
    *((hint, named) for hint in _NAME_HINTS),
    *((hint, formats.provider) for hint in _PROVIDER_HINTS),
    *((hint, formats.password_hash) for hint in _HASH_HINTS),
    *((hint, addresses.after(hint)) for hint in _ADDRESSES),
    *((hint, addresses.query) for hint in _QUERY_HINTS),
    *((hint, commands.command(hint)) for hint in commands.NAMES),
    *((hint, inputs.piped) for hint in inputs.READERS),
    *((hint, inputs.piped_to) for hint in inputs.PROGRAMS),
    *((hint, headers.scheme) for hint in ("bearer ", "basic ", "token ")),
    *((hint, formats.pgpass) for hint in _PORT_HINTS),
    *((hint, logins.told) for hint in logins.HINTS),
    *((hint, logins.signed_in) for hint in ("log in", "logging in", "sign in", "signing in", "login with", "login as")),
    *((hint, logins.hashed) for hint in logins.HASHERS),
    *((hint, logins.of_grafana) for hint in ("admin/", "admin /", "admin:", "admin :")),
    ("machine ", logins.of_netrc),
    *((hint, commands.user_and_password) for hint in (" -p", '"-p"')),
    ("<<<", inputs.here_string),
    ("chpasswd", inputs.login),
    *((hint, headers.matcher) for hint in ("header(", "headers(", "headerregexp(", "headersregexp(", "query(")),
    *((hint, key_input) for hint in ("/ssh-action", "/scp-action", "/ssh-deploy", "/sftp-")),
    ("authorization", headers.authorization),
    ("cookie:", headers.cookie),
    ("basicauth", headers.basic_users),
    ("://", addresses.url),
    ("@", addresses.login_at_host),
    ("${", default),
    ("private key-----", formats.private_key),
]
_PART = 500_000
_LONGEST_HINT = max(len(hint) for hint, _ in _HINTS)
_HANDLERS = [handler for _, handler in _HINTS]


@cache
def _hints() -> AhoCorasick:
    import ahocorasick_rs  # here, so that what never masks never pays for it

    return ahocorasick_rs.AhoCorasick([hint for hint, _ in _HINTS], matchkind=ahocorasick_rs.MatchKind.Standard)
