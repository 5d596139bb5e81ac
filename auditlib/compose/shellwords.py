"""A command given as text, split into words.

Follows the `go-shellwords` library in the mode in which Compose uses it: nothing is expanded or run, and a line with a
bare parenthesis or an open quote is refused. What follows an unquoted `;`, `&`, `|`, `<` or `>` is left out.
"""

from __future__ import annotations

from auditlib.compose.errors import Refused

_SPACE = " \t\r\n"
_STOP = ";&|<>"


def split(line: str) -> list[str]:
    """The words of a command line."""
    words: list[str] = []
    word, started = "", False
    quote, escaped, backtick, dollar = "", False, False, False
    for char in line:
        if escaped:
            word, started, escaped = word + char, True, False
        elif char == "\\" and quote != "'":
            escaped = True
        elif char == "\\":
            word += char
        elif char in _SPACE:
            if quote or backtick or dollar:
                word += char
            elif started:
                words.append(word)
                word, started = "", False
        elif char in "\"'" and not dollar and quote in ("", char):
            started = started or bool(quote)
            quote = "" if quote else char
        else:
            plain = not quote and not backtick
            if char == "`" and not quote and not dollar:
                backtick = not backtick
            elif char == ")" and plain:
                dollar = not dollar
            elif char == "(" and plain:
                if dollar or not word.endswith("$"):
                    raise Refused(f"not a command line: {line!r}")
                dollar, word = True, word + "("
                continue
            elif char in _STOP and plain and not dollar:
                if char == ">" and word[:1].isdigit() and word[:1].isascii():
                    started = False
                break
            word, started = word + char, True
    if escaped or quote or backtick or dollar:
        raise Refused(f"not a command line, a quote or bracket is open: {line!r}")
    return [*words, word] if started else words
