"""Keeps secret values inside the process.

A secret is shown as its length and a short salted hash, never as itself. Two things work together: a value whose
*name* or *place* says that it is a secret is masked where it stands (`mask`), and a value that is distinctive enough
to be recognised elsewhere is masked everywhere, whatever the context (`Vault.mask`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

_SHOWN_DIGEST = 4
_SALT = b"auditlib"

_CREDENTIAL = re.compile(
    r"(?:^|_)(?:password|passwd|passwort|pwd|pass|passphrase|requirepass|masterauth|secret|secrets|token|"
    r"(?:api|private|access|secret|encryption|signing|auth|service|routing|license|master|account|shared|hmac)_?key|"
    r"apikey|credential|credentials|webhook(?:_url)?|salt|cookie_secret|dsn|bearer(?:_token)?|slack_api_url)(?:\d*)$"
)
"""What the end of a variable's name says of a secret, after the name is brought to snake case."""

_URL_CREDENTIALS = re.compile(
    r"[a-z][a-z0-9+.-]{1,30}://(?:\$\{[^}\n]*\}|[^\s:/@'\"<>$]){0,200}:"
    r"(?:\$\{\w+:?[-=](?P<default>[^}\n$]+)\}|(?P<value>(?:\$\{[^}\n]*\}|[^\s@'\"<>]){1,500}))@",
    re.I,
)
_PROVIDER = re.compile(
    r"(?P<value>"
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,255}\b|\bgithub_pat_[A-Za-z0-9_]{30,255}\b|\bglpat-[\w-]{20,}\b"
    r"|\bsk-(?:proj-|ant-|live-)?[A-Za-z0-9_-]{20,}\b|\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAIza[0-9A-Za-z_-]{35}\b|\bnpm_[A-Za-z0-9]{36}\b|\bSG\.[\w-]{16,}\.[\w-]{16,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"
    r"|(?<=hooks\.slack\.com/services/)[\w/+-]+|(?<=discord\.com/api/webhooks/)[\w/+-]+"
    r"|(?<=outlook\.office\.com/webhook/)[^\s'\"]+"
    r")"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*(?P<value>[^-]{16,}?)\s*(?:-----END|\Z)", re.S
)
_ASSIGNMENT = re.compile(
    r"""(?<![\w.-])(?P<name>[A-Za-z][\w.-]{1,80}+)["']?
        (?:[ \t]*:(?![-?+=])[ \t]*(?:[\w.\[\]|]{1,60}[ \t]*=(?!=))?|[ \t]*=(?!=))[ \t]*
        (?:(?P<quote>["'])(?P<quoted>(?:\\.|(?!(?P=quote))[^\n\\])*)(?P=quote)
          |(?P<bare>[^\s"'#,;&|()\[\]{}<>`?+]++)(?![(\[]))""",
    re.X,
)
_DEFAULT = re.compile(r"\$\{(?P<name>\w{1,80}):?[-=+](?P<value>[^}\n$]{1,500})\}")
_LOOKUP = re.compile(
    r"""["'](?P<name>\w{2,80})["']\s*,\s*(?:default\s*=\s*)?(?P<quote>["'])(?P<value>(?:\\.|(?!(?P=quote))[^\n\\])+)(?P=quote)"""
)
_FLAG = re.compile(
    r"""(?<![\w-])--?(?P<name>[a-z][\w-]*)["']?(?:\s*,\s*|\s+|=)["']?(?P<value>[^\s"',\]]+)""", re.I
)
_FIELD = re.compile(
    r"""(?P<name>[A-Za-z]\w+)\s*(?::[^=\n]*)?=\s*Field\(\s*(?:default\s*=\s*)?(?P<quote>["'])(?P<value>[^"'\n]+)(?P=quote)"""
)
_SPACED = re.compile(r"^\s*(?:ENV|ARG|export|set)\s+(?P<name>\w+)[ \t]+(?P<value>[^\s=]+)\s*$", re.M)
_PROSE = re.compile(r"(?i)\b(?P<name>password|passwd|passphrase|token|secret|api key)\b[*_]*\s*(?:is|:|=|/)\s*[*_]*`(?P<value>[^`\n]+)`")
_BEARER = re.compile(r"(?i)\b(?P<name>bearer|basic|token)\s+(?P<value>[A-Za-z0-9+/=_.-]{12,})")
_REDIS_AUTH = re.compile(r"""redis-cli\b[^\n]*?["' ]-a["',\s]+(?P<value>[^\s"',\]]+)""")
_CURL_USER = re.compile(r"""(?:-u|--user)["']?[\s,=]+["']?[\w.@-]+:(?P<value>[^\s"',\]]+)""")
_MYSQL = re.compile(r"""mysql(?:dump|admin)?\b[^\n]*?\s-p(?P<value>[^\s"']+)""")

