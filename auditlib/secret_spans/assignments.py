"""Finds the value of a name that says of itself that it holds a secret, in every syntax that gives a name a value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.secret_spans.names import is_credential_name, is_secret_value

Span = tuple[int, int]

_NAME_BACK = re.compile(r"[\w.-]*")
_CALL = r"(?:[A-Za-z_][\w.]{0,60}\(\s{0,200}(?:default\s{0,9}=\s{0,9})?)?"
_CLOSE = r"""\\?["'`*_\])]{0,4}"""
_OPERATOR = r"(?:=>|:=|=(?![=~>])|\??:(?![-?+=:/])(?:[ \t]{0,9}[\w.\[\]|, ]{1,80}=(?![=>]))?|\|\||\?\?|or\b|is\b|/)"
_QUOTED = re.compile(
    rf"""{_CLOSE}(?:\s{{0,200}}{_OPERATOR}\s{{0,200}}(?:"?(?:default|value)"?\s{{0,9}}[=:]\s{{0,9}})?{_CALL}"""
    rf"""|["']?,?\s{{1,200}}"?value"?\s{{0,9}}:\s{{0,9}}|(?P<lookup>["'])\s{{0,200}},\s{{0,200}}(?:default\s{{0,9}}=\s{{0,9}})?)[*_]{{0,2}}[bfruBFRU]{{0,2}}(?P<quote>\\?["'`])"""
)
_BARE = re.compile(r"""["'`*\]]{0,3}[ \t]{0,40}(?P<operator>=(?![=~>])|:(?![-?+=:/]))[ \t]{0,40}(?=[^\s"'])""")
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


def name_around(text: str, position: int) -> Span:
    """Where the name that holds a hint begins and ends."""
    begin = position
    while begin > 0 and position - begin < 80 and (text[begin - 1].isalnum() or text[begin - 1] in "_.-"):
        begin -= 1
    while text[begin] in ".-" and begin < position:
        begin += 1
    match = _NAME_BACK.match(text, position, position + 200)
    return begin, match.end() if match else position + 1


def named(text: str, begin: int, end: int, code: bool) -> Iterator[Span]:
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
