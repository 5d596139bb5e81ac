"""The words of a shell command as it gets them: quotes removed, expansions as they are written, secrets masked.

Follows https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02 (Quoting).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditlib.patterns import regex

if TYPE_CHECKING:
    from tree_sitter import Node

WORD_LIMIT = 4_000
"""Bytes of a word that are kept; substitutions nested in each other would repeat the text once for each level."""
_ESCAPED = regex(r"\\(.)|\\\n", re.S)
_ESCAPED_IN_STRING = regex(r'\\([$`"\\])|\\\n')
_PARTS = frozenset({"string", "concatenation", "variable_assignment", "command_name"})
_OWN_COMMANDS = frozenset({"command_substitution", "process_substitution"})
_INSTEAD = frozenset({":+", "+", "#", "!"})
"""In an expansion that gives something else than the value: another word, its length, what it names."""
_ANSI = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b"}


def word(node: Node, data: bytes) -> str:
    """A word of a command without its quotes."""
    return _unquoted(node, data, in_string=False)[:WORD_LIMIT]


def expanded(node: Node, data: bytes) -> Iterator[str]:
    """The variables whose values the shell puts into a word; what commands within it expand is theirs."""
    stack = [node]
    while stack:
        part = stack.pop()
        if part.type in _OWN_COMMANDS:
            continue
        if part.type in ("simple_expansion", "expansion"):
            names = [child for child in part.children if child.type == "variable_name"]
            if names and not any(child.type in _INSTEAD for child in part.children):
                yield raw(names[0], data)
        stack += reversed(part.children)


def _unquoted(node: Node, data: bytes, *, in_string: bool) -> str:
    if node.type in _PARTS:
        return _joined(node, data, in_string=node.type == "string")
    text = raw(node, data)
    if node.type == "string_content":
        return _ESCAPED_IN_STRING.sub(lambda match: match[1] or "", text)
    if node.type == "raw_string":
        return text[1:-1]
    if node.type == "ansi_c_string":
        return _ESCAPED.sub(lambda match: _ANSI.get(match[1] or "", match[1] or ""), text[2:-1])
    if node.type == "word":
        return _ESCAPED.sub(lambda match: match[1] or "", text)
    return "" if node.type == '"' and in_string else text


def _joined(node: Node, data: bytes, *, in_string: bool) -> str:
    """The parts of a word with what stands between them, which the grammar gives no node to."""
    parts: list[str] = []
    position, length = node.start_byte, 0
    for child in node.children:
        parts.append(_decoded(data[position : min(child.start_byte, position + WORD_LIMIT)]))
        parts.append(_unquoted(child, data, in_string=in_string))
        position = child.end_byte
        length += len(parts[-1]) + len(parts[-2])
        if length > WORD_LIMIT:
            break
    return "".join(parts)


def raw(node: Node, data: bytes) -> str:
    """The text of a node as it was written, cut at the limit."""
    return _decoded(data[node.start_byte : min(node.end_byte, node.start_byte + WORD_LIMIT)])


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "ignore")
