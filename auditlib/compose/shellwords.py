"""A command given as text, split into words.

Follows the `go-shellwords` library in the mode in which Compose uses it: nothing is expanded or run, and a line with a
bare parenthesis or an open quote is refused. What follows an unquoted `;`, `&`, `|`, `<` or `>` is left out.
"""

from __future__ import annotations

from auditlib.compose.errors import RefusedError
from auditlib.patterns import regex

_SPACE = " \t\r\n"
_STOP = ";&|<>"
_SPECIAL = regex(r"[\\\"'`()$;&|<>]")
_WORD = regex(r"[^ \t\r\n]+")


def split(line: str) -> list[str]:
    """The words of a command line."""
    if not _SPECIAL.search(line):
        return _WORD.findall(line)
    words = _Words()
    for char in line:
        if not words.take(char):
            break
    return words.finish()


class _Words:
    """The words so far, and what is open: a quote, a backtick, a `$(`, or a backslash."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.word: list[str] = []
        self.started = False
        self.quote, self.escaped, self.backtick, self.dollar, self.bad = "", False, False, False, False

    def take(self, char: str) -> bool:
        """Read one character; false if the command ends before it."""
        if self.escaped:
            self._add(char)
            self.escaped = False
        elif char == "\\":
            self._backslash()
        elif char in _SPACE:
            self._space(char)
        elif char in "\"'" and not self.dollar and self.quote in ("", char):
            self.started = self.started or bool(self.quote)
            self.quote = "" if self.quote else char
        else:
            return self._other(char)
        return True

    def finish(self) -> list[str]:
        """All words, if nothing is open."""
        if self.bad or self.escaped or self.quote or self.backtick or self.dollar:
            raise RefusedError("not a command line: a quote or bracket is open, or a bracket stands alone")
        return [*self.words, "".join(self.word)] if self.started else self.words

    def _add(self, char: str) -> None:
        self.word.append(char)
        self.started = True

    def _backslash(self) -> None:
        if self.quote == "'":
            self.word.append("\\")
        else:
            self.escaped = True

    def _space(self, char: str) -> None:
        if self.quote or self.backtick or self.dollar:
            self.word.append(char)
        elif self.started:
            self.words.append("".join(self.word))
            self.word, self.started = [], False

    def _other(self, char: str) -> bool:
        bare = not self.quote and not self.backtick
        if char == "`" and not self.quote and not self.dollar:
            self.backtick = not self.backtick
        elif char == ")" and bare:
            self.dollar = not self.dollar
        elif char == "(" and bare:
            return self._open()
        elif char in _STOP and bare and not self.dollar:
            if char == ">" and self.word and self.word[0] in "0123456789":
                self.started = False  # the number of a redirected stream is no word
            return False
        self._add(char)
        return True

    def _open(self) -> bool:
        if self.dollar or self.word[-1:] != ["$"]:
            self.bad = True
            return False
        self.dollar = True
        self.word.append("(")
        return True
