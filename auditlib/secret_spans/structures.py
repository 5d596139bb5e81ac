"""Finds the values in the list or mapping that a secret's name has for its value: `token: [a, b]`, `{default: a}`.

Of a mapping only those keys count that hold the value itself, unless the name says that all of them are secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.patterns import regex
from auditlib.secret_spans import literals

Span = tuple[int, int]

ALL_SECRETS = regex(
    r"(?:securejsondata|stringdata|basic_auth_users|(?:.*[_.-])?(?:passwords|passwds|(?:access|api|auth|refresh|bot)_?tokens"
    r"|(?:api|access|secret|private)_?keys))",
    re.I,
)
"""Names of mappings whose every value is a secret."""
_NAMES_ONLY = regex(r"secrets", re.I)
"""What Compose, Kubernetes and workflows list under this key are names of secrets."""
_SURELY = regex(r"pass|pwd|secret|token|key|securejsondata|stringdata|basic_auth_users|header", re.I)
_KEYS = frozenset({"default", "value", "values", "secrets", "const", "initial", "fallback"})
_OPENED = regex(r"""["'`\])]{0,3}[ \t]{0,9}(?::=|=>|[:=])\s{0,9}(?:[!&][\w!/:-]{0,40}[ \t]+)?(?P<open>[\[{(])""")
_BRACED = regex(r"""["']?[ \t]{0,9}(?P<open>\{)""")
_TOKEN = regex(
    r"""(?P<quote>\\?["'`])|(?P<open>[\[{(])|(?P<close>[\]})])|(?P<comma>[,;\n])|(?P<word>[^\s,;\[\]{}()"'`\\=]+)|."""
)
_STRING_END = {
    '"': regex(r'(?:\\.|[^"\\\n])*+'),
    "'": regex(r"(?:\\.|[^'\\\n])*+"),
    "`": regex(r"[^`]*+"),
}
_AFTER_KEY = regex(r"\s{0,9}(?:=>|:(?!:)|=(?!=))")
_LIMIT = 4_000
_DEPTH = 4
"""Brackets within each other that are followed, so that nested names don't walk over the same text again and again."""
_SHORTEST = 3
"""Characters of the shortest item that is taken for a secret."""


def flow(text: str, name: str, end: int, *, code: bool) -> Iterator[Span]:
    """The values between brackets that open after a name; in code only those in quotes."""
    match = _OPENED.match(text, end) or _BRACED.match(text, end)
    if match and _holds_values(name):
        yield from _Flow(text, match.start("open"), bool(ALL_SECRETS.fullmatch(name)), code).values()


def _holds_values(name: str) -> bool:
    return bool(_SURELY.search(name)) and not _NAMES_ONLY.fullmatch(name)


class _Flow:
    """Walks from an opening bracket to its end. A bracket that calls or subscripts something holds no value."""

    def __init__(self, text: str, start: int, every: bool, code: bool) -> None:
        self.text, self.position, self.every, self.code = text, start, every, code
        self.limit = min(len(text), start + _LIMIT)
        self.counts: list[bool] = []
        """For each open bracket whether what stands in it counts."""
        self.key: str | None = None

    def values(self) -> Iterator[Span]:
        while self.position < self.limit and len(self.counts) <= _DEPTH:
            match = _TOKEN.match(self.text, self.position, self.limit)
            if match is None:
                return
            self.position = match.end()
            if match["open"]:
                self._open(match.start())
            elif match["close"]:
                self.counts.pop()
                self.key = None
                if not self.counts:
                    return
            elif match["comma"]:
                self.key = None
            elif match["quote"] or match["word"]:
                yield from self._item(match)

    def _open(self, start: int) -> None:
        before = self.text[start - 1 : start]
        called = (before.isalnum() or before in ("_", "]", ")", '"', "'", "$")) and before != ""
        first = not self.counts
        nested = self.key is not None  # lists within lists are tables of something else
        self.counts.append(first or (nested and not called and self.counts[-1] and self._accepts()))
        self.key = "" if self.text[start] == "{" else None

    def _accepts(self) -> bool:
        """Whether the place here holds a value: an item of a list, or a key that says so."""
        return self.key is None or self.every or self.key.lower() in _KEYS

    def _item(self, match: re.Match[str]) -> Iterator[Span]:
        start, end = self._span(match)
        word = self.text[start:end]
        if match["word"] and word.endswith(":"):
            self.key = word[:-1]
        elif after := _AFTER_KEY.match(self.text, self.position, self.limit):
            self.key, self.position = word, after.end()
        elif self.counts[-1] and self._accepts() and (match["quote"] or not self.code) and end - start >= _SHORTEST:
            yield start, end

    def _span(self, match: re.Match[str]) -> Span:
        """What a token holds, without its quotes; the walk goes on after them."""
        quote = match["quote"]
        if not quote:
            return match.span()
        start = match.end()
        if len(quote) == 2:
            found = self.text.find(quote, start, self.limit)
            end = found if found >= 0 else self.limit
        else:
            inside = _STRING_END[quote].match(self.text, start, self.limit)
            end = inside.end() if inside else start
        self.position = min(end + len(quote), self.limit)
        return start, end


