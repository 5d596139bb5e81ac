"""The simple commands of a shell text, by the grammar of Bash as tree-sitter knows it; nothing is ever expanded or run.

Follows https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html for lists, compound commands and
`errexit`. A `${{ expression }}` of GitHub counts as a part of a word.
"""

from __future__ import annotations

import posixpath
import re
import time
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from auditlib import secret_spans
from auditlib.inventory.delivery import Command
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import shell_flow, shell_parts, shell_words
from auditlib.redaction import Vault, shown

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

TEXT_LIMIT = 500_000
"""Characters of a text that are parsed; what comes after is left out."""
_PART = 20_000
"""Characters that are parsed at once. The parser's recovery from garbage is quadratic, and no callback can stop it."""
_LINE_LIMIT = 8_000
"""Characters of the longest line that is parsed; longer ones are data, and count as empty."""
COMMAND_LIMIT = 10_000
_SECONDS = 1.0
"""Processor time for one text; ordinary scripts take milliseconds."""
_NESTING = 4
"""How many `bash -c "bash -c …"` and here-documents fed to a shell are opened inside each other."""
_MOST_BRANCHES = 8
_COLUMN_LIMIT = 10_000
"""Bytes before a command on its line up to which its column is counted in characters."""

_LONG_LINE = regex(rf"[^\n]{{{_LINE_LIMIT},}}")
_EXPRESSION = re.compile(rb"\$\{\{(?:[^}\n]|\}(?!\})){0,500}\}\}")
_SETS_ERREXIT = regex(r"set\s(?:.*\s)?-(?:[a-zA-Z]*e[a-zA-Z]*|o\s+errexit)(?=\s|$)")
_OF_SSH = regex(r"[\"']?\$\{?\w{0,40}SSH\w{0,40}\}?[\"']?", re.I)
"""A variable that holds a call of ssh (`$SSH_CMD root@host << EOF`)."""
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_OWN_FOLDER = frozenset({"subshell", "command_substitution", "process_substitution", "function_definition", "pipeline"})
_SEQUENCES = frozenset({"program", "compound_statement", "subshell"})
_COMMANDS = frozenset({"command", "declaration_command", "unset_command"})
_WITHOUT_COMMANDS = frozenset({"raw_string", "comment", "ansi_c_string", "string_content"})
_SUBSHELLS = frozenset({"subshell", "command_substitution", "process_substitution"})
_REDIRECTIONS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})
_AS_LETTERS = bytes(byte if byte < 0x80 else ord("x") for byte in range(256))
"""What the parser sees for a character outside ASCII, which to a shell is part of a word: given one after a brace, the
grammar's scanner reads past a table of the C library and the process dies."""


class _Folder(Struct):
    """Where `cd` led to so far; a subshell has its own."""

    path: str = ""
    previous: str = ""

    def change(self, words: list[str]) -> None:
        """Follow a `cd`, given as its words."""
        target = next((word for word in words[1:] if word == "-" or not word.startswith("-")), "~")
        new = self.previous if target == "-" else posixpath.normpath(posixpath.join(self.path, target))
        self.path, self.previous = "" if new == "." else new, self.path


class _Text(Struct, frozen=True):
    """A text under analysis, and where its first line stands."""

    data: bytes
    file: str
    first_line: int
    indent: int
    vault: Vault | None
    errexit: bool
    depth: int = 0
    secrets: tuple[tuple[int, int], ...] = ()
    """Where `data` holds secrets, in bytes, sorted."""
    within: str = ""
    """What tells the shell that reads the text from that of the text around it."""

    def place(self, node: Node) -> str:
        """What tells a node from all others of its file."""
        row, column = node.start_point
        return f"{self.first_line + row}.{column}"

    def location(self, node: Node) -> Location:
        """Where a node stands in the file."""
        row, column = node.start_point
        before = self.data[node.start_byte - column : node.start_byte] if column < _COLUMN_LIMIT else b""
        characters = len(before.decode("utf-8", "replace"))
        first, last = self.first_line + row, self.first_line + node.end_point[0]
        return Location(self.file, first, self.indent + characters + 1, last)


