"""Keeps secret values inside the process.

A secret is shown as its length and a short salted hash, never as itself. Two things work together: a value whose
*name* or *place* says that it is a secret is masked where it stands (`mask`), and a value that is distinctive enough
to be recognised elsewhere is masked everywhere, whatever the context (`Vault.mask`).
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field

from auditlib import secret_spans
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.secret_spans import is_credential_name, is_secret_value, only_hints_at_login
from auditlib.secret_spans.known import KnownWords

__all__ = ["Value", "Vault", "host_of", "is_credential_name", "is_secret_value", "shown"]

_SHOWN_DIGEST = 4
_SALT = b"auditlib"

_PLACEHOLDER = regex(
    r"(?i)(?<![a-z])(?:change|replace|your[-_ /]|your\b|example|placeholder|todo\b|fixme|dummy|insert|"
    r"substitua|substituir|troque|altere|coloque|cambi(?:a|ar|e|ame)(?![a-z])|reempla[cz]|ersetz|remplace)|"
    r"(?:^|[-_ ])(?:not|never)[-_ ](?:for|in|use[-_ ]in)[-_ ]prod|xxx+|<[^<>]+>|"
    r"^\*+$|^\.\.\.$"
)
_WEAK = regex(
    r"(?i)^(?:(?:pass|passw[o0]rd|secret|admin|root|user|test|guest|default|postgres|mysql|redis|rabbitmq|mongo|minio|"
    r"grafana|prometheus|demo|dev|local|letmein|qwerty|welcome|minioadmin|example)[-_]?){1,6}[\d!]{0,6}$|^\d{1,8}$"
)
_WORDS = regex(r"\w{6,}")


class Value(Struct, frozen=True):
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
    generated: bool = False
    """Whether it looks as a program made it: long, of mixed characters, without words."""

    def __str__(self) -> str:
        return self.text


def _distinctive(value: str) -> bool:
    """Whether a secret can be told from an ordinary word, so that masking it everywhere hides nothing else."""
    return len(value) >= 6 and (len(value) >= 20 or not value.isalpha())


_HEXADECIMAL = regex(r"(?:[0-9a-f]{24,}|[0-9A-F]{24,})")
_RANDOM = regex(r"(?<![\w/.+-])[A-Za-z0-9_-]{20,500}(?![\w/.+-])")
_SEQUENCE = regex(r"01234567|12345678|abcdef01|abcdefgh|(.)\1{4}|(.{2,8})\2\2", re.I)
_WORD_RUN = regex(r"[A-Z]?[a-z]{6,}")


def _is_generated(value: str) -> bool:
    """Whether a value is random to all appearances: hexadecimal digits, or letters of both cases and digits."""
    if len(value) < 16 or re.search(r"\s", value) or _SEQUENCE.search(value):
        return False
    if _HEXADECIMAL.fullmatch(value):
        return len(set(value)) >= 8
    kinds = (any(map(str.islower, value)), any(map(str.isupper, value)), sum(map(str.isdigit, value)) >= 2)
    return all(kinds) and len(set(value)) >= len(value[:32]) // 2 and not _WORD_RUN.search(value)


def _generated(text: str) -> list[tuple[int, int]]:
    """Where something random stands, which nobody but a program would write: it may be a secret without a name."""
    return [match.span() for match in _RANDOM.finditer(text) if _is_random(match[0])]


@lru_cache(maxsize=8192)
def _is_random(word: str) -> bool:
    """Letters of both cases and digits in disorder; hexadecimal digests of images and commits are no secrets."""
    return _is_generated(word) and not _HEXADECIMAL.fullmatch(word)


def shown(value: str) -> str:
    """How a secret appears in every output: its length and a short salted hash."""
    return f"‹secret, {counted(len(value), 'character')}, #{_digest(value)}›"


_QUOTED = regex(r"""(?<!\w)(?:'[^'\n]*'|"[^"\n]*"|`[^`\n]*`)(?!\w)""")
SHOWN = regex(r"‹secret, \d+ characters?, #[0-9a-f]{4}›")
"""A secret as `shown` has it."""


