"""Finds the files of a format by what stands in them, and reads a configuration out of a template of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditlib import yamltree
from auditlib.patterns import regex
from auditlib.source import Source, Unreadable

YAML = ("*.yml", "*.yaml")
TEMPLATE_SUFFIXES = (".tmpl", ".tpl", ".j2", ".jinja", ".jinja2", ".template", ".in", ".erb", ".dist", ".example")

_BLOCK = regex(r"^[ \t-]*(?:\{\{[^}\n]*\}\}|\{%[^%\n]*%\})[ \t]*$", re.M)
_EXPRESSION = regex(r"\{\{[^}\n]*\}\}|\{%[^%\n]*%\}|<%[^%\n]*%>")


def containing(source: Source, patterns: Iterable[str], *alternatives: str) -> Iterator[str]:
    """The files that match one of the patterns and hold one of the alternatives.

    A file that can't be read is no candidate; `auditlib.readers` reports it once for all readers.
    """
    for file in source.matching(*patterns):
        try:
            text = source.text(file)
        except Unreadable:
            continue
        if any(alternative in text for alternative in alternatives):
            yield file


def is_template(file: str) -> bool:
    """Whether a file's name says that a configuration is made from it."""
    return file.endswith(TEMPLATE_SUFFIXES)


def with_templates(*patterns: str) -> tuple[str, ...]:
    """The patterns, and each with every suffix that a template of such a file may have."""
    return (*patterns, *(pattern + suffix for pattern in patterns for suffix in TEMPLATE_SUFFIXES))


def documents(source: Source, file: str) -> list[yamltree.Node]:
    """The YAML documents of a file, or of a template, whose expressions count as words. Raises Unreadable."""
    if not is_template(file):
        return source.yaml(file)
    text = _EXPRESSION.sub("TEMPLATE", _BLOCK.sub("", source.text(file)))
    try:
        return yamltree.parse(text)
    except yamltree.YamlError as error:
        raise Unreadable(f"is a template that gives no valid YAML: {error.reason}", error.line) from None
