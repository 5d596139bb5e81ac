"""Finds the value of a name that says of itself that it holds a secret, in every syntax that gives a name a value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.patterns import regex
from auditlib.secret_spans import bare, expressions, literals, prose, structures
from auditlib.secret_spans.names import (
    is_credential_name,
    is_login_name,
    is_option_value,
    is_secret_value,
    is_word_of_login,
)

Span = tuple[int, int]

_NAME_BACK = regex(r"[\w.-]*")
_MARKUP = regex(r"[\"']?>\s{0,200}(?P<value>[^<>\n]{1,500}?)\s{0,200}</")
_WORD_BEFORE = regex(r"\b(?:api|access|secret|private|auth|license|encryption|signing)[ ]\Z", re.I)
_LOGIN = regex(
    r"""["'\])]{0,3}\s{0,9}(?:=>|[:=,\s])\s{0,9}\\?["']?(?:[\w.@+-]{1,60}:|neo4j/)"""
    r"""(?P<value>[^\s"'`/\\,;:$]{1,200})(?=["'\s,;\\]|$)"""
)
_ENCODED = regex(r"""["']?\s{0,9}[:=]\s{0,9}["']?(?=[a-z+/_-]{0,60}[A-Z0-9])[\w+/-]{12,}={0,2}""")
_DEFAULT = regex(r"\$\{[\w.]{1,80}(?::?[-=+]|:(?![-=+?]))(?:\$\{\w{1,80}:?[-=+]){0,3}(?P<value>[^}$\n]{1,200})\}")
_PRINTED = regex(
    r"""\$\((?:echo|printf)\s+(?:-\w+\s+)*(?:["']%s["']\s+)?(?:"(?=[^"]*"))?(?P<value>(?<=")[^"\n]+|[^\s"')|]+)"""
)
_DEFAULT_OF_NAME = regex(
    r"\$\{(?P<name>[\w.]{1,80})(?::?[-=+]|:(?![-=+?]))(?:\$\{\w{1,80}:?[-=+]){0,3}"
    r"(?P<value>[^}\n]{1,200}(?=\})|[^}\n\"']{1,200})"
)
_OPTION_OF_NAME = regex(r"(?:--?[A-Za-z][\w-]{0,80}[ =])+\$\{?\w{1,80}")
"""What is added where a variable is set, with the variable again: `${NAME:+--requirepass ${NAME}}`."""


_HANDED_ON = regex(r"(?:proxy|fastcgi|uwsgi|scgi|grpc|memcached)_pass[ \t]{1,200}[^\s=;]{1,200};")
"""A statement of nginx that passes requests to a host or group: `fastcgi_pass php-fpm;`."""


def name_around(text: str, position: int) -> Span:
    """Where the name that holds a hint begins and ends."""
    begin = position
    while begin > 0 and position - begin < 80 and (text[begin - 1].isalnum() or text[begin - 1] in "_.-"):
        begin -= 1
    while text[begin] in ".-" and begin < position:
        begin += 1
    if text[begin] == "D" and text[begin - 1 : begin] == "-" and begin < position:
        begin += 1  # `-Dname=value` defines a property of Java
    match = _NAME_BACK.match(text, position, position + 200)
    return begin, match.end() if match else position + 1


_TAG = regex(r":(?:latest|stable|edge|main|master|nightly|alpine|v?\d{1,4}\.\d{1,4}(?:\.\d{1,4})?)(?![\w.-])")
"""The tag of an image whose name ends like that of a secret (`ghcr.io/example/slack-webhook:latest`)."""


