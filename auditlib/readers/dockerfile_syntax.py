"""The instructions of a Dockerfile as text: continued lines, comments, here-documents, parser directives, flags.

Follows https://docs.docker.com/reference/dockerfile/#format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.patterns import regex

_DIRECTIVE = regex(r"#\s*(?P<name>[a-zA-Z]\w*)\s*=\s*(?P<value>\S+)\s*$")
_KEYWORD = regex(r"\s*(?P<keyword>[A-Za-z]+)(?:\s+|$)")
_FLAG = regex(r"(?:[ \t]|\\\n)*(?P<flag>--[a-z][\w-]*(?:=(?:\"[^\"\n]*\"|[^\s\"])*+)?)(?=\s|$)[ \t]*")
_HEREDOC = regex(r"(?<![<\w])<<-?\s*(?P<quote>[\"']?)(?P<word>[A-Za-z_]\w*)(?P=quote)")
_WITH_HEREDOC = frozenset({"RUN", "COPY", "ADD"})


class Statement(Struct, frozen=True):
    """One instruction. `argument` is joined to one line; `script` keeps the lines, blanked up to the argument."""

    keyword: str
    argument: str
    flags: tuple[str, ...]
    script: str
    line: int
    end_line: int
    body: str = ""
    """The text of the here-documents."""
    closed: bool = True
    """Whether every here-document has its end."""


def statements(text: str) -> Iterator[Statement]:
    """The instructions of a Dockerfile, in order. A line that is none comes with an empty keyword."""
    lines = text.split("\n")
    escape = _escape(lines)
    last = {line.lstrip("\t"): number for number, line in enumerate(lines)}
    index = 0
    while index < len(lines):
        if not lines[index].strip() or lines[index].lstrip().startswith("#"):
            index += 1
            continue
        logical, following = _continued(lines, index, escape)
        body, end, closed = _heredocs(lines, following, logical, last)
        yield _statement(logical, body, index + 1, end, closed=closed)
        index = end


def _escape(lines: list[str]) -> str:
    """The escape character; directives stand before anything else."""
    for line in lines:
        match = _DIRECTIVE.match(line)
        if not match:
            break
        if match["name"].lower() == "escape":
            return match["value"]
    return "\\"


def _continued(lines: list[str], index: int, escape: str) -> tuple[list[str], int]:
    """The lines of an instruction that starts at `index`. Comments and blank lines between them count for nothing."""
    logical: list[str] = []
    while index < len(lines):
        line = lines[index].rstrip()
        index += 1
        if logical and (not line or line.lstrip().startswith("#")):
            logical.append("\\")  # for the shell a line that goes on
            continue
        continued = line.endswith(escape)
        logical.append(line[:-1] + "\\" if continued else line)
        if not continued:
            break
    return logical, index


def _heredocs(lines: list[str], index: int, logical: list[str], last: dict[str, int]) -> tuple[str, int, bool]:
    """The text of the here-documents that an instruction opens, the line after it, and whether all are closed."""
    first = logical[0].split(maxsplit=1)
    if first[0].upper() not in _WITH_HEREDOC:
        return "", index, True
    body: list[str] = []
    for match in _HEREDOC.finditer("\n".join(logical)):
        if last.get(match["word"], -1) < index:
            return "", index, False
        start = index
        while lines[index].lstrip("\t") != match["word"]:
            index += 1
        body += lines[start:index]
        index += 1
    return "\n".join(body), index, True


def _statement(logical: list[str], body: str, line: int, end: int, *, closed: bool) -> Statement:
    text = "\n".join(logical)
    match = _KEYWORD.match(text)
    if not match:
        return Statement("", text, (), "", line, end)
    position, flags = match.end(), []
    while flag := _FLAG.match(text, position):
        flags.append(flag["flag"])
        position = flag.end()
    script = re.sub(r"[^\n]", " ", text[:position]) + text[position:]
    argument = re.sub(r"[ \t]*\\\n[ \t]*", " ", text[position:]).strip()
    return Statement(match["keyword"].upper(), argument, tuple(flags), script, line, end, body, closed)
