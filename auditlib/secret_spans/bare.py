"""Finds the value of a secret's name that no quotes delimit: in YAML, environment files, shells, servers' settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.patterns import regex
from auditlib.secret_spans import literals

Span = tuple[int, int]

_BARE = regex(
    r"""["'`*\]]{0,3}[ \t]{0,40}(?P<operator>:?:=|[?+]=|<<<|=(?![=~>])|:(?![-?+=:/]))[ \t]{0,40}"""
    rf"""{literals.TAG}(?=[^\s"'])"""
)
_ITEM = regex(r"""["']?\s{1,200}value:[ \t]{1,40}(?=[^\s"'])""")
_FLAG = regex(r"""["']?(?:[ \t]{1,40}|=|\s{0,200},\s{0,200}|[ \t]{0,9}\n[ \t]{0,100}-[ \t]{1,9})\\?(?P<quote>["']?)""")
_SPACED = regex(r"""["']?[ \t]{1,40}(?P<quote>["']?)(?=[^\s=:|])""")
_SPACED_BEFORE = regex(
    r"(?:^|\s)(?:ENV|ARG|export|set|setx|setenv|(?:proxy_set_|add_|request_|more_set_)?header(?:_up|_down|s)?|fastcgi_param"
    r"|login\s+\S{1,100})\s+[$@]?$",
    re.I,
)
_OWN_LINE = regex(r"""[\s\-#>*"'`;]*(?:(?:export|ENV|ARG)\s+)?""")


def values(text: str, begin: int, end: int) -> Iterator[Span]:
    """What stands after a name and a sign, or after a blank where that is enough."""
    if match := _BARE.match(text, end):
        yield _assigned(text, begin, match)
    elif match := _ITEM.match(text, end):
        yield literals.trimmed(text, match.end(), literals.LINE)
    elif (match := _SPACED.match(text, end)) and _takes_a_space(text, begin, end):
        yield _word(text, match)


def option(text: str, begin: int, end: int, *, code: bool = False) -> Iterator[Span]:
    """The value of an option of a command line (`--password VALUE`), in a line or in a list of words."""
    match = _FLAG.match(text, end) if text[begin - 1 : begin] == "-" else None
    if match and (match["quote"] or (not code and text[match.end() : match.end() + 1] not in ("-", "]", ""))):
        yield _word(text, match)


def _word(text: str, match: re.Match[str]) -> Span:
    if match["quote"]:
        return literals.quoted(text, match.end(), match["quote"])
    return literals.trimmed(text, match.end(), literals.WORD)


def _assigned(text: str, begin: int, match: re.Match[str]) -> Span:
    """A value without quotes: of YAML's `name: value` all of the line, else a word."""
    start = literals.line_start(text, begin)
    own_line = match["operator"] == ":" and match[0][-1] in " \t" and _OWN_LINE.fullmatch(text, start, begin)
    return literals.trimmed(text, match.end(), literals.LINE if own_line else literals.WORD)


_ALONE = regex(r"""[ \t]{1,40}(?:"[^"\n]{1,400}"|'[^'\n]{1,400}'|(?P<value>[^\s"']{1,400}));?[ \t]{0,40}(?:\n|$)""")
_PLAIN = regex(r"[^.,:=]+")
_BEFORE_ALONE = regex(r"\s*(?:export\s+)?")
_VERB = regex(
    r"(?:get|set|check|create|generate|validate|verify|read|load|refresh|rotate|reset|make|new|require|ensure|ask|test"
    r"|delete|update|hash|encrypt|decrypt|is|has|use|mask|fetch|print|show|prompt)[_-]",
    re.I,
)
_TWO_WORDS = regex(r"\s*\S+[ \t]+\S+\s*")


def _takes_a_space(text: str, begin: int, end: int) -> bool:
    """Whether a space is enough between this name and its value (`ENV NAME value`, `requirepass value`, `.netrc`)."""
    name, start = text[begin:end], literals.line_start(text, begin)
    if name.lower() in ("requirepass", "masterauth") or _SPACED_BEFORE.search(text[start:begin]):
        return True
    alone = _ALONE.match(text, end)
    if alone is None or not _BEFORE_ALONE.fullmatch(text, start, begin) or _VERB.match(name):
        return False
    return name.isupper() or (
        (alone["value"] is None or bool(_PLAIN.fullmatch(alone["value"])))
        and ("_" in name or _follows_a_pair(text, start))
    )


def _follows_a_pair(text: str, start: int) -> bool:
    """Whether the line before holds two words as well, as settings do and sentences don't."""
    return bool(_TWO_WORDS.fullmatch(text[literals.line_start(text, start - 1) : start]))
