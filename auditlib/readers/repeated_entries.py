"""Variables that the list of one service's environment gives twice or in quotes; of a mapping the loader refuses that.

Follows https://docs.docker.com/reference/compose-file/services/#environment: of equal names the last entry counts.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.compose.discovery import is_compose_file
from auditlib.inventory.stack import QuotedEntry, RepeatedEntry
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, each
from auditlib.source import Source
from auditlib.yamltree import Node

KIND = "compose"
_LIST = regex(r"\benvironment:[ \t]*(?:\*|(?:&\S+[ \t]*)?(?:\[|(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*-))")
"""An environment that is a list, or may be one that stands elsewhere."""


def read(source: Source) -> Reading:
    """Every such variable of every Compose file, by its service."""
    files = [path for path in source.files if is_compose_file(posixpath.basename(path))]
    return Reading(each(source, files, KIND, _read).records, [])


def _read(source: Source, path: str) -> Iterator[RepeatedEntry | QuotedEntry]:
    if not _LIST.search(source.text(path)):
        return  # nearly all files say it by mappings
    for document in source.yaml(path):
        services = document.get("services") if document.is_mapping else None
        for key, service in services.items() if services is not None else ():
            environment = service.get("environment") if service.is_mapping else None
            if environment is not None and environment.is_sequence:
                yield from _repeated(path, key.text, environment)
                yield from _quoted(path, key.text, environment)


def _quoted(path: str, service: str, environment: Node) -> Iterator[QuotedEntry]:
    for node in environment.texts():
        name, _, value = node.text.partition("=")
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" and value[0] not in value[1:-1]:
            yield QuotedEntry(service, name, Location(path, node.line, node.column))


def _repeated(path: str, service: str, environment: Node) -> Iterator[RepeatedEntry]:
    found: defaultdict[str, list[Node]] = defaultdict(list)
    for node in environment.texts():
        found[node.text.partition("=")[0]].append(node)
    for name, nodes in found.items():
        if name and len(nodes) > 1:
            places = tuple(Location(path, node.line, node.column) for node in nodes)
            yield RepeatedEntry(service, name, places, len({node.text for node in nodes}) > 1)
