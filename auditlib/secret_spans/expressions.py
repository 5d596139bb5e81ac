"""Finds the strings that a program gives a secret's name for its value: assigned, joined, chosen, compared, passed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.patterns import regex
from auditlib.secret_spans import literals
from auditlib.secret_spans.names import is_secret_value

Span = tuple[int, int]

_LOOKS_UP = (
    r"(?:[\w.]{1,50}\(\)\.)?[\w.]{0,50}(?i:env\w{0,12}|environ\.\w{1,12}|\bget|\.get|fetch|config|get_?or_?default"
    r"|get_?secret|getattr)(?:\.(?:str|get|string))?(?:<\w{1,20}>)?\("
)
_LOOKUP = (
    rf"""{_LOOKS_UP}\s{{0,200}}(?:[\w.]{{1,40}}\s{{0,9}}[,=]\s{{0,9}})?["'][A-Za-z_][\w.-]{{0,79}}["']"""
    r"""\s{0,9},\s{0,200}(?:(?:cast\s{0,9}=\s{0,9})?[A-Za-z]\w{0,20}\s{0,9},\s{0,200})?(?:default\s{0,9}=\s{0,9})?"""
)
"""What looks a variable up; the string that follows is the value without one."""
_CALL = (
    rf"(?:(?!{_LOOKS_UP})(?:[A-Za-z_][\w.]{{0,60}})?\(\s{{0,200}}(?:default(?:_factory)?\s{{0,9}}=\s{{0,9}})?)?"
    rf"(?:lambda\s{{0,9}}:\s{{0,9}})?(?:{_LOOKUP}){{0,3}}"
)
_CLOSE = r"""\\?["'`*_\])]{0,4}(?:</\w{1,10}>)?"""
_TYPE = r"(?:[ \t]{0,9}(?:Annotated\[[^\n]{1,200}\]|[\w.\[\]|, ]{1,80})[ \t]{0,9}=(?![=>]))?"
_OPERATOR = rf"(?:=>|:?:=|[?+]=|<<<|=(?![=~>])|\??:(?![-?+=:/]){_TYPE}|\|\||\?\?|or\b|is\b|/)"
_NO_BLOCK = r"""(?!:[ \t]{0,9}\n\s{0,200}(?:[A-Za-z_][\w.]{0,60}\(|[bfru]{0,2}(?:\"{3}|'{3})))"""
"""A block of Python that begins after a name: `if token:`, `def check(password):`."""
_ASSIGNED = (
    rf"""\s{{0,200}}{_NO_BLOCK}{_OPERATOR}\s{{0,200}}{literals.TAG}(?:<%=\s)?"""
    rf"""(?:"?(?:default|value)"?\s{{0,9}}[=:]\s{{0,9}})?{_CALL}"""
)
_VALUE_BESIDE = r"""["']?,?\s{1,200}"?value"?\s{0,9}[:=]\s{0,9}"""
_TYPED = r"[ \t][\w.*\[\]]{1,40}[ \t]{1,3}=(?![=>])\s{0,9}"
_LOOKED_UP = r"""(?P<lookup>["'])\s{0,200},\s{0,200}(?:default\s{0,9}=\s{0,9})?"""
_QUOTED = regex(
    rf"""{_CLOSE}(?:{_ASSIGNED}|{_VALUE_BESIDE}|{_TYPED}|{_LOOKED_UP})"""
    r"""[*_]{0,2}[bfruBFRU]{0,2}(?P<quote>\\?["'`])"""
)


def strings(text: str, name: str, begin: int, end: int, *, code: bool) -> Iterator[Span]:
    """The string that is given to a name, with those that are joined to it."""
    if (match := _SECOND.match(text, end)) and _IS_SECOND.search(text, max(0, begin - 50), begin):
        yield literals.quoted(text, match.end(), match["quote"])
    elif (match := _QUOTED.match(text, end)) and _gives_a_value(text, begin, match):
        start, stop = literals.quoted(text, match.end(), match["quote"])
        yield start, stop
        if code and " " not in text[start:stop] and is_secret_value(name, text[start:stop]):
            yield from _continued(text, stop + len(match["quote"]))


_SECOND = regex(r"""\s{0,9}=\s{0,9}["'][^"'\n]{0,200}["']\s{0,9},\s{0,9}(?P<quote>["'])""")
_IS_SECOND = regex(r"\w,\s{0,9}\Z")
"""Two names that are assigned two values at once."""


def _gives_a_value(text: str, begin: int, match: re.Match[str]) -> bool:
    """A string after a comma is a value only where a function is called with name and value; code fences are none."""
    if match["lookup"]:
        before = text[max(0, begin - 60) : begin - 1].rstrip()
        return (before.endswith("(") and before[-2:-1].isalnum()) or bool(_ATTRIBUTE.search(before))
    return match["quote"] != "`" or ("\n" not in match[0] and text[match.end() : match.end() + 1] != "`")


