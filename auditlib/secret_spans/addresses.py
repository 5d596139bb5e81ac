"""Finds secrets in addresses: the password before the host, the token in a query, the path that is a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from auditlib.patterns import regex
from auditlib.secret_spans.names import NOT_A_VALUE

Span = tuple[int, int]

_AUTHORITY = regex(r"(?:\$\{[^}\n]{0,200}\}++|[^\s\"'<>`])*+")
_REFERENCE = regex(r"\$\{[^}]*\}+")
_INNER = regex(r":?[-=+](?P<value>[^}$]+)")
_PORT_AND_PATH = regex(r"[^@/]*:\d{1,5}/")
_GIT_TOKEN = regex(r"(?P<value>[^@:/]+)(?::(?:x-oauth-basic)?)?@[\w.-]*(?:git|bitbucket|dev\.azure)", re.I)
_GIT_USERS = frozenset({"git", "x-access-token", "oauth2", "x-oauth-basic", "gitlab-ci-token", "hg"})
_HOOK = regex(r"[\w.-]+(?::\d+)?/hooks/(?P<value>[A-Za-z0-9_-]{8,})")


def url(text: str, position: int) -> Iterator[Span]:
    """The password in `scheme://user:password@host`; of a `${NAME:-default}` in its place the default."""
    start = position + 3
    match = _AUTHORITY.match(text, start, start + 400)
    chunk = match[0] if match else ""
    if hook := _HOOK.match(chunk):
        yield start + hook.start("value"), start + hook.end("value")
    flat = _REFERENCE.sub(lambda found: "x" * len(found[0]), chunk)
    first = flat.find("@")
    if first < 0 or _PORT_AND_PATH.match(flat):
        return
    yield from _git_token(chunk, start)
    slash = flat.find("/", first)
    at = flat.rfind("@", 0, slash if slash >= 0 else len(flat))
    colon = flat.find(":", 0, at)
    if colon < 0 or "/" in flat[:colon]:
        return
    value = chunk[colon + 1 : at]
    if (reference := _REFERENCE.fullmatch(value)) is None:
        if not _is_reference(value):
            yield start + colon + 1, start + at
    elif inner := _INNER.search(reference[0]):
        yield start + colon + 1 + inner.start("value"), start + colon + 1 + inner.end("value")


def _git_token(chunk: str, start: int) -> Iterator[Span]:
    """Hosts of Git take a token as the user, without a password."""
    match = _GIT_TOKEN.match(chunk)
    if match and match["value"] not in _GIT_USERS and not _is_reference(match["value"]):
        yield start + match.start("value"), start + match.end("value")


def _is_reference(value: str) -> bool:
    """Whether a template's expression stands in the place of a value."""
    return bool(re.fullmatch(r"\$\w+|\$\$?\{.*|\{.*\}|<.*>|%[\w(].*|\*+|\.{3}|\$\(.*", value))


_LOGIN_BEFORE = regex(r"(?<![\w.+%:@/-])(?P<user>[\w.+%-]{0,60}):(?P<value>[^\s:@/\"'`<>()\[\]{},;|]{1,100})$")
_HOST_AFTER = regex(r"@(?:(?:\w{1,10})?\([\w.-]+:\d|[A-Za-z][\w-]*(?:\.[\w-]+)*(?::\d{2,5}\b|/|(?=[\s\"'`,;]|$)))")
_NO_USERS = frozenset({
    "mailto", "npm", "sip", "sips", "xmpp", "acct", "git", "ssh", "file", "link", "workspace", "patch", "portal", "to",
    "cc", "bcc", "from", "email", "e-mail", "mail", "github", "gitlab", "image",
})  # fmt: skip
"""What stands before a colon and an address without being a user."""


def login_at_host(text: str, position: int) -> Iterator[Span]:
    """`user:password@host` without a scheme, and `user:password@tcp(host)` as Go's MySQL driver has it."""
    if not _HOST_AFTER.match(text, position):
        return
    start = max(0, position - 170)
    match = _LOGIN_BEFORE.search(text[start:position])
    if match and match["user"].lower() not in _NO_USERS and not NOT_A_VALUE.fullmatch(match["value"]):
        yield start + match.start("value"), position


_QUERY = regex(r"[\w-]{1,40}=(?P<value>[^\s&\"'`<>)\]}#,;\\]{1,1000})")


def query(text: str, position: int) -> Iterator[Span]:
    """The value of a parameter of an address whose name is a secret's only there (`?key=`, `&sig=`)."""
    match = _QUERY.match(text, position + 1)
    if match and not NOT_A_VALUE.fullmatch(match["value"]):
        yield match.span("value")


_ADDRESS_TAIL = regex(r"[^\s'\"<>`),]{1,300}")


def after(hint: str) -> Callable[[str, int], Iterator[Span]]:
    """The rest of an address whose path is the secret."""

    def handler(text: str, position: int) -> Iterator[Span]:
        match = _ADDRESS_TAIL.match(text, position + len(hint))
        if match and not match[0].startswith(("<", "$", "{")):
            tail = match[0].partition("/")[0] if hint.endswith("/bot") else match[0]
            end = match.start() + len(tail)
            yield match.start(), end
            last = max(tail.rfind("/"), tail.rfind(":")) + 1
            if len(tail) - last >= 8:
                yield match.start() + last, end

    return handler
