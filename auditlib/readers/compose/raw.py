"""What the loader's answer no longer says, read from the files themselves: `env_file`, and where a service stands."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from posixpath import dirname, join, normpath

from auditlib.inventory.merging import EmptyList, ResetValue
from auditlib.inventory.stack import EnvFileReference
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.shell import given_to_compose
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

_ADDED_TO = (
    "ports", "volumes", "environment", "env_file", "depends_on", "expose", "devices", "cap_add", "extra_hosts",
)  # fmt: skip
"""Parts of a service that a merge of files adds to."""
_RESET = regex(r"(?P<key>[a-z_]{2,40})\s*:\s*!reset\b")
_HEADER = regex(r"(?:[ \t]*(?:#[^\n]*|---|(?:version|name):[^\n]*)?\n)*")
"""The lines before the first section."""
_CAPITALS = regex(r"\b[A-Z][A-Z0-9_]+\b")
_BROKEN_LINE = regex(r"(?<=[\w,)])\n[ \t]*#[ \t]*(?=\w)")
"""Where a sentence of a comment goes on."""
_FOR_DEVELOPMENT = regex(
    r"\blocal(?:ly)?[ -](?:dev|development)\b|\b(?:dev|development)[ -](?:stack|environment|setup|only|compose)\b|"
    r"\bfor (?:the )?(?:dev|development)\b|开发环境|\bdesarrollo local\b|\bd[ée]veloppement local\b|"
    r"\blokale entwicklung|\bdesenvolvimento local\b",
    re.I,
)
_ALSO_ELSEWHERE = regex(r"\bprod(?:uction|ucci[oó]n|u[cç][aã]o|uktion)?\b|\bstaging\b|\bdeploy|生产", re.I)
_POINTS_AWAY = regex(
    r"\b(?:for|in) (?:[\w-]+ ){0,4}prod(?:uction)?\b[^.;]{0,60}?\b(?:see|use|refer to)\b[^;\n]{0,60}?\.ya?ml\b", re.I
)
"""A sentence that sends production to another Compose file."""


_RUNS_IN_DEVELOPMENT = regex(
    r"^[ \t]*+(?:-[ \t]*+)?(?:NODE|RAILS|RACK|APP|FLASK|MIX|DJANGO|ASPNETCORE|DOTNET)_ENV(?:IRONMENT)?[ \t]*[:=][ \t]*"
    r"[\"']?(?:development|dev|local)[\"']?[ \t]*$",
    re.I | re.M,
)
"""What a service is told, whatever the shell's environment holds."""
_SAIL = "vendor/laravel/sail/"


def says_development(source: Source, file: str) -> bool:
    """Whether a Compose file says in its first comment that it is for development, and nothing of production.

    Laravel's Sail writes one that is, and one that sets `NODE_ENV` and the like to development says so too.
    """
    try:
        text = source.text(file)
    except Unreadable:
        return False
    if _SAIL in text:
        return True
    match = _HEADER.match(text)
    header = _BROKEN_LINE.sub(" ", match[0] if match else "")
    told = _FOR_DEVELOPMENT.search(header) or _RUNS_IN_DEVELOPMENT.search(text)
    return bool(told) and not _ALSO_ELSEWHERE.search(_POINTS_AWAY.sub("", header))


def comments(source: Source, file: str) -> str:
    """The lines of a file that are comments."""
    try:
        lines = source.text(file).splitlines()
    except Unreadable:
        return ""
    return "\n".join(line for line in lines if line.lstrip().startswith("#"))


def said_in_comments(source: Source, file: str, pattern: re.Pattern[str]) -> list[Location]:
    """The lines of a file that are comments and say something."""
    try:
        lines = source.text(file).splitlines()
    except Unreadable:
        return []
    told = (number for number, line in enumerate(lines, 1) if line.lstrip().startswith("#") and pattern.search(line))
    return [Location(file, number) for number in told]


def header_words(source: Source, file: str) -> list[str]:
    """The words in capitals of the comments that stand above all else in a file."""
    try:
        head = _HEADER.match(source.text(file))
    except Unreadable:
        return []
    return _CAPITALS.findall(head[0]) if head else []


