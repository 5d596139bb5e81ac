"""What one service's lists give twice: variables, which may be in quotes too, and volumes on a place that is taken.

Follows https://docs.docker.com/reference/compose-file/services/#environment and `#volumes`: of equal names, and of
equal places in the container, the last entry counts. Of a mapping the loader refuses equal names.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.compose.discovery import is_compose_file
from auditlib.compose.errors import ComposeError
from auditlib.compose.volumes import parse_volume
from auditlib.inventory.merging import QuotedEntry, RepeatedEntry, ShadowedMount
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


def _read(source: Source, path: str) -> Iterator[RepeatedEntry | QuotedEntry | ShadowedMount]:
    text = source.text(path)
    lists = _LIST.search(text)  # nearly all files say it by mappings
    if not lists and "volumes:" not in text:
        return
    for document in source.yaml(path):
        services = document.get("services") if document.is_mapping else None
        for key, service in services.items() if services is not None else ():
            environment = service.get("environment") if service.is_mapping and lists else None
            volumes = service.get("volumes") if service.is_mapping else None
            if volumes is not None and volumes.is_sequence:
                yield from _shadowed(path, key.text, volumes)
            if environment is not None and environment.is_sequence:
                yield from _repeated(path, key.text, environment)
                yield from _quoted(path, key.text, environment)


def _quoted(path: str, service: str, environment: Node) -> Iterator[QuotedEntry]:
    for node in environment.texts():
        name, _, value = node.text.partition("=")
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" and value[0] not in value[1:-1]:
            yield QuotedEntry(service, name, Location(path, node.line, node.column))


def _shadowed(path: str, service: str, volumes: Node) -> Iterator[ShadowedMount]:
    found: dict[str, tuple[str, Node]] = {}
    for node in volumes.elements():
        volume, target = _mounted(node)
        before = found.get(target)
        if before and before[0] and before[0] != volume:
            earlier = Location(path, before[1].line, before[1].column)
            yield ShadowedMount(service, before[0], target, earlier, Location(path, node.line, node.column))
        if target:
            found[target] = volume, node


def _mounted(node: Node) -> tuple[str, str]:
    """The volume of an entry, empty for a folder of the host, and its place in the container."""
    if node.is_mapping:
        said = {key.text: value.text for key, value in node.items()}
        return said.get("source", "") if said.get("type") == "volume" else "", said.get("target", "")
    try:
        parsed = parse_volume(node.text)
    except ComposeError:
        return "", ""
    return str(parsed.get("source", "")) if parsed["type"] == "volume" else "", str(parsed["target"])


def _repeated(path: str, service: str, environment: Node) -> Iterator[RepeatedEntry]:
    found: defaultdict[str, list[Node]] = defaultdict(list)
    for node in environment.texts():
        found[node.text.partition("=")[0]].append(node)
    for name, nodes in found.items():
        if name and len(nodes) > 1:
            places = tuple(Location(path, node.line, node.column) for node in nodes)
            yield RepeatedEntry(service, name, places, len({node.text for node in nodes}) > 1)