class _Visit(Struct, frozen=True):
    """A node that is still to be walked over, with what its surroundings say of it."""

    node: Node
    folder: _Folder
    swallowed: bool = False
    asked: bool = False
    """Whether something decides by the exit status of what is below."""
    tested: bool = False
    """Whether that is a condition, and no text that asks `$?` somewhere."""
    caught: bool = False
    """Whether another command takes the output of what is below."""
    conditional: bool = False
    """Whether what is below runs only in some case."""
    shell_input: bool = False
    """Whether a here-document below is read by a shell."""
    outweighed: bool = False
    """Whether the status of another command counts in place of that of what is below."""
    function: str = ""
    """The function whose body this is."""
    within: str = ""
    """The subshells that it is in."""
    branch: tuple[str, ...] = ()
    """The patterns and conditions that it stands behind."""


_GIVEN = regex(r"(?<![\w./$-])(?P<given>(?:[A-Z][A-Z0-9_]{3,60}=\S{0,100}[ \t]+){1,10})docker[ -]compose\b")
_ASSIGNED = regex(r"(?<!\S)([A-Z][A-Z0-9_]{3,60})=")


def commands(
    text: str, file: str, first_line: int = 1, vault: Vault | None = None, *, indent: int = 0, errexit: bool = False
) -> tuple[Command, ...]:
    """Every simple command of `text`, in order, those inside substitutions, loops and here-documents included.

    `first_line` and `indent` say where the text begins in `file`. With a vault the words come masked. `errexit` says
    that the text runs with `set -e`, as a workflow's `run` does, so that `; true` at its end swallows nothing.
    A text that can't be parsed gives the commands that could be told.
    """
    found: list[Command] = []
    for command in _nested(text, _Text(b"", file, first_line, indent, vault, errexit), _Folder(), swallowed=False):
        found.append(command)
        if len(found) == COMMAND_LIMIT:
            break
    return tuple(found)


def of_words(words: list[str], location: Location, vault: Vault | None = None) -> tuple[Command, ...]:
    """The command that a list of words is (`["sh", "-c", "…"]`), and those that a shell among them is told to run."""
    if not words:
        return ()
    found = [Command(vault.mask_words(words) if vault else tuple(words), location)]
    if index := _inline_script(words):
        found += commands(words[index], location.file, location.line, vault)
    return tuple(found)


def at(command: Command, location: Location) -> Command:
    """The command with the place of the one line that holds it, for a text whose own lines mean nothing."""
    return replace(command, location=location)


def is_shell(interpreter: str) -> bool:
    """Whether a program of this name or path reads shell: `/bin/bash` does, `python3` doesn't."""
    return posixpath.basename(interpreter) in _SHELLS


def _nested(text: str, outer: _Text, folder: _Folder, *, swallowed: bool) -> Iterator[Command]:
    deadline = time.process_time() + _SECONDS
    folder = _Folder(folder.path, folder.previous)
    inner = replace(outer, depth=outer.depth + 1)
    for part in shell_parts.parts(text[:TEXT_LIMIT], _PART):
        data = _LONG_LINE.sub("", part).encode("utf-8", "replace")
        tree = _parse(_EXPRESSION.sub(lambda match: b"x" * len(match[0]), data), deadline)
        if tree is None:
            return
        root = tree.root_node
        inner = replace(
            inner, data=data, secrets=_secrets(data, inner.vault), errexit=inner.errexit or _sets_errexit(root, data)
        )
        yield from _walk(_Visit(root, folder, swallowed, b"$?" in data), inner)
        inner = replace(inner, first_line=inner.first_line + part.count("\n"))


