"""Finds where a text holds a secret, by the name before it, the program that takes it, or its provider's format.

Words that hint at a secret are found in one pass; what stands around each hint is looked at within fixed bounds, so
that the time is linear whatever the text. Doubt is settled in favour of hiding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

Span = tuple[int, int]

_CREDENTIAL = re.compile(
    r"(?:password|passwd|passwort|passphrase)s?\d*$"
    r"|(?:^|_)(?:pwd|pass|requirepass|masterauth|secrets?|token|(?:api|auth|access|bot|refresh)tokens?|"
    r"(?:api|private|access|secret|encryption|signing|auth|service|routing|license|master|account|shared|hmac|jwt|app|"
    r"session|deploy|fernet|integration|user|storage|subscription)_?keys?|"
    r"credentials?|webhook(?:_url)?|salt|dsn|bearer(?:_token)?|slack_api_url)\d*$"
)
"""What the end of a variable's name says of a secret, after the name is brought to snake case."""
_PASSWORD = re.compile(r"pass|pwd|secret", re.I)

_NOT_A_VALUE = re.compile(
    r"\$.*|\{.*|%.*%|<.*>|\*+|\.{2,}|[*&!|>].{0,30}|read|write|inherit|true|false|yes|no|on|off|null|none|nil|undefined|"
    r"(?:str|string|int|integer|bool|boolean|bytes|any|object|secretstr|text|char|varchar|uuid)(?:\s*[\[|;(?].*)?|"
    r"optional|required|[\w.]+\(.*|process\.env\b.*|os\.environ\b.*|\.{0,2}/[\w.@-]*(?:/[\w.@{}$-]*)+|[./]+|"
    r"~/.*|\\.|[-–—]+|\[[^\"']*\]?|.{0,7}\$\{\{[^}]*\}\}(?:.{0,7}\$\{\{[^}]*\}\})*.{0,7}",
    re.I | re.S,
)
_VARIABLE_NAME = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
_STOP_WORD = re.compile(r"\b(?:the|an?|of|to|is|are|for|your|and|or|in|with|must|be|this|that|used|from|by)\b", re.I)
_NUMBER = re.compile(r"\d{1,5}")


def is_credential_name(name: str) -> bool:
    """Whether a variable of this name holds a secret, by its ending: `DB_PASSWORD` does, `TOKEN_TTL` doesn't."""
    return _is_credential(name[-120:])


@lru_cache(maxsize=8192)
def _is_credential(name: str) -> bool:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").replace(".", "_").lower()
    return bool(_CREDENTIAL.search(snake))


def is_secret_value(name: str, value: str) -> bool:
    """Whether the value of a variable that holds a secret is one, and no reference, type, switch or path."""
    bare = value.strip()
    if not bare or _NOT_A_VALUE.fullmatch(bare) or _VARIABLE_NAME.fullmatch(bare) or _is_sentence(bare):
        return False
    return not _NUMBER.fullmatch(bare) or bool(_PASSWORD.search(name))


def _is_sentence(value: str) -> bool:
    """Whether a value describes the secret (`the key that signs tokens`); a passphrase has no such small words."""
    return value.count(" ") >= 2 and len(value) < 500 and bool(_STOP_WORD.search(value))


def find(text: str, *, code: bool = False) -> list[Span]:
    """The spans of `text` that hold a secret; one may stand inside another. In code only quoted text is a value."""
    found: list[Span] = []
    last = 0
    for kind, start in _hits(_lower(text)):
        handler = _HANDLERS[kind]
        if handler is _named:
            if start < last:
                continue  # inside a name that was looked at
            begin, last = _name_around(text, start)
            spans = list(_named(text, begin, last, code))
            last = max([last, *(end for _, end in spans)])  # what stands in a secret is hidden with it
            found += spans
        else:
            found += handler(text, start)
    return [span for span in found if span[0] < span[1]]


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


# -- a name and what follows it ------------------------------------------------------------------------------------

