"""Which files name the variables that Compose and environment files set, and that documents tell of.

A program may read a variable in ways that no reader follows: in another language, through a library, by a name in a
configuration file. A variable that no file names at all is read by none of them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import ahocorasick_rs

from auditlib.inventory.configuration import NamedVariables
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.committed_secrets import is_text
from auditlib.readers.env_files import is_env_file
from auditlib.readers.reading import Reading
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

_NAME = regex(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\b")
_SEVERAL_WORDS = regex(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
_COMPOSE = regex(r"(?:^|[._-])compose(?:[._-][\w.-]*)?\.ya?ml$", re.I)
_OPTIONAL = regex(r"\$\{([A-Z][A-Z0-9_]{2,100})\b")
_DOCUMENTS = frozenset({".md", ".rst", ".txt", ".adoc", ".mdx"})
_SPRING = regex(r"(?:^|/)application(?:-[\w-]+)?\.ya?ml$")
_NAMES_LIMIT = 20_000
_ASKS = ("environ", "getenv", "process.env", "meta.env", "${!")
"""Without any of them a file puts no names of variables together."""
_HOLE = r"(?:\$?\{[^{}\"'`\n]{0,80}\}|%s)"
_BUILT = (
    regex(rf"""["'`](?P<start>[A-Z][A-Z0-9_]*_)?{_HOLE}(?P<end>_[A-Z0-9_]*[A-Z0-9])?["'`]"""),
    regex(r"""["'](?P<start>[A-Z][A-Z0-9_]*_)["']\s*\+|\+\s*["'](?P<end>_[A-Z0-9_]*[A-Z0-9])["']"""),
)
"""Names that code puts together: `f"{name}_URL"`, `"DB_" + key`."""
_OWN = regex(r"(?m)^[ \t]*(?:(?:local|readonly)[ \t]+)?(?P<name>[A-Z][A-Z0-9_]*)=\"?\$\{?(?P<from>[A-Z][A-Z0-9_]*)")


def read(source: Source) -> Reading:
    """A record for each file that names a variable. It reports no coverage: files belong to other readers."""
    setting = [path for path in source.files if is_env_file(path) or _COMPOSE.search(posixpath.basename(path))]
    told = (path for path in source.files if posixpath.splitext(path)[1].lower() in _DOCUMENTS)
    set_here = {name for path in setting for name in _NAME.findall(source.glance(path)) if len(name) > 2}
    also = {name for path in told for name in _SEVERAL_WORDS.findall(source.glance(path))} - set_here
    names = [*sorted(set_here), *sorted(also)]
    reading = Reading()
    if not names:
        return reading
    search = ahocorasick_rs.AhoCorasick(names[:_NAMES_LIMIT], matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)
    known = frozenset(setting)
    reading.records += [
        NamedVariables(path, found, Location(path), commented=True)
        for path in setting
        if (found := (_of_lines if is_env_file(path) else _of_comments)(source.glance(path)))
    ]
    for path in source.files:
        if path not in known and is_text(path) and posixpath.splitext(path)[1].lower() not in _DOCUMENTS:
            text = source.glance(path)
            named = _named(text, search) - (_set(text) if path.endswith((".sh", ".bash")) else frozenset())
            found = named | _built(text, names) | _of_spring(source, path, names)
            if found:
                reading.records.append(NamedVariables(path, found, Location(path)))
    return reading


def _named(text: str, search: ahocorasick_rs.AhoCorasick) -> frozenset[str]:
    """The names that stand in a text as whole words."""
    found = {
        text[start:end].lower()
        for _, start, end in search.find_matches_as_indexes(text)
        if not _is_part(text[start - 1 : start]) and not _is_part(text[end : end + 1])
    }
    return frozenset(found)


def _built(text: str, names: list[str]) -> frozenset[str]:
    """The names that code may put together of a part that it spells and of one that only a run knows."""
    if not any(word in text for word in _ASKS):
        return frozenset()
    parts = {(match["start"] or "", match["end"] or "") for form in _BUILT for match in form.finditer(text)}
    return frozenset(
        name.lower()
        for start, end in parts.difference({("", "")})
        for name in names
        if name.startswith(start) and name.endswith(end) and len(name) > len(start) + len(end)
    )


def _set(text: str) -> frozenset[str]:
    """The names that a script gives to variables of its own before it asks for them: `KEY="${OTHER_KEY}"`."""
    own = ((match["name"], match.start("name")) for match in _OWN.finditer(text) if match["name"] != match["from"])
    return frozenset(
        name.lower()
        for name, start in own
        if (first := re.search(rf"\b{name}\b", text)) is not None and first.start() == start
    )


def _of_comments(text: str) -> frozenset[str]:
    """The variables of services that stand in a Compose file as comments, for whoever wants them."""
    comments = (line for line in text.split("\n") if line.lstrip().startswith("#"))
    return frozenset(match[1].lower() for line in comments for match in _OPTIONAL.finditer(line))


def _of_lines(text: str) -> frozenset[str]:
    """The variables that other lines of an environment file are put together of (`URL=http://${HOST}:${PORT}`)."""
    lines = (line.partition("=") for line in text.split("\n") if not line.lstrip().startswith("#"))
    return frozenset(
        match[1].lower() for name, _, value in lines for match in _OPTIONAL.finditer(value) if match[1] != name.strip()
    )


def _of_spring(source: Source, path: str, names: list[str]) -> frozenset[str]:
    """The names by which Spring takes a property of its configuration from the environment."""
    if not _SPRING.search(path):
        return frozenset()
    try:
        keys = [key for document in source.yaml(path) for key in _keys(document, "")]
    except Unreadable:
        return frozenset()
    forms = {form for key in keys for form in (key.replace("-", ""), key.replace("-", "_"))}
    return frozenset(name.lower() for name in names if name.lower() in forms)


def _keys(node: Node, prefix: str) -> Iterator[str]:
    """The keys of all scalars, joined by underscores."""
    for key, value in node.items() if node.is_mapping else ():
        name = f"{prefix}{key.text.lower().replace('.', '_')}"
        if value.is_mapping:
            yield from _keys(value, f"{name}_")
        else:
            yield name


def _is_part(character: str) -> bool:
    return character.isalnum() or character == "_"