def host_of(address: str) -> str:
    """The host of an address, whose password may be masked; empty where it has none."""
    bare = SHOWN.sub("hidden", address)
    try:
        return urlsplit(bare if "://" in bare else f"//{bare}").hostname or ""
    except ValueError:
        return ""


def _digest(value: str) -> str:
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), key=_SALT).hexdigest()[:_SHOWN_DIGEST]


class Vault(Struct):
    """All the secret values that an audit has met, so that none of them leaves it."""

    _known: dict[str, int] = field(default_factory=dict)
    _allowed: set[str] = field(default_factory=set)
    _searched: KnownWords = field(default_factory=KnownWords)
    _parts: set[str] | None = None

    def allow(self, *names: str) -> None:
        """Names that are shown whatever happens: a service called `redis` stays `redis` when it is a password too."""
        self._allowed.update(names)
        if any(name in self._known for name in names):
            self._searched = KnownWords(word for word in self._known if self._is_searched(word))
            self._parts = None

    def learn(self, text: str, *, code: bool = False, env: bool = False) -> None:
        """Remember every secret that `text` holds by its context."""
        for start, end in sorted(secret_spans.find(text, code=code, env=env)):
            self._remember(text[start:end])

    def value(self, name: str, text: str, words: Collection[str] = ()) -> Value:
        """The value of a variable as it may be passed on; it is a secret by its name or by what stands in it.

        `words` are secret wherever they stand in this text, though not elsewhere.
        """
        bare = text.strip()
        if is_credential_name(name) and is_secret_value(name, bare, quoted=True):
            return Value(
                text=shown(text),
                secret=True,
                length=len(text),
                digest=_digest(text),
                identity=self._remember(text),
                placeholder=bool(_PLACEHOLDER.search(bare)),
                weak=bool(_WEAK.match(bare)),
                generated=_is_generated(bare),
            )
        spans = secret_spans.union(_in_value(name, text) + _places(words, text))
        if not spans or only_hints_at_login(name, bare):
            return Value(
                text=self.mask(_replace(text, spans)), length=len(text), placeholder=bool(_PLACEHOLDER.search(text))
            )
        first = text[slice(*spans[0])]
        identities = [self._remember(text[start:end]) for start, end in spans]
        return Value(
            text=self.mask(_replace(text, spans)),
            secret=True,
            length=len(first),
            digest=_digest(first),
            identity=identities[0],
            placeholder=bool(_PLACEHOLDER.search(first)),
            weak=bool(_WEAK.match(first)),
            generated=_is_generated(first),
        )

    def mask(self, text: str, words: Collection[str] = ()) -> str:
        """`text` with every secret, and those words, replaced by its length and hash."""
        return _replace(text, secret_spans.union(self._spans(text) + _places(words, text)))

    def mask_quoted(self, text: str) -> str:
        """A sentence of another program: the secrets in what it quotes, and known ones, replaced; its words stay."""
        quoted = _QUOTED.sub(lambda found: self.mask(found[0]), text)
        return _replace(quoted, secret_spans.union(self._occurrences(quoted) + _generated(quoted)))

    def mask_lines(self, text: str, *, code: bool = False, env: bool = False) -> list[str]:
        """The lines of a file's text, each secret in them replaced, which the lines around it may give away."""
        lines = text.split("\n")
        return list(_masked(lines, lines, self._spans(text, code=code, env=env)))

    def mask_words(self, words: Sequence[str], secret: Collection[str] = ()) -> tuple[str, ...]:
        """The words of a command, each secret in them replaced, which the words around it may give away."""
        written = [_quoted(word) if re.search(r"\s", word) else word for word in words]
        text = " ".join(written)
        return tuple(_masked(words, written, secret_spans.union(self._spans(text) + _places(secret, text))))

    def _spans(self, text: str, *, code: bool = False, env: bool = False) -> list[tuple[int, int]]:
        found = secret_spans.find(text, code=code, env=env)
        return secret_spans.union(found + self._occurrences(text) + _generated(text))

    def reveals(self, word: str) -> bool:
        """Whether a word in lower case is so much of a secret that it had better not be shown."""
        if self._parts is None:
            known = [value for value in self._known if self._is_searched(value)]
            self._parts = {value.lower() for value in known}
            words = (word for value in known for word in _WORDS.findall(value.lower()))
            self._parts.update(word for word in words if _distinctive(word))
        return word in self._parts

    def is_secret(self, word: str) -> bool:
        """Whether a word in lower case is a secret as a whole, not a part of a longer one."""
        return self.reveals(word) and any(value.lower() == word for value in self._known if self._is_searched(value))

    def _occurrences(self, text: str) -> list[tuple[int, int]]:
        """Where a known secret stands; one of digits only does not count inside a longer number."""
        return [(start, end) for start, end in self._searched.spans(text) if not _inside_number(text, start, end)]

    def _is_searched(self, word: str) -> bool:
        return _distinctive(word) and word not in self._allowed

    def _remember(self, value: str) -> int:
        """Give a secret its number, and know it in other spellings too: unescaped, decoded from a URL, line by line."""
        if (inner := value[1:-1]) and value[0] == value[-1] and value[0] in "\"'":
            return self._know(value, self._remember(inner))
        if value not in self._known:
            identity = self._know(value, len(self._known) + 1)
            spellings = (re.sub(r"\\(.)", r"\1", value), unquote(value), value.replace("$$", "$"), value.strip())
            lines = [line.strip() for line in value.splitlines()]
            for spelling in (*spellings, *lines, *(line.rstrip("=") for line in lines)):
                self._know(spelling, identity)
        return self._known[value]

    def _know(self, word: str, identity: int) -> int:
        """Know a word by this number, unless it has one."""
        if word not in self._known:
            self._known[word] = identity
            self._parts = None
            if self._is_searched(word):
                self._searched.add(word)
        return self._known[word]