@cache
def _parser() -> Parser:
    import tree_sitter  # here, so that what reads no shell never pays for it
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def _parse(data: bytes, deadline: float) -> Tree | None:
    """The tree of a text, or None if the deadline passes first."""
    if time.process_time() > deadline:
        return None
    parser, seen = _parser(), data.translate(_AS_LETTERS)
    try:
        tree: Tree | None = parser.parse(
            lambda offset, _: seen[offset : offset + 65_536],
            progress_callback=lambda *_: time.process_time() > deadline,
        )
    except ValueError:  # the deadline has passed
        tree = None
    parser.reset()
    return tree


def _sets_errexit(root: Node, data: bytes) -> bool:
    if re.match(rb"#![^\n]* -[a-z]*e", data):
        return True
    tops = (shell_words.raw(node, data) for node in root.children if node.type == "command")
    return any(map(_SETS_ERREXIT.match, tops))


def _walk(first: _Visit, text: _Text) -> Iterator[Command]:
    """Depth first with a stack of our own, since a text may be nested deeper than Python recurses."""
    stack = [first]
    while stack:
        visit = stack.pop()
        node = visit.node
        if node.type == "heredoc_body" and visit.shell_input and text.depth < _NESTING:
            body = text.data[node.start_byte : node.end_byte].decode("utf-8", "replace")
            line = text.first_line + node.start_point[0]
            inner = replace(text, first_line=line, indent=0, errexit=False, within=f"!{text.place(node)}")
            yield from _nested(body, inner, _Folder(), swallowed=visit.swallowed)
            continue
        if node.type in _COMMANDS:
            yield from _command(visit, text)
        if node.type not in _WITHOUT_COMMANDS and node.child_count:
            stack += reversed(_below(visit, text))


def _below(visit: _Visit, text: _Text) -> list[_Visit]:
    node, folder, children = visit.node, visit.folder, visit.node.children
    if node.type in _OWN_FOLDER:
        folder = _Folder(folder.path, folder.previous)
    swallowed = visit.swallowed and node.type != "command_substitution"
    deciding, taken, certain = shell_flow.deciding(node), shell_flow.taken(node), shell_flow.certain(node)
    function = shell_flow.function(node, text.data) or visit.function
    within = f"{visit.within}/{text.place(node)}" if node.type in _SUBSHELLS else visit.within
    branch, ruled = shell_flow.branch(node, text.data)
    visits = [
        _Visit(
            node=child,
            folder=folder,
            swallowed=swallowed,
            asked=visit.asked or index < deciding,
            tested=visit.tested or index < deciding,
            caught=visit.caught or index < taken,
            conditional=visit.conditional or index >= certain,
            outweighed=visit.outweighed or node.type == "declaration_command",
            function=function,
            within=within,
            branch=(*visit.branch, branch) if index in ruled and len(visit.branch) < _MOST_BRANCHES else visit.branch,
        )
        for index, child in enumerate(children)
    ]
    if (
        node.type == "list"
        and len(children) == 3
        and children[1].type == "||"
        and shell_flow.is_harmless(children[2], text.data)
    ):
        visits[0] = replace(visits[0], swallowed=True)
    elif node.type in _SEQUENCES and not text.errexit:
        last = next((child for child in reversed(children) if child.is_named), None)
        if last is not None and shell_flow.is_harmless(last, text.data):
            row = last.start_point[0]
            visits = [replace(item, swallowed=True) if item.node.start_point[0] == row else item for item in visits]
    elif node.type in ("redirected_statement", "heredoc_redirect"):
        feeds = visit.shell_input or _reads_shell(children[0], text)
        visits = [replace(item, shell_input=feeds) for item in visits]
    return visits


def _reads_shell(node: Node, text: _Text) -> bool:
    return node.type == "command" and any(
        is_shell(word) or word == "ssh" or _OF_SSH.fullmatch(word)
        for word in shell_words.raw(node, text.data).split()[:20]
    )