def named(text: str, begin: int, end: int, code: bool) -> Iterator[Span]:
    """The value of a name that says of itself that it holds a secret."""
    if text[begin - 2 : begin] == "${" and begin > 1:
        return  # a variable's default is looked for where its brace opens
    if _HANDED_ON.match(text, begin):
        return
    name = text[begin:end].rstrip(".-_") if end - begin > 1 else text[begin:end]
    end = begin + len(name)
    if text[begin - 1 : begin] == "/" and _TAG.match(text, end):
        return
    if is_credential_name(_whole(name, text, begin)) or _is_encoded_login(name, text, end):
        for span in _values(text, name, begin, end, code):
            yield from _secret(name, text, span)
    elif structures.ALL_SECRETS.fullmatch(name) or name == "TOKENS" or (name == "tokens" and not code):
        for span in (*structures.flow(text, name, end, code=code), *structures.block(text, name, begin, end)):
            yield from _secret(name, text, span)
    elif name.lower() == "key" and text[begin - 2 : begin] == "--":
        yield from (span for span in bare.option(text, begin, end) if is_option_value(text[slice(*span)]))
    elif is_login_name(name):
        yield from _login(name, text, begin, end, code)


def _login(name: str, text: str, begin: int, end: int, code: bool) -> Iterator[Span]:
    """The password in `user:password`; of a variable of the environment also one that stands alone."""
    if match := _LOGIN.match(text, end):
        if is_secret_value(name, match["value"]):
            yield match.span("value")
    elif name.isupper():
        given = list(expressions.strings(text, name, begin, end, code=code))
        found = (span for each in given or _bare(text, begin, end, code) for span in _secret(name, text, each))
        yield from (span for span in found if is_word_of_login(name, text[slice(*span)]))


def _bare(text: str, begin: int, end: int, code: bool) -> Iterator[Span]:
    return iter(()) if code else bare.values(text, begin, end)


def _whole(name: str, text: str, begin: int) -> str:
    """The name with the word before it, where two words make one: `API key`."""
    match = _WORD_BEFORE.search(text, max(0, begin - 12), begin) if name.lower() == "key" else None
    return match[0] + name if match else name


def _is_encoded_login(name: str, text: str, end: int) -> bool:
    """`auth` of Docker's config.json and `_auth` of .npmrc hold user and password in base64."""
    return name.lower() in ("auth", "_auth") and bool(_ENCODED.match(text, end))


def _secret(name: str, text: str, span: Span) -> Iterator[Span]:
    """The span, if it holds a secret; of an expression of a shell the part that is one."""
    start, end = span
    if is_secret_value(name, text[start:end], quoted=text[start - 1 : start] in ('"', "'", "`")):
        yield span
    elif (match := _DEFAULT.match(text, start, end + 200) or _PRINTED.match(text, start, end + 200)) and (
        is_secret_value(name, match["value"])
    ):
        yield match.span("value")


_KEY_INPUT = regex(r"(?<![\w-])key(?=[\"']?\s{0,9}:)")


def key_input(text: str, position: int) -> Iterator[Span]:
    """The private key that a step is given as `key` whose action works over SSH; elsewhere `key` names a cache."""
    step = text.find("uses:", position, position + 2_000)
    for match in _KEY_INPUT.finditer(text, position, step if step >= 0 else position + 2_000):
        for span in _values(text, "key", *match.span(), code=False):
            yield from _secret("key", text, span)


def default(text: str, position: int) -> Iterator[Span]:
    """The default in `${NAME:-default}`, of the inner one if defaults are nested, and in Spring's `${name:default}`."""
    match = _DEFAULT_OF_NAME.match(text, position)
    if match is None or _OPTION_OF_NAME.fullmatch(match["value"]):
        return
    if is_credential_name(match["name"]) and is_secret_value(match["name"], match["value"]):
        yield match.span("value")


def _values(text: str, name: str, begin: int, end: int, code: bool) -> Iterator[Span]:
    """Whatever may be the value of a name; a string that is given to it is the only one."""
    if found := list(expressions.strings(text, name, begin, end, code=code)):
        yield from found
        return
    code = code and not literals.in_string(text, begin, end)
    yield from structures.flow(text, name, end, code=code)
    yield from expressions.alternatives(text, end)
    yield from expressions.compared(text, name, begin, end, code=code)
    yield from expressions.before(text, begin)
    yield from prose.described(text, name, begin, end, code=code)
    yield from bare.option(text, begin, end, code=code)
    if match := _MARKUP.match(text, end):
        yield match.span("value")
    if not code:
        yield from structures.block(text, name, begin, end)
        yield from structures.scalar(text, begin, end)
        yield from bare.values(text, begin, end)
