"""What in a text for a shell only Bash understands.

Follows https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html for what every shell knows, and the
manuals of dash (Debian's and Ubuntu's `sh`) and of BusyBox's ash (Alpine's).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.patterns import regex

_LONGEST_LINE = 2_000
_MOST_LINES = 3_000
_HEREDOC = regex(r"<<-?\s*[\"'\\]?(\w+)")
_HINTS = (
    "[[", "{1..", "<<<", "<(", "source ", "function ", "pipefail", "=(", ",,}", "^^}", "&>", "BASH_SOURCE", "((", "+=",
    "pushd", "shopt", "declare ", "mapfile", "readarray", "//", ":0:", "let ", "RANDOM", "read -n", "select ",
    "mkdir ", "touch ",
)  # fmt: skip
"""One of these stands in every text of which something is told."""


BRACES = r"(?<![$\\])\{[\w./-]{0,60}(?:,[\w./-]{0,60}){1,20}\}"
"""Alternatives in braces, of which Bash makes several words."""


class Bashism(Struct, frozen=True):
    """A line, by its number from 1, with what only Bash knows there and what another shell makes of it.

    BusyBox's ash knows more than dash; `everywhere` says that neither does.
    """

    line: int
    said: str
    outcome: str
    everywhere: bool


_SYNTAX = "a syntax error, at which the script ends"
_NOT_FOUND = "a command that isn't found"
_IN_CODE = (
    (regex(r"(?:^|[;\s])\w+=\((?!\()"), "an array", _SYNTAX, True),
    (regex(r"(?:^|\s)<<<"), "`<<<`", _SYNTAX, True),
    (regex(r"(?:^|\s)<\([^)(]"), "`<(…)`", _SYNTAX, True),
    (regex(r"\bin\s+\{\d+\.\.\S*\d\}"), "`{1..n}`", "one word, so that the loop runs once", True),
    (regex(rf"(?:^|[;&|\s])(?:mkdir|touch)\s[^;&|#]{{0,300}}?{BRACES}"), "`{a,b}`", "one name, with the braces in it",
     True),
    (regex(r"(?:^|[;&|]|then|do|else)\s*(?:pushd|popd|shopt|mapfile|readarray|declare)\s"), "a command of Bash",
     _NOT_FOUND, True),
    (regex(r"(?:^|[;&|]|then|do|else)\s*\(\((?=[^()]{1,200}\)\))"), "`((…))`", _NOT_FOUND, True),
    (regex(r"(?:^|[\s;])\w+\+=(?=[\s\"'$\w])"), "`+=`", _NOT_FOUND, True),
    (regex(r"\$\{?BASH_SOURCE\b"), "`BASH_SOURCE`", "an empty value", True),
    (regex(r"(?:^|[;&|]|if|while|until|then|do|else|!)\s*\[\[\s"), "`[[`", _NOT_FOUND, False),
    (regex(r"(?:^|[;&|]|then|do|else)\s*source\s+\S"), "`source`", _NOT_FOUND, False),
    (regex(r"(?:^|;)\s*function\s+\w+"), "`function`", _SYNTAX, False),
    (regex(r"(?:^|\s)&>"), "`&>`", "a start in the background, whose output goes on to the terminal", False),
    (regex(r"(?:^|[;&|])\s*set\s+(?:-\w+\s+)*-\w*o\s+pipefail\b"), "`pipefail`",
     "an unknown option to dash before 0.5.13, at which the script ends", False),
    (regex(r"(?:^|[;&|]|then|do|else)\s*let\s+\w"), "`let`", _NOT_FOUND, False),
    (regex(r"(?:^|[;&|]|then|do|else)\s*read\s+(?:-[rsp]\s+(?:\S+\s+)?){0,3}-\w*n"), "`read -n`",
     "an unknown option", False),
)  # fmt: skip
_IN_TEXT = (
    (regex(r"\$\{\w+(?:,,|\^\^|\[)"), "`${name,,}`, or an element of an array", "a bad substitution", True),
    (regex(r"\$\{\w+//"), "`${name//…}`", "a bad substitution", False),
    (regex(r"\$\{\w+:\d+(?::\d+)?\}"), "`${name:0:3}`", "a bad substitution", False),
)


def found(text: str) -> Iterator[Bashism]:
    """The lines with what only Bash knows, each once."""
    if not any(hint in text for hint in _HINTS):
        return
    for number, line in _code(text):
        bare = _without_quotes(line)
        for patterns, said in ((_IN_CODE, bare), (_IN_TEXT, line)):
            match = next((item for item in patterns if item[0].search(said)), None)
            if match:
                yield Bashism(number, *match[1:])
                break


def _code(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a text without comments, what stands in single quotes, and here-documents."""
    inside, until = False, ""
    for number, whole in enumerate(text.splitlines()[:_MOST_LINES], start=1):
        if until:
            until = "" if whole.strip() == until else until
            continue
        line, inside = _bare(whole[:_LONGEST_LINE], inside)
        document = _HEREDOC.search(whole[:_LONGEST_LINE]) if "<<" in line and "<<<" not in line else None
        until = document[1] if document else ""
        yield number, line


def _bare(line: str, inside: bool) -> tuple[str, bool]:
    """A line without comment and single quotes, and whether such a quote is still open at its end."""
    kept: list[str] = []
    double, before = False, " "
    for letter in line:
        if inside:
            inside = letter != "'"
        elif before == "\\":
            before = " "
            continue
        elif letter == "'" and not double:
            inside = True
        elif letter == "#" and not double and before in " \t;":
            break
        else:
            double ^= letter == '"'
            kept.append(letter)
        before = letter
    return "".join(kept), inside


def _without_quotes(line: str) -> str:
    """A line without what stands in double quotes."""
    parts = line.split('"')
    return '""'.join(parts[::2]) if len(parts) > 1 else line