_BLOCK_OPENED = regex(r"""["']?[ \t]{0,9}:[ \t]{0,9}(?:[&!][\w!/:-]{1,40})?[ \t]{0,9}(?:#[^\n]{0,200})?\n""")
_BLOCK_LINE = regex(
    r"""(?P<blank>[ \t]{0,200})(?P<dash>-[ \t]{1,9})?"""
    r"""(?:["']?(?P<key>[\w.-]+)["']?[ \t]{0,9}:(?:[ \t]{1,9}|(?=\n|$)))?"""
    r"""(?P<rest>"[^"\n]{0,1000}"|'[^'\n]{0,1000}'|[^\s#]\S{0,1000}(?=[ \t]{0,9}(?:\#|\n|$)))?[^\n]{0,1000}(?:\n|$)"""
)
_LINES = 40


def block(text: str, name: str, begin: int, end: int) -> Iterator[Span]:
    """The items, or the values of the keys that count, in the lines below a name of YAML that are indented more."""
    opened = _BLOCK_OPENED.match(text, end)
    if opened is None or not _holds_values(name):
        return
    column = _column(text, begin)
    every, first, inside, position = bool(ALL_SECRETS.fullmatch(name)), -1, -1, opened.end()
    for _ in range(_LINES):
        line = _BLOCK_LINE.match(text, position)
        if line is None or not line[0].strip() or len(line["blank"]) + bool(line["dash"]) <= column:
            return
        indent = len(line["blank"])
        inside = inside if 0 <= inside < indent + bool(line["dash"]) else -1
        if line["key"]:
            named = line["key"].lower() in _KEYS
            inside = indent if named and not line["rest"] else inside
        else:
            named = first in (-1, indent)
        if line["rest"] and (every or inside >= 0 or named):
            yield _unquoted(line)
        first, position = indent if first < 0 else first, line.end()


_SCALAR_OPENED = regex(r"""["']?[ \t]{0,9}:[ \t]{1,9}[|>][-+\d]{0,2}[ \t]{0,9}\n""")
_SCALAR_LINE = regex(r"(?P<blank>[ \t]{0,200})(?P<rest>[^\n]{0,4000})\n?")
_SCALAR_LINES = 100


def scalar(text: str, begin: int, end: int) -> Iterator[Span]:
    """The lines of a block scalar (`name: |`)."""
    opened = _SCALAR_OPENED.match(text, end)
    column, position = _column(text, begin), opened.end() if opened else len(text)
    for _ in range(_SCALAR_LINES):
        line = _SCALAR_LINE.match(text, position)
        if line is None or not line[0] or (line["rest"].strip() and len(line["blank"]) <= column):
            return
        yield line.span("rest")
        position = line.end()


def _column(text: str, begin: int) -> int:
    """How far a name is indented, its quote and a dash before it included."""
    return begin - literals.line_start(text, begin) - (text[begin - 1 : begin] in ("'", '"'))


def _unquoted(line: re.Match[str]) -> Span:
    start, end = line.span("rest")
    return (start + 1, end - 1) if line["rest"][0] in "\"'" else (start, end)
