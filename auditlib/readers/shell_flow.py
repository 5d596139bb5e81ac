"""What a node of a shell's tree says of the commands below it: what decides by them, when they run, who reads them.

Follows https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_09 (Shell Commands).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditlib.readers import shell_words

if TYPE_CHECKING:
    from tree_sitter import Node

_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})
_CONDITION = 200
"""Characters of a condition that are kept."""
_HARMLESS = frozenset({"true", ":", "echo", "printf", "exit 0", "return 0"})


def function(node: Node, data: bytes) -> str:
    """The name of a function that a node defines."""
    name = node.child_by_field_name("name") if node.type == "function_definition" else None
    return shell_words.raw(name, data) if name is not None else ""


def deciding(node: Node) -> int:
    """How many of the first children of a node decide what it does, by their exit status."""
    if node.type in ("list", "negated_command"):
        return node.child_count
    if node.type in ("if_statement", "elif_clause", "while_statement"):
        return next((index for index, child in enumerate(node.children) if child.type in ("then", "do_group")), 0)
    return 0


def branch(node: Node, data: bytes) -> tuple[str, range]:
    """The pattern or condition of a branch, and which of the children of its node it rules."""
    if node.type == "case_item":
        end = next((index for index, child in enumerate(node.children) if child.type == ")"), 0)
        return "".join(shell_words.word(child, data) for child in node.children[:end]), range(end, node.child_count)
    if node.type in ("if_statement", "elif_clause"):
        end, others = deciding(node), ("elif_clause", "else_clause")
        said = " ".join(shell_words.raw(child, data) for child in node.children[1:end])[:_CONDITION]
        last = next((index for index, child in enumerate(node.children) if child.type in others), node.child_count)
        return said, range(end, last)
    return "", range(0)


def certain(node: Node) -> int:
    """How many of the first children of a node run whenever the node does."""
    if node.type in ("if_statement", "elif_clause"):
        return deciding(node)
    return {"list": 1, "else_clause": 0, "case_item": 0}.get(node.type, node.child_count)


def taken(node: Node) -> int:
    """How many of the first children of a node have their output taken by another command."""
    if node.type in _SUBSTITUTIONS:
        return node.child_count
    return node.child_count - 1 if node.type == "pipeline" else 0


def is_harmless(node: Node, data: bytes) -> bool:
    """Whether a fallback always succeeds: `true`, `echo …`, `exit 0`, or a group of nothing else."""
    if node.type in ("compound_statement", "subshell"):
        inner = [child for child in node.children if child.is_named]
        return 0 < len(inner) < 20 and all(child.type != node.type and is_harmless(child, data) for child in inner)
    if node.type == "redirected_statement":
        return is_harmless(node.children[0], data)
    words = shell_words.raw(node, data).split(maxsplit=2)
    return node.type == "command" and bool(words) and (words[0] in _HARMLESS or " ".join(words[:2]) in _HARMLESS)