def _command(visit: _Visit, text: _Text) -> Iterator[Command]:
    node, folder = visit.node, visit.folder
    parts = [child for child in node.children if child.type not in _REDIRECTIONS]
    first = 0
    while first < len(parts) and node.type == "command" and parts[first].type == "variable_assignment":
        first += 1
    names = tuple(shell_words.raw(part, text.data).partition("=")[0] for part in parts[:first])
    words = [shell_words.word(part, text.data) for part in parts[first:]]
    if not words:
        return
    shown_words, writes = _shown(words, parts[first:], text), _writes(node, text)
    yield Command(
        words=shown_words,
        location=text.location(node),
        cannot_fail=visit.swallowed,
        folder=folder.path,
        assignments=names,
        writes=writes,
        asked=visit.asked or text.errexit,
        tested=visit.tested,
        caught=visit.caught,
        conditional=visit.conditional,
        outweighed=visit.outweighed,
        expands=tuple(dict.fromkeys(name for part in parts[first:] for name in shell_words.expanded(part, text.data))),
        function=visit.function,
        branch=visit.branch,
        within=f"{text.within}{visit.within}",
    )
    if words[0] in ("cd", "pushd"):
        folder.change(words)
    if text.depth < _NESTING and (index := _inline_script(words)):
        line = text.first_line + parts[first + index].start_point[0]
        inner = replace(text, first_line=line, indent=0, errexit=False, within=f"!{text.place(node)}")
        yield from _nested(words[index], inner, folder, swallowed=visit.swallowed)


def _writes(node: Node, text: _Text) -> tuple[str, ...]:
    parent = node.parent
    while parent is not None and parent.type in ("pipeline", "list") and parent.children[-1] == node:
        node, parent = parent, parent.parent  # what stands behind a pipe or `&&` is said of the last command
    if parent is None or parent.type != "redirected_statement":
        return ()
    redirections = [item.children for item in parent.children if item.type == "file_redirect"]
    return tuple(_target(parts[1:], text) for parts in redirections if parts[0].type in (">", ">>"))


def _target(parts: list[Node], text: _Text) -> str:
    """The file of a redirection; the grammar cuts a name such as `$FOLDER/shop_$DATE.sql` in two at its second `$`."""
    shown_parts = _shown([shell_words.word(part, text.data) for part in parts], parts, text)
    found = shown_parts[0]
    for (before, after), word in zip(pairwise(parts), shown_parts[1:], strict=True):
        between = text.data[before.end_byte : after.start_byte].decode("utf-8", "ignore")
        found = word if between != between.strip() else f"{found}{between}{word}"
    return found


def _secrets(data: bytes, vault: Vault | None) -> tuple[tuple[int, int], ...]:
    return tuple(secret_spans.union(secret_spans.find(data.decode("latin-1")))) if vault else ()


def _shown(words: list[str], nodes: list[Node], text: _Text) -> tuple[str, ...]:
    """The words with the secrets in them masked, those too that only the rest of the script gives away."""
    if text.vault is None:
        return tuple(words)
    masked = text.vault.mask_words(words)
    return tuple(_without(word, node, text) for word, node in zip(masked, nodes, strict=True))


def _without(word: str, node: Node, text: _Text) -> str:
    for start, end in text.secrets[bisect_right(text.secrets, node.start_byte, key=itemgetter(1)) :]:
        if start >= node.end_byte:
            break
        secret = text.data[max(start, node.start_byte) : min(end, node.end_byte)].decode("utf-8", "ignore")
        word = word.replace(secret, shown(secret))
    return word


def _inline_script(words: list[str]) -> int:
    """The index of the word that a shell gets as its program (`bash -lc "…"`), or 0."""
    program = ""
    for index, word in enumerate(words[:-1]):
        if not word.startswith("-"):
            program = word
        elif re.fullmatch(r"-[a-z]*c", word) and (is_shell(program) or words[0] == "su"):
            return index + 1
    return 0


def given_to_compose(line: str) -> list[str]:
    """The variables that a line sets for a call of Compose alone (`DEBUG=true docker compose up`)."""
    found = (match for match in _GIVEN.finditer(line)) if "=" in line else ()
    return [name for match in found for name in _ASSIGNED.findall(match["given"])]