_NAME_BACK = re.compile(r"[\w.-]*")
_CALL = r"(?:[A-Za-z_][\w.]{0,60}\(\s{0,200}(?:default\s{0,9}=\s{0,9})?)?"
_CLOSE = r"""\\?["'`*_\])]{0,4}"""
_OPERATOR = r"(?:=>|:=|=(?![=~>])|\??:(?![-?+=:/])(?:[ \t]{0,9}[\w.\[\]|, ]{1,80}=(?![=>]))?|\|\||\?\?|or\b|is\b|/)"
_QUOTED = re.compile(
    rf"""{_CLOSE}(?:\s{{0,200}}{_OPERATOR}\s{{0,200}}(?:"?(?:default|value)"?\s{{0,9}}[=:]\s{{0,9}})?{_CALL}"""
    rf"""|["']?,?\s{{1,200}}"?value"?\s{{0,9}}:\s{{0,9}}|(?P<lookup>["'])\s{{0,200}},\s{{0,200}}(?:default\s{{0,9}}=\s{{0,9}})?)[*_]{{0,2}}[bfruBFRU]{{0,2}}(?P<quote>\\?["'`])"""
)
_BARE = re.compile(
    r"""["'`*\]]{0,3}[ \t]{0,40}(?P<operator>=(?![=~>])|:(?![-?+=:/]))[ \t]{0,40}(?=[^\s"'])"""
)
_BLOCK = re.compile(
    r"""["']?[ \t]{0,9}:[ \t]{1,9}[|>][-+\d]{0,2}[ \t]{0,9}\n(?P<lines>(?:[ \t]+[^\n]{1,4000}\n?){1,100})"""
)
_ITEM = re.compile(r"""["']?\s{1,200}value:[ \t]{1,40}(?=[^\s"'])""")
_FLAG = re.compile(
    r"""["']?(?:[ \t]{1,40}|=|\s{0,200},\s{0,200}|[ \t]{0,9}\n[ \t]{0,100}-[ \t]{1,9})\\?(?P<quote>["']?)"""
)
_SPACED = re.compile(r"""["']?[ \t]{1,40}(?P<quote>["']?)(?=[^\s=:|])""")
_SPACED_BEFORE = re.compile(
    r"(?:^|\s)(?:ENV|ARG|export|set|setx|setenv|proxy_set_header|add_header|fastcgi_param|login\s+\S{1,100})\s+$", re.I
)
_MARKUP = re.compile(r">(?P<value>[^<>\n]{1,500})</")
_CELL = re.compile(r"`?[ \t]{0,40}\|[ \t]{0,40}`?(?P<value>[^\s|`]{1,200})`?[ \t]{0,40}(?:\||$)", re.M)
_OWN_LINE = re.compile(r"""[\s\-#>*"'`;]*(?:(?:export|ENV|ARG)\s+)?""")
_TOKEN = re.compile(r"[^\s,;]{1,4000}")
_LINE = re.compile(r"[^\n]{1,4000}")
_UNTIL = {
    '"': re.compile(r'(?:\\.|[^"\\\n])*+'),
    "'": re.compile(r"(?:\\.|''|[^'\\\n])*+"),
    "`": re.compile(r"[^`\n]*+"),
}


def _name_around(text: str, position: int) -> Span:
    """Where the name that holds a hint begins and ends."""
    begin = position
    while begin > 0 and position - begin < 80 and (text[begin - 1].isalnum() or text[begin - 1] in "_.-"):
        begin -= 1
    while text[begin] in ".-" and begin < position:
        begin += 1
    match = _NAME_BACK.match(text, position, position + 200)
    return begin, match.end() if match else position + 1


def _named(text: str, begin: int, end: int, code: bool) -> Iterator[Span]:
    """The value of a name that says of itself that it holds a secret."""
    if text[begin - 2 : begin] == "${" and begin > 1:
        return  # a variable's default is looked for where its brace opens
    name = text[begin:end].rstrip(".-_") if end - begin > 1 else text[begin:end]
    end = begin + len(name)
    if not is_credential_name(name) and not _is_encoded_login(name, text, end):
        return
    for first, last in _values(text, begin, end, code):
        if is_secret_value(name, text[first:last]):
            yield first, last


def _values(text: str, begin: int, end: int, code: bool) -> Iterator[Span]:
    if (match := _QUOTED.match(text, end)) and _gives_a_value(text, begin, match):
        yield _quoted(text, match.end(), match["quote"])
        return
    if begin and text[begin - 1] == "-" and (match := _FLAG.match(text, end)):
        yield from _flag(text, match)
    if match := _MARKUP.match(text, end):
        yield match.span("value")
    if code:
        return
    if match := _BLOCK.match(text, end):
        yield from _block(match)
    elif match := _BARE.match(text, end):
        yield _bare(text, begin, match)
    elif match := _ITEM.match(text, end):
        yield _trimmed(text, match.end(), _LINE)
    elif (match := _CELL.match(text, end)) and (any(map(str.isdigit, match["value"])) or "`" in match[0][1:]):
        yield match.span("value")
    elif (match := _SPACED.match(text, end)) and _takes_a_space(text, begin, end):
        yield _quoted(text, match.end(), match["quote"]) if match["quote"] else _trimmed(text, match.end(), _TOKEN)


