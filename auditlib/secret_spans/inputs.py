"""Finds the password that a shell hands to a program's input, by a pipe, a here-string or a here-document."""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.patterns import regex
from auditlib.secret_spans import literals
from auditlib.secret_spans.commands import value_of
from auditlib.secret_spans.programs import VALUE

Span = tuple[int, int]

_PRINTED = regex(
    rf"""(?:echo|printf)\s+(?:-\w+\s+)*(?:(?P<form>["'])[^"'\n]{{0,9}}%s[^"'\n]{{0,9}}(?P=form)\s+)?{VALUE}\\?["']?\s*\|[^|;\n]*$"""
)
READERS = (
    "--password-stdin", "--with-token", "sudo -s", "passwd --stdin", "--passphrase-fd 0", "docker secret create",
    "podman secret create",
)  # fmt: skip
"""What is read from the input by these is a password, wherever they stand in the command."""
PROGRAMS = ("passwd ", "smbpasswd", "kinit", "cryptsetup")
"""Programs that read a password from their input, and whose names stand elsewhere too."""
_STARTS = regex(r"\|\s*(?:sudo\s+(?:-\w+\s+)*)?\Z")


def piped(text: str, position: int) -> Iterator[Span]:
    """What `echo` or `printf` hands to a program that reads a password from its input."""
    start = literals.line_start(text, position)
    for match in _PRINTED.finditer(text[start:position]):
        yield from value_of(match, start)


def piped_to(text: str, position: int) -> Iterator[Span]:
    """What is handed to a program that reads a password, where it is the one that runs."""
    if _STARTS.search(text, max(0, position - 40), position):
        yield from piped(text, position)


_LOGINS = regex(r"""(?:echo|printf)\s+(?:-\w+\s+)*\\?["']?[^\s:"'|]+:(?P<value>[^\s"'|\\]+)[^|\n]*\|[^|\n]*$""")
_FORMATTED_LOGIN = regex(
    rf"""printf\s+(?P<form>["'])(?:%s|[^\s:"'%|]+):%s(?:\\n)?(?P=form)\s+(?:[^\s"'|]+\s+)?{VALUE}\\?["']?\s*\|[^|\n]*$"""
)
_DOCUMENT = regex(r"""chpasswd[^\n|]{0,80}<<-?\s?["']?\w{1,40}["']?[^\n]{0,80}\n""")
_LOGIN_LINE = regex(r"[ \t]*[\w.-]{1,60}:(?P<value>[^\s:][^\n]{0,200})(?:\n|$)")


def login(text: str, position: int) -> Iterator[Span]:
    """`user:password` for `chpasswd`: printed and piped, or in the here-document that follows."""
    start = literals.line_start(text, position)
    before = text[start:position]
    for match in [*_FORMATTED_LOGIN.finditer(before)] or [*_LOGINS.finditer(before)]:
        yield from value_of(match, start)
    if document := _DOCUMENT.match(text, position):
        yield from _lines(text, document.end())


def _lines(text: str, position: int) -> Iterator[Span]:
    """The passwords of a here-document, up to the first line that is no login, which its end is."""
    while line := _LOGIN_LINE.match(text, position):
        yield from value_of(line, 0)
        position = line.end()


_TAKES_INPUT = regex(
    r"--password-stdin|--with-token|\blogin\b|\bpasswd\b|\bkinit\b|\bcryptsetup\b|\bsudo\s+-S|\bsecret\s+create\b"
)
_HERE = regex(rf"<<<\s*{VALUE}")


def here_string(text: str, position: int) -> Iterator[Span]:
    """What stands after `<<<` for a program that reads a password from its input."""
    start = literals.line_start(text, position)
    match = _HERE.match(text, position)
    if match and _TAKES_INPUT.search(text, start, position):
        yield from value_of(match, 0)
