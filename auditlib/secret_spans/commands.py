"""Finds the password among the arguments of a program or a function that takes one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from auditlib.patterns import regex
from auditlib.secret_spans import literals
from auditlib.secret_spans.calls import CALLS
from auditlib.secret_spans.names import is_secret_value
from auditlib.secret_spans.programs import BETWEEN, PROGRAMS, VALUE

Span = tuple[int, int]

_LINE = regex(r"(?:\\\n|\n[ \t]{0,100}-[ \t]|[^\n]){0,600}")
NAMES = (*PROGRAMS, *CALLS)


@cache
def _patterns(program: str) -> tuple[re.Pattern[str], ...]:
    """What is looked for after a program; compiled when one is met: a repository holds few of them."""
    if program in CALLS:
        return (re.compile("(?i)^" + re.escape(program) + CALLS[program]),)
    return tuple(map(re.compile, PROGRAMS[program]))


@cache
def _name(program: str) -> re.Pattern[str]:
    may_follow_anything = program in CALLS or not program[0].isalnum()
    return re.compile(("" if may_follow_anything else r"(?<![\w.${-])") + re.escape(program), re.I)


@cache
def _end(program: str) -> re.Pattern[str]:
    """Where the arguments of a program end: another one is run, or this one is named again."""
    return re.compile(rf"\s(?:&&|\|\|?)\s|{_name(program).pattern}", re.I)


def command(program: str) -> Callable[[str, int], Iterator[Span]]:
    """The password among the arguments of a program, as far as its line goes."""

    def handler(text: str, position: int) -> Iterator[Span]:
        line, name = _LINE.match(text, position), _name(program)
        if line is None or not name.match(text, position):
            return
        end = _end(program).search(text, position + 1, line.end())
        for pattern in _patterns(program):
            for found in pattern.finditer(text[position : end.start() if end else line.end()]):
                yield from value_of(found, position)

    return handler


_PORTS = regex(r"(?:[\d.]+:)?\d{1,5}:\d{1,5}(?:/\w+)?")


def value_of(match: re.Match[str], offset: int) -> Iterator[Span]:
    """Where the value of a match stands, if it is one; the match was found from `offset` on."""
    start, end = match.span("value")
    quoted = bool(match.groupdict().get("quote"))
    if _PORTS.fullmatch(match["value"]):
        return  # `-p` of what runs a container
    if is_secret_value("password", match["value"], quoted=quoted) and (quoted or match["value"][0] != "-"):
        yield offset + start, offset + end


_USER_OPTION = regex(r"""["'\s](?:-u|--user(?:name)?)["']?[\s,=]""")
_PASSWORD_OPTION = regex(rf"-p{BETWEEN}{VALUE}")
_PORT = regex(r"[\d.:/-]+(?:/(?:tcp|udp))?|\$.*")


def user_and_password(text: str, position: int) -> Iterator[Span]:
    """`-u NAME -p PASSWORD` of any program; MySQL's `-p` takes no value after a blank, and many mean a port."""
    match = _PASSWORD_OPTION.match(text, position + 1)
    if match is None or _PORT.fullmatch(match["value"]) or match["value"].startswith("-"):
        return
    start = literals.line_start(text, position)
    before = re.split(r"&&|\|\||[|;]", text[start:position])[-1]
    if _USER_OPTION.search(before) and not re.search(r"mysql|mariadb|docker run|compose", before):
        yield from value_of(match, 0)