_NOT_A_VALUE = re.compile(
    r"^(?:\$.*|read|write|inherit|<.*>|\{\{.*|%.*%|\*+|\.{2,}|true|false|yes|no|on|off|null|none|nil|str|int|bool|string|"
    r"optional|required|\d{1,5}|/\S*|\.{0,2}/\S*|str\b.*|secretstr\b.*)$",
    re.I,
)

_PLACEHOLDER = re.compile(
    r"(?i)change|replace|your[-_ ]|example|placeholder|todo|fixme|dummy|insert|xxx+|<[^>]+>|^\*+$|^\.\.\.$"
)
_WEAK = re.compile(
    r"(?i)^(?:(?:pass|passw[o0]rd|secret|admin|root|user|test|guest|default|postgres|mysql|redis|rabbitmq|mongo|minio|"
    r"grafana|prometheus|demo|dev|local|letmein|qwerty|welcome|minioadmin|example)[-_]?)+[\d!]{0,6}$|^\d{1,8}$"
)


def is_credential_name(name: str) -> bool:
    """Whether a variable of this name holds a secret, by its ending: `DB_PASSWORD` does, `TOKEN_TTL` doesn't."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").replace(".", "_").lower()
    return bool(_CREDENTIAL.search(snake))


@dataclass(frozen=True, slots=True)
class Value:
    """A value that may be shown. Of a secret only `length`, `digest`, `identity` and the judgements below remain."""

    text: str
    """What may be shown: the value, with every secret in it masked."""
    secret: bool = False
    """Whether the value is, or holds, a secret."""
    length: int = 0
    digest: str = ""
    """A short salted hash; for people to compare by eye. Never compare by it."""
    identity: int = 0
    """Equal for equal secrets of one audit, 0 for what is no secret."""
    placeholder: bool = False
    """Whether it says of itself that it is to be replaced (`change-me`)."""
    weak: bool = False
    """Whether it is a well-known or trivially guessed value (`password123`)."""

    def __str__(self) -> str:
        return self.text


_HINT = re.compile(
    r"pass|pwd|secret|token|key|credential|webhook|salt|dsn|bearer|basic |://|slack|AKIA|ASIA|gh[pousr]_|glpat|sk-|"
    r"xox|AIza|npm_|SG\.|eyJ|redis-cli|curl|mysql|-u|_live_|_test_",
    re.I,
)
"""A cheap sign that a line may hold a secret; lines without one are not looked at again."""
_LINE_LIMIT = 20_000
_BY_CONTEXT = (_PROVIDER, _REDIS_AUTH, _CURL_USER, _MYSQL, _BEARER, _PROSE)
_BY_NAME = (_DEFAULT, _LOOKUP, _FLAG, _FIELD, _SPACED)


def _secrets(text: str, *, code: bool = False) -> Iterator[tuple[int, int]]:
    """The spans of `text` that hold a secret by their context. In code only what stands in quotes is a value."""
    if "PRIVATE KEY-----" in text:
        yield from (match.span("value") for match in _PRIVATE_KEY.finditer(text))
    position = 0
    while hint := _HINT.search(text, position):
        start = text.rfind("\n", 0, hint.start()) + 1
        end = text.find("\n", hint.end())
        position = end = len(text) if end < 0 else end
        line = text[start : min(end, start + _LINE_LIMIT)]
        yield from ((start + first, start + last) for first, last in _secrets_of_line(line, code))


def _secrets_of_line(line: str, code: bool) -> Iterator[tuple[int, int]]:
    for match in _URL_CREDENTIALS.finditer(line):
        group = "value" if match["default"] is None else "default"
        if not _NOT_A_VALUE.match(match[group]):
            yield match.span(group)
    for pattern in _BY_CONTEXT:
        for match in pattern.finditer(line):
            if not _NOT_A_VALUE.match(match["value"]):
                yield match.span("value")
    for pattern in _BY_NAME:
        for match in pattern.finditer(line):
            if is_credential_name(match["name"]) and not _NOT_A_VALUE.match(match["value"]):
                yield match.span("value")
    for match in _ASSIGNMENT.finditer(line):
        group = "bare" if match["quoted"] is None else "quoted"
        if (group == "quoted" or not code) and is_credential_name(match["name"]) and match[group]:
            if not _NOT_A_VALUE.match(match[group]):
                yield match.span(group)


def _distinctive(value: str) -> bool:
    """Whether a secret can be told from an ordinary word, so that masking it everywhere hides nothing else."""
    return len(value) >= 6 and (len(value) >= 20 or not value.isalpha())


def shown(value: str) -> str:
    """How a secret appears in every output: its length and a short salted hash."""
    return f"‹secret, {len(value)} characters, #{_digest(value)}›"


def _digest(value: str) -> str:
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), key=_SALT).hexdigest()[:_SHOWN_DIGEST]


@dataclass
class Vault:
    """All the secret values that an audit has met, so that none of them leaves it."""

    _known: dict[str, int] = field(default_factory=dict)
    _allowed: set[str] = field(default_factory=set)
    _matcher: AhoCorasick | None = None

    def allow(self, *names: str) -> None:
        """Names that are shown whatever happens: a service called `redis` stays `redis` when it is a password too."""
        self._allowed.update(names)
        self._matcher = None

    def learn(self, text: str, *, code: bool = False) -> None:
        """Remember every secret that `text` holds by its context."""
        for start, end in _secrets(text, code=code):
            self._remember(text[start:end])

    def value(self, name: str, text: str) -> Value:
        """The value of a variable as it may be passed on; it is a secret by its name or by what stands in it."""
        bare = text.strip()
        if is_credential_name(name) and bare and not _NOT_A_VALUE.match(bare):
            return Value(
                text=shown(text), secret=True, length=len(text), digest=_digest(text), identity=self._remember(text),
                placeholder=bool(_PLACEHOLDER.search(bare)), weak=bool(_WEAK.match(bare)),
            )
        spans = list(_secrets(text))
        if not spans:
            return Value(text=self.mask(text), length=len(text), placeholder=bool(_PLACEHOLDER.search(text)))
        first = text[slice(*spans[0])]
        identities = [self._remember(text[start:end]) for start, end in spans]
        return Value(
            text=self.mask(text), secret=True, length=len(first), digest=_digest(first), identity=identities[0],
            placeholder=bool(_PLACEHOLDER.search(first)), weak=bool(_WEAK.match(first)),
        )

    def mask(self, text: str) -> str:
        """`text` with every secret replaced by its length and hash."""
        masked = _replace(text, sorted(_secrets(text)))
        if not self._known:
            return masked
        found = [(start, end) for _, start, end in self._search().find_matches_as_indexes(masked)]
        return _replace(masked, found)

    def _remember(self, value: str) -> int:
        if value not in self._known:
            self._known[value] = len(self._known) + 1
            self._matcher = None
        return self._known[value]

    def _search(self) -> AhoCorasick:
        if self._matcher is None:
            import ahocorasick_rs  # here, so that what never masks never pays for it

            words = [word for word in self._known if _distinctive(word) and word not in self._allowed]
            self._matcher = ahocorasick_rs.AhoCorasick(words, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)
        return self._matcher


def _replace(text: str, spans: list[tuple[int, int]]) -> str:
    parts: list[str] = []
    position = 0
    for start, end in spans:
        if start >= position:
            parts += [text[position:start], shown(text[start:end])]
            position = end
    return "".join([*parts, text[position:]])