def comment_beside(source: Source, place: Location) -> str:
    """The comment that stands in a line of a file and in those right above it."""
    lines = source.lines(place.file)[: place.line]
    own = lines[-1].partition(" #")[2] if lines else ""
    above = itertools.takewhile(lambda line: line.lstrip().startswith("#"), reversed(lines[:-1]))
    return "\n".join([*reversed(list(above)), own])


def told_variables(source: Source, file: str) -> Iterator[tuple[str, Location]]:
    """The variables that comments of a file set before a call of Compose (`DEBUG=true docker compose up`)."""
    for number, line in enumerate(source.lines(file), 1) if file in source.files else ():
        if line.lstrip().startswith("#"):
            yield from ((name, Location(file, number)) for name in given_to_compose(line))


def service_places(source: Source, file: str) -> dict[str, Location]:
    """Where each service stands in one file."""
    return {key.text: Location(file, key.line, key.column) for key, _ in _services(source, file)}


def env_files(source: Source, files: Iterable[str], folder: str) -> dict[str, tuple[EnvFileReference, ...]]:
    """The `env_file` entries of each service. Paths are relative to `folder` in the project's own files."""
    found: defaultdict[str, dict[str, EnvFileReference]] = defaultdict(dict)
    for file in files:
        if not _mentions(source, file, "env_file"):
            continue
        base = folder if dirname(file) == folder else dirname(file)
        for key, service in _services(source, file):
            for path, required, node in _entries(service.get("env_file")):
                full = normpath(join(base, path))
                found[key.text][full] = EnvFileReference(full, required, Location(file, node.line, node.column))
    return {name: tuple(references.values()) for name, references in found.items()}


def empty_lists(source: Source, files: Iterable[str]) -> Iterator[EmptyList]:
    """What is written empty in a file of a project though one before it has entries, which a merge keeps."""
    before: dict[tuple[str, str], Location] = {}
    for file in files:
        lines = source.lines(file)
        found = [(name.text, key, node) for name, service in _services(source, file) for key in _ADDED_TO
                 if (node := service.get(key)) is not None]  # fmt: skip
        for name, key, node in found:
            place = Location(file, node.line, node.column)
            if node.kind != "scalar" and node.content:
                before.setdefault((name, key), place)
            elif node.kind != "scalar" and (name, key) in before and "!" not in lines[node.line - 1]:
                yield EmptyList(name, key, place, before[name, key])


def reset_values(source: Source, files: Iterable[str]) -> Iterator[ResetValue]:
    """What stands behind `!reset`, which takes the part of the service away whatever its value says."""
    for file in files:
        if not _mentions(source, file, "!reset"):
            continue
        lines = source.lines(file)
        for name, service in _services(source, file):
            for key, node in service.items() if service.is_mapping else ():
                said = _RESET.search(lines[key.line - 1], key.column - 1)
                empty = node.text.strip() in ("", "null", "~") if node.kind == "scalar" else not node.content
                if said and said["key"] == key.text and not empty:
                    volumes = [item.text.partition(":")[0] for item in node.elements() if item.kind == "scalar"]
                    sources = tuple(volumes) if key.text == "volumes" and node.is_sequence else ()
                    yield ResetValue(name.text, key.text, Location(file, key.line, key.column), sources)


def project_name(source: Source, file: str) -> str:
    """The name that a file gives its project; empty where it gives none."""
    if not _mentions(source, file, "name:"):
        return ""
    try:
        said = (document.get("name") for document in source.yaml(file) if document.is_mapping)
        return next((str(item.value) for item in said if item is not None), "")
    except Unreadable:
        return ""


def _mentions(source: Source, file: str, word: str) -> bool:
    try:
        return word in source.text(file)
    except Unreadable:
        return False


def _services(source: Source, file: str) -> Iterator[tuple[Node, Node]]:
    try:
        documents = source.yaml(file)
    except Unreadable:
        return
    for document in documents:
        if (services := document.get("services")) is not None:
            yield from services.items()


def _entries(node: Node | None) -> Iterator[tuple[str, bool, Node]]:
    if node is None:
        return
    for item in [node] if node.kind == "scalar" else node.elements():
        path = item.get("path") if item.is_mapping else item
        required = item.get("required") if item.is_mapping else None
        if path is not None and path.text:
            yield path.text, required is None or required.value is not False, item