def _in_value(name: str, text: str) -> list[tuple[int, int]]:
    """Where the value of a variable holds a secret, by itself or by the name that stands before it."""
    before = f"{name}=" if name else ""
    found = secret_spans.find(text) + [
        (start - len(before), end - len(before))
        for start, end in secret_spans.find(before + text)
        if start >= len(before)
    ]
    return secret_spans.union(found)


def _places(words: Collection[str], text: str) -> list[tuple[int, int]]:
    """Where words stand in a text, not as a part of another."""
    patterns = (rf"(?<!\w){re.escape(word)}(?!\w)" for word in words)
    return [match.span() for pattern in patterns for match in re.finditer(pattern, text)]


def _inside_number(text: str, start: int, end: int) -> bool:
    return text[start:end].isdigit() and (text[start - 1 : start].isdigit() or text[end : end + 1].isdigit())


def _quoted(word: str) -> str:
    return f"'{word}'" if "'" not in word else f'"{word}"'


def _masked(parts: Sequence[str], written: Sequence[str], spans: list[tuple[int, int]]) -> Iterator[str]:
    """The parts of a text, masked by its spans. `written` is how each stands there, one character between them."""
    position, ends = 0, [end for _, end in spans]
    for part, form in zip(parts, written, strict=True):
        start = position + (len(form) - len(part)) // 2
        first, last = bisect_right(ends, start), bisect_left(spans, (start + len(part),))
        inside = [(max(begin - start, 0), min(end - start, len(part))) for begin, end in spans[first:last]]
        yield _replace(part, inside)
        position += len(form) + 1


def _replace(text: str, spans: list[tuple[int, int]]) -> str:
    """`text` with the spans, sorted and apart from each other, replaced by what is shown of them."""
    parts: list[str] = []
    position = 0
    for start, end in spans:
        parts += [text[position:start], shown(text[start:end])]
        position = end
    return "".join([*parts, text[position:]]) if parts else text