def _gives_a_value(text: str, begin: int, match: re.Match[str]) -> bool:
    """A string after a comma is a value only where a function is called with name and value; code fences are none."""
    if match["lookup"]:
        before = text[max(0, begin - 60) : begin - 1].rstrip()
        return before.endswith("(") and before[-2:-1].isalnum()
    return match["quote"] != "`" or ("\n" not in match[0] and text[match.end() : match.end() + 1] != "`")


def _quoted(text: str, start: int, quote: str) -> Span:
    """What stands in quotes, up to the closing one or the end of the line; three quotes may hold several lines."""
    mark = quote[-1]
    if quote != mark:  # escaped, as the whole stands in a string itself
        end = text.find(quote, start, start + 10_000)
        return start, max(end, start)
    if text[start : start + 2] == mark * 2:
        end = text.find(mark * 3, start + 2)
        return (start + 2, end) if 0 <= end - start < 10_000 else (start, start)
    match = _UNTIL[mark].match(text, start, start + 10_000)
    end = match.end() if match else start
    return start, end


def _flag(text: str, match: re.Match[str]) -> Iterator[Span]:
    if match["quote"]:
        yield _quoted(text, match.end(), match["quote"])
    elif text[match.end() : match.end() + 1] not in ("-", "]", ""):
        yield _trimmed(text, match.end(), _TOKEN)


def _block(match: re.Match[str]) -> Iterator[Span]:
    """The lines of a block scalar."""
    for line in re.finditer(r"[^\s][^\n]*", match["lines"]):
        yield match.start("lines") + line.start(), match.start("lines") + line.end()


def _bare(text: str, begin: int, match: re.Match[str]) -> Span:
    """A value without quotes: of YAML's `name: value` all of the line, else a word."""
    start = text.rfind("\n", max(0, begin - 200), begin) + 1
    own_line = match["operator"] == ":" and match[0][-1] in " \t" and _OWN_LINE.fullmatch(text, start, begin)
    return _trimmed(text, match.end(), _LINE if own_line else _TOKEN)


def _trimmed(text: str, start: int, pattern: re.Pattern[str]) -> Span:
    """A bare value, without the comment, the bracket or the further parameter behind it."""
    match = pattern.match(text, start)
    value = match[0] if match else ""
    value = re.split(r"\s#|&\w+=|\\n", value, maxsplit=1)[0].rstrip()
    while value and (value[-1] in "\"'`\\" or (value[-1] in ")]}>" and value.count(_OPENING[value[-1]]) == 0)):
        value = value[:-1]
    return start, start + len(value)


_OPENING = {")": "(", "]": "[", "}": "{", ">": "<"}


def _takes_a_space(text: str, begin: int, end: int) -> bool:
    """Whether a space is enough between this name and its value (`ENV NAME value`, `requirepass value`, `.netrc`)."""
    if text[begin:end].lower() in ("requirepass", "masterauth"):
        return True
    start = text.rfind("\n", max(0, begin - 200), begin) + 1
    return bool(_SPACED_BEFORE.search(text[max(start, begin - 150) : begin]))


def _is_encoded_login(name: str, text: str, end: int) -> bool:
    """`auth` of Docker's config.json and `_auth` of .npmrc hold user and password in base64."""
    return name.lower() in ("auth", "_auth") and bool(_ENCODED.match(text, end))


_ENCODED = re.compile(r"""["']?\s{0,9}[:=]\s{0,9}["']?(?=[a-z+/_-]{0,60}[A-Z0-9])[\w+/-]{12,}={0,2}""")

# -- what needs no name --------------------------------------------------------------------------------------------

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
_COMMANDS = {
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
    "ldapsearch": re.compile(rf"""["' ]-w{_LIST}(?P<value>[^\s"',\]]+)"""),
    "identified by": re.compile(r"""identified\s+by\s+["'](?P<value>[^"'\n]+)""", re.I),
}  # fmt: skip


def _url(text: str, position: int) -> Iterator[Span]:
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


def _go_dsn(text: str, position: int) -> Iterator[Span]:
    """`user:password@tcp(host)`, as Go's MySQL driver has it."""
    colon = text.rfind(":", max(0, position - 200), position)
    if colon >= 0 and not re.search(r"[\s\"']", text[colon:position]) and not _is_reference(text[colon + 1 : position]):
        yield colon + 1, position


def _default(text: str, position: int) -> Iterator[Span]:
    match = _DEFAULT.match(text, position)
    if match and is_credential_name(match["name"]):
        start, end = match.span("value")
        if is_secret_value(match["name"], text[start:end]):
            yield start, end