_ATTRIBUTE = regex(r"\b[gs]etattr\(\s*[\w.]+\s*,\Z|\bVALUES\s*\(\Z", re.I)
_NEXT_STRING = regex(r"""(?:\s{1,200}|\s{0,200}\+\s{0,200})[bfruBFRU]{0,2}(?P<quote>["'])""")


def _continued(text: str, position: int) -> Iterator[Span]:
    """The strings that follow one and are joined to it."""
    for _ in range(20):
        match = _NEXT_STRING.match(text, position)
        if match is None:
            return
        span = literals.quoted(text, match.end(), match["quote"])
        if text[span[1] + 1 : span[1] + 2] == ":":
            return  # the next key
        yield span
        position = span[1] + 1


_STATEMENT = regex(r"""["'`\])]{0,3}\s?(?::=|[:=])(?!=)[^;\n]{0,300}""")
_NEXT_KEY = regex(r""",\s*["']?\w+["']?\s*[:=]""")
_ALTERNATIVE = regex(
    r"""(?:\s(?:else|or|\|\||\?\?|\?:?|:)|\.default\(|\)\s?\{)\s{0,9}"""
    rf"""(?:{_LOOKUP}){{0,2}}[bfruBFRU]{{0,2}}(?P<quote>["'`])"""
)
_OPTION_DEFAULT = regex(r"""["']\s{0,200},[^()]{0,400}?\bdefault\s{0,9}[=:]\s{0,9}(?P<quote>["'])""")
_COMPARED = regex(r"""["'\])]{0,3}\s{0,9}[!=]==?\s{0,9}(?:(?P<quote>["'])|(?=[\w]))""")
_SURELY = regex(r"pass|pwd|secret|key", re.I)
_OF_A_WORKFLOW = regex(r"(?:github\.event\.)?(?:inputs|vars|env)\.")
_COMPARED_BEFORE = regex(
    r"""(?P<quote>["'])(?P<value>[^"'\n]{1,200})(?P=quote)\s{0,9}[!=]==?\s{0,9}(?:[\w.]{1,60}\.)?\Z"""
)
_ASKED_FOR = regex(r"""\s{0,9},\s{0,9}(?P<quote>["'])""")
_ASKS = regex(r"(?:contains|startswith|endswith)\(\s{0,9}\Z", re.I)


def alternatives(text: str, end: int) -> Iterator[Span]:
    """The strings that a conditional expression chooses from, and the default of an option of a command line."""
    if match := _STATEMENT.match(text, end):
        stop = _NEXT_KEY.search(text, match.start(), match.end())
        for found in _ALTERNATIVE.finditer(text, match.start(), stop.start() if stop else match.end()):
            yield literals.quoted(text, found.end(), found["quote"])
    elif match := _OPTION_DEFAULT.match(text, end):
        yield literals.quoted(text, match.end(), match["quote"])


def compared(text: str, name: str, begin: int, end: int, *, code: bool) -> Iterator[Span]:
    """What a secret is compared with. A program that reads a language compares tokens of another kind."""
    of_a_workflow = not code and bool(_OF_A_WORKFLOW.match(name))
    if not (of_a_workflow or _SURELY.search(name) or text[begin - 1 : begin] in ("$", '"', "'")):
        return
    if match := _COMPARED.match(text, end):
        if match["quote"]:
            yield literals.quoted(text, match.end(), match["quote"])
        elif not code:
            yield literals.trimmed(text, match.end(), literals.WORD)
    elif (match := _ASKED_FOR.match(text, end)) and _ASKS.search(text, max(0, begin - 20), begin):
        yield literals.quoted(text, match.end(), match["quote"])
    elif match := _COMPARED_BEFORE.search(text, max(0, begin - 300), begin):
        yield match.span("value")


_SAYS_NAME = regex(r"""(?:\benv|alias|\bname)["']?\s{0,9}[=:]\s{0,9}["']?\Z""")
_NAMED_AFTER = regex(
    r"""(?:\(|\bdefault\s{0,9}=\s{0,9}|["']?\bvalue["']?\s{0,9}:\s{0,9})"""
    r"""(?P<quote>["'])(?P<value>[^"'\n]{1,200})(?P=quote)[\s,]{1,200}(?:\w{1,30}=[^,()\n]{0,60},\s{0,9}){0,3}"""
    r"""["']?(?:env|alias|validation_alias|name)["']?\s{0,9}[=:]\s{0,9}["']?\Z"""
    r"""|\bvalue:[ \t]{1,9}(?P<bare>[^\s"'][^\n]{0,200})\n\s{1,200}name:\s{1,9}["']?\Z"""
)


def before(text: str, begin: int) -> Iterator[Span]:
    """The value that stands before its name: `Field("…", env="NAME")`, `value: …` above `name: NAME`."""
    if not _SAYS_NAME.search(text, max(0, begin - 30), begin):
        return
    start = max(0, begin - 400)
    if match := _NAMED_AFTER.search(text[start:begin]):
        first, last = match.span("value" if match["value"] else "bare")
        yield start + first, start + last
