"""Finds secrets that need no name: in URLs, on command lines, in headers, and by the format of their provider."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from auditlib.secret_spans.names import NOT_A_VALUE, is_credential_name, is_secret_value

Span = tuple[int, int]

_AUTHORITY = re.compile(r"(?:\$\{[^}\n]{0,200}\}++|[^\s\"'<>`])*+")
_REFERENCE = re.compile(r"\$\{[^}]*\}+")
_INNER = re.compile(r":?[-=+](?P<value>[^}$]+)")
_PORT_AND_PATH = re.compile(r"[^@/]*:\d{1,5}/")
_DEFAULT = re.compile(r"\$\{(?P<name>\w{1,80}):?[-=+](?:\$\{\w{1,80}:?[-=+]){0,3}(?P<value>[^}\n]{1,200})\}")
_WORD = re.compile(r"[\w+/=.~:-]{6,4000}")
_HASH = re.compile(r"\$\$?(?:apr1|2[abxy]|argon2\w{0,2}|[156])\$[^\s'\":,;}]{8,200}|\{SHA\}[\w+/=]{8,200}", re.I)
_FORMATS = re.compile(
    r"(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Z])|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_\w{30,255}|glpat-[\w-]{20,255}"
    r"|sk-[\w-]{20,300}|[sr]k_(?:live|test)_[A-Za-z0-9]{10,255}|xox[abeoprs]-[A-Za-z0-9-]{10,300}|AIza[\w-]{35}"
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,300}|SG\.[\w-]{16,80}\.[\w-]{16,80}|dop_v1_[0-9a-f]{64}"
    r"|eyJ[\w-]{8,4000}\.eyJ[\w-]{8,4000}(?:\.[\w-]{0,4000})?|hvs\.[\w-]{20,200}|whsec_[\w+/=]{16,200}"
)
_ADDRESS_TAIL = re.compile(r"[^\s'\"<>`),]{1,300}")
_SCHEME_WORD = re.compile(r"(?P<scheme>bearer|basic|token)\s{1,9}(?P<value>[A-Za-z0-9+/=_.~-]{6,4000})", re.I)
_COMMAND_LINE = re.compile(r"[^\n]{0,600}")
_LIST = r"""["']?[\s,]{1,9}["']?"""
COMMANDS = {
    "redis-cli": re.compile(rf"""["' ](?:-a|--pass){_LIST}(?P<value>[^\s"',\]]+)"""),
    "curl": re.compile(
        r"""(?:-u|--user|--proxy-user)["']?[\s,=]{0,9}["']?[^\s:"'-][^\s:"']{0,100}:(?P<value>[^\s"',\]]+)"""
    ),
    "mysql": re.compile(r"""["' ]-p(?P<value>[^\s"',\]]+)"""),
    "mariadb": re.compile(r"""["' ]-p(?P<value>[^\s"',\]]+)"""),
    "mongo": re.compile(rf"""["' ]-p{_LIST}(?P<value>[^\s"',\]]+)"""),
    "docker login": re.compile(rf"""["' ]-p(?:{_LIST})?(?P<value>[^\s"',\]]+)"""),
    "sshpass": re.compile(rf"""["' ]-p(?:{_LIST})?(?P<value>[^\s"',\]]+)"""),
    "cypher-shell": re.compile(rf"""["' ]-p{_LIST}(?P<value>[^\s"',\]]+)"""),
    "rabbitmqctl add_user": re.compile(r"""add_user\s+\S{1,100}\s+(?P<value>[^\s"']+)"""),
    "rabbitmqctl change_password": re.compile(r"""change_password\s+\S{1,100}\s+(?P<value>[^\s"']+)"""),
    "htpasswd": re.compile(
        r"""\s-\w{0,9}b\w{0,9}\s+(?:-\w+\s+)*(?:\S+\s+)?\S+\s+(?P<value>[^\s"'-][^\s"']*)(?=\s*(?:$|[|>&;"']))"""
    ),
    "echo ": re.compile(
        r"""(?:-n\s+)?["']?(?P<value>[^\s"'|]{4,200})["']?\s{0,9}\|[^\n|]{0,200}--password-stdin"""
    ),
    "ldapsearch": re.compile(rf"""["' ]-w{_LIST}(?P<value>[^\s"',\]]+)"""),
    "identified by": re.compile(r"""identified\s+by\s+["'](?P<value>[^"'\n]+)""", re.I),
}  # fmt: skip


def url(text: str, position: int) -> Iterator[Span]:
    """The password in `scheme://user:password@host`; of a `${NAME:-default}` in its place the default."""
    start = position + 3
    match = _AUTHORITY.match(text, start, start + 400)
    chunk = match[0] if match else ""
    flat = _REFERENCE.sub(lambda found: "x" * len(found[0]), chunk)
    first = flat.find("@")
    if first < 0 or _PORT_AND_PATH.match(flat):
        return
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


def _is_reference(value: str) -> bool:
    """Whether a template's expression stands in the place of a value."""
    return bool(re.fullmatch(r"\$\w+|\$\$?\{.*|\{.*\}|<.*>|%[\w(].*|\*+|\.{3}|\$\(.*", value))


def go_dsn(text: str, position: int) -> Iterator[Span]:
    """`user:password@tcp(host)`, as Go's MySQL driver has it."""
    colon = text.rfind(":", max(0, position - 200), position)
    if colon >= 0 and not re.search(r"[\s\"']", text[colon:position]) and not _is_reference(text[colon + 1 : position]):
        yield colon + 1, position


def default(text: str, position: int) -> Iterator[Span]:
    """The default in `${NAME:-default}`, of the inner one if defaults are nested."""
    match = _DEFAULT.match(text, position)
    if match and is_credential_name(match["name"]):
        start, end = match.span("value")
        if is_secret_value(match["name"], text[start:end]):
            yield start, end


def private_key(text: str, position: int) -> Iterator[Span]:
    """What stands between the first and the last line of a private key."""
    if "BEGIN" in text[max(0, position - 40) : position].upper():
        start = position + len("private key-----")
        end = text.find("-----END", start, start + 20_000)
        yield start, end if end >= 0 else min(len(text), start + 20_000)


def provider(text: str, position: int) -> Iterator[Span]:
    """A key or token by the format that its provider gave it."""
    before = text[position - 1 : position]
    if not (before.isalnum() or before == "_") and (match := _FORMATS.match(text, position)):
        yield match.span()


def password_hash(text: str, position: int) -> Iterator[Span]:
    """A hashed password, as `htpasswd` and crypt(3) write it."""
    if match := _HASH.match(text, position):
        yield match.span()


def scheme(text: str, position: int) -> Iterator[Span]:
    """What follows `Bearer`, `Basic` or `token` in a header, if it is no word of a sentence."""
    match = _SCHEME_WORD.match(text, position)
    if not match or text[position - 1 : position].isalnum():
        return
    value = match["value"]
    digits = any(map(str.isdigit, value))
    if len(value) >= 20 or (digits and (len(value) >= 12 or match["scheme"].lower() == "bearer")):
        yield match.span("value")


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


def command(program: str) -> Callable[[str, int], Iterator[Span]]:
    """The password among the arguments of a program."""

    def handler(text: str, position: int) -> Iterator[Span]:
        line = _COMMAND_LINE.match(text, position)
        for match in COMMANDS[program].finditer(line[0] if line else ""):
            if not NOT_A_VALUE.fullmatch(match["value"]):
                yield position + match.start("value"), position + match.end("value")
                return

    return handler


_PGPASS = re.compile(r":(?:\d{1,5}|\*):[^:\s]{1,100}:[^:\s]{1,100}:(?P<value>[^\s:]\S{0,200})$", re.M)


def pgpass(text: str, position: int) -> Iterator[Span]:
    """`host:port:database:user:password`, a line of .pgpass."""
    if match := _PGPASS.match(text, position):
        yield match.span("value")