def _private_key(text: str, position: int) -> Iterator[Span]:
    """What stands between the first and the last line of a private key."""
    if "BEGIN" in text[max(0, position - 40) : position].upper():
        start = position + len("private key-----")
        end = text.find("-----END", start, start + 20_000)
        yield start, end if end >= 0 else min(len(text), start + 20_000)


def _provider(text: str, position: int) -> Iterator[Span]:
    before = text[position - 1 : position]
    if not (before.isalnum() or before == "_") and (match := _FORMATS.match(text, position)):
        yield match.span()


def _hash(text: str, position: int) -> Iterator[Span]:
    if match := _HASH.match(text, position):
        yield match.span()


def _scheme(text: str, position: int) -> Iterator[Span]:
    """What follows `Bearer`, `Basic` or `token` in a header, if it is no word of a sentence."""
    match = _SCHEME_WORD.match(text, position)
    if not match or text[position - 1 : position].isalnum():
        return
    value = match["value"]
    digits = any(map(str.isdigit, value))
    if len(value) >= 20 or (digits and (len(value) >= 12 or match["scheme"].lower() == "bearer")):
        yield match.span("value")


def _after(hint: str) -> Callable[[str, int], Iterator[Span]]:
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


def _command(program: str) -> Callable[[str, int], Iterator[Span]]:
    """The password among the arguments of a program."""

    def handler(text: str, position: int) -> Iterator[Span]:
        line = _COMMAND_LINE.match(text, position)
        for match in _COMMANDS[program].finditer(line[0] if line else ""):
            if not _NOT_A_VALUE.fullmatch(match["value"]):
                yield position + match.start("value"), position + match.end("value")
                return

    return handler


_PGPASS = re.compile(r":(?:\d{1,5}|\*):[^:\s]{1,100}:[^:\s]{1,100}:(?P<value>[^\s:]\S{0,200})$", re.M)


def _pgpass(text: str, position: int) -> Iterator[Span]:
    """`host:port:database:user:password`, a line of .pgpass."""
    if match := _PGPASS.match(text, position):
        yield match.span("value")


_NAME_HINTS = ("pass", "pwd", "secret", "token", "key", "credential", "webhook", "salt", "dsn", "bearer", "auth",
               "slack_api_url")  # fmt: skip
_PROVIDER_HINTS = ("akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "sk_live_",
                   "sk_test_", "rk_live_", "rk_test_", "xox", "aiza", "npm_", "pypi-", "sg.", "dop_v1_", "eyj", "hvs.",
                   "whsec_")  # fmt: skip
_HASH_HINTS = ("$apr1$", "$2y$", "$2a$", "$2b$", "$2x$", "$argon2", "$5$", "$6$", "$1$", "{sha}",
               "$$apr1$", "$$2y$", "$$2a$", "$$2b$")  # fmt: skip
_ADDRESSES = ("hooks.slack.com/services/", "hooks.slack.com/workflows/", "discord.com/api/webhooks/",
              "discordapp.com/api/webhooks/", "outlook.office.com/webhook/", "webhook.office.com/webhookb2/",
              "api.telegram.org/bot", "hooks.zapier.com/hooks/catch/", "chat.googleapis.com/v1/spaces/")  # fmt: skip
_PORT_HINTS = (":5432:", ":6432:", ":5433:", ":*:")

_HINTS: list[tuple[str, Callable[..., Iterator[Span]]]] = [
    *((hint, _named) for hint in _NAME_HINTS),
    *((hint, _provider) for hint in _PROVIDER_HINTS),
    *((hint, _hash) for hint in _HASH_HINTS),
    *((hint, _after(hint)) for hint in _ADDRESSES),
    *((hint, _command(hint)) for hint in _COMMANDS),
    *((hint, _scheme) for hint in ("bearer ", "basic ", "token ")),
    *((hint, _pgpass) for hint in _PORT_HINTS),
    ("://", _url),
    ("@tcp(", _go_dsn),
    ("${", _default),
    ("private key-----", _private_key),
]
_PART = 500_000
_LONGEST_HINT = max(len(hint) for hint, _ in _HINTS)
_HANDLERS = [handler for _, handler in _HINTS]


@cache
def _hints() -> AhoCorasick:
    import ahocorasick_rs  # here, so that what never masks never pays for it

    return ahocorasick_rs.AhoCorasick([hint for hint, _ in _HINTS], matchkind=ahocorasick_rs.MatchKind.Standard)
