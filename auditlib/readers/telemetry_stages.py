"""Reads how telemetry flows through a collector, Vector or Alloy: what names a stage that isn't there, what no stage
names, and where a collector or Tempo listens for it.

Follows https://opentelemetry.io/docs/collector/configuration/, https://vector.dev/docs/reference/configuration/,
https://grafana.com/docs/alloy/latest/get-started/configuration-syntax/components/ and
https://grafana.com/docs/tempo/latest/configuration/#distributor. It reports no coverage: others read these files too.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from auditlib.inventory.telemetry import IdleStage, MissingStage, OtlpListener
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import reading, selection
from auditlib.readers.nodes import Entries, location, text
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

_Stages = dict[str, Node]
_SECTIONS = {"receivers": "receiver", "processors": "processor", "exporters": "exporter"}
_FAMILY = r"(?:loki|prometheus|otelcol|discovery|local|pyroscope|faro|mimir|beyla)"
_DEFINED = regex(rf'^[ \t]*(?P<kind>{_FAMILY}(?:\.[a-z_0-9]{{1,40}}){{1,4}})[ \t]+"(?P<label>\w{{1,100}})"[ \t]*\{{', 0)
_NAMED = regex(
    rf"(?<![\w.\"])(?P<kind>{_FAMILY}(?:\.[a-z_0-9]{{1,40}}){{1,4}})\.(?P<label>\w{{1,100}})"
    r"\.(?:receiver|targets|output|input|rules|handler|content)\b"
)
_FEW = 1_000
"""Stages among which those are looked for that a wildcard takes."""
_OPEN = regex(r"^\s*(?:declare\s+\"|import\.\w+)")
"""Modules: what they define is named in other places."""


def read(source: Source) -> reading.Reading:
    """The stages that are missing or idle, and the listeners, of each configuration."""
    found = reading.Reading()
    for file in selection.containing(source, selection.YAML, "pipelines:", "sinks:", "distributor:"):
        for document in _documents(source, file):
            found.records += _of_document(document, file)
    found.records += _of_alloy(source)
    return found


def _documents(source: Source, file: str) -> list[Node]:
    try:
        return source.yaml(file)
    except Unreadable:
        return []


def _of_document(document: Node, file: str) -> Iterator[Any]:
    entries = Entries(file, "telemetry")
    if document.get("service", "pipelines") and document.get("exporters"):
        yield from _of_collector(document, entries)
        yield from _listeners(document.get("receivers"), "collector", entries)
    elif _stages(document, "sinks") and _stages(document, "sources"):
        yield from _of_vector(document, entries)
    elif document.get("distributor", "receivers") and document.get("storage", "trace"):
        yield from _listeners(document.get("distributor", "receivers"), "Tempo", entries)


def _stages(document: Node, key: str) -> _Stages:
    found = document.get(key)
    return {name.text: value for name, value in found.items()} if found else {}


def _keys(document: Node, key: str) -> list[Node]:
    found = document.get(key)
    return [name for name, _ in found.items()] if found else []


def _of_collector(document: Node, entries: Entries) -> Iterator[Any]:
    connectors = set(_stages(document, "connectors"))
    known = {section: tuple(_stages(document, section)) for section in _SECTIONS}
    defined = {section: frozenset(names) for section, names in known.items()}
    used: defaultdict[str, set[str]] = defaultdict(set)
    for pipeline, parts in entries.items(document.get("service", "pipelines")):
        for section, kind in _SECTIONS.items():
            for item in entries.scalars(parts.get(section)):
                used[section].add(item.text)
                joined = section != "processors" and item.text in connectors
                if item.text not in defined[section] and not joined and "$" not in item.text:
                    by, place = f"The pipeline {pipeline.text}", location(item, entries.file)
                    yield MissingStage("collector", by, kind, item.text, known[section], place)
    extensions = tuple(_stages(document, "extensions"))
    for item in entries.scalars(document.get("service", "extensions")):
        used["extensions"].add(item.text)
        if item.text not in extensions and "$" not in item.text:
            by, place = "`service.extensions`", location(item, entries.file)
            yield MissingStage("collector", by, "extension", item.text, extensions, place)
    for section, kind in (*_SECTIONS.items(), ("extensions", "extension")):
        for name in _keys(document, section):
            if name.text not in used[section]:
                yield IdleStage("collector", kind, name.text, location(name, entries.file))


def _of_vector(document: Node, entries: Entries) -> Iterator[Any]:
    sources, transforms, sinks = (_stages(document, key) for key in ("sources", "transforms", "sinks"))
    stages = {**transforms, **sinks}
    if not all(item.get("type") for item in (*sources.values(), *stages.values())):
        return
    known = (*sources, *transforms)
    named: set[str] = set()
    for name, stage in stages.items():
        inputs = stage.get("inputs")
        for item in entries.scalars(inputs):
            head = item.text.partition(".")[0]
            if "*" in item.text:
                named.update(each for each in known[:_FEW] if each.startswith(head.partition("*")[0]))
            named.add(head)
            if head not in sources and head not in transforms and not set("*$") & set(item.text):
                place = location(item, entries.file)
                yield MissingStage("Vector", name, "source or transform", item.text, known, place)
    for section, kind in (("sources", "source"), ("transforms", "transform")):
        for key in _keys(document, section):
            if key.text not in named:
                yield IdleStage("Vector", kind, key.text, location(key, entries.file))


def _listeners(receivers: Node | None, program: str, entries: Entries) -> Iterator[OtlpListener]:
    for name, receiver in entries.items(receivers):
        for protocol, settings in entries.items(receiver.get("protocols")):
            endpoint = text(settings, "endpoint")
            yield OtlpListener(program, name.text, protocol.text, endpoint, location(protocol, entries.file))


def _of_alloy(source: Source) -> Iterator[MissingStage]:
    """What Alloy's files of one folder name: it reads a folder as one configuration."""
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for file in source.matching("*.alloy", "*.river"):
        folders[posixpath.dirname(file)].append(file)
    for files in folders.values():
        lines = [(file, number, line[:2_000]) for file in files for number, line in _told(source, file)]
        if any(_OPEN.match(line) for *_, line in lines):
            continue
        defined = {f"{match['kind']}.{match['label']}" for *_, line in lines if (match := _DEFINED.match(line))}
        for file, number, line in lines:
            for match in _NAMED.finditer(line):
                name = f"{match['kind']}.{match['label']}"
                if name not in defined:
                    yield MissingStage("Alloy", match[0], "component", name, tuple(defined), Location(file, number))


def _told(source: Source, file: str) -> list[tuple[int, str]]:
    try:
        lines = source.lines(file)
    except Unreadable:
        return []
    whole = ((number, line) for number, line in enumerate(lines, 1) if not line.lstrip().startswith("//"))
    return [(number, line.partition(" //")[0]) for number, line in whole]
