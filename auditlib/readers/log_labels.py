"""Reads which values of log lines Promtail and Alloy make labels and metrics of.

Follows https://grafana.com/docs/loki/latest/send-data/promtail/stages/ and
https://grafana.com/docs/alloy/latest/reference/components/loki/loki.process/. It reports no coverage.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.logs import LogLabel
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import reading, selection
from auditlib.readers.nodes import Entries, location, text
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

_GROUP = regex(r"\(\?P?<(\w{1,100})>")
_ALWAYS = frozenset({"filename", "stream", "output", "time", "timestamp", "content", "flags", "job", "host", "unit"})
"""What Promtail or its stages for Docker, CRI and the journal give each line."""
_MAPPED = {"json": "expressions", "logfmt": "mapping"}
_OPEN = frozenset({"geoip", "eventlogmessage", "windowsevent", "unpack", "azureeventhubs"})
"""Stages that take out values whose names stand nowhere."""
_DEPTH = 5
_STAGE = regex(r"^\s*stage\.(\w+)\b")
_VALUE = regex(r"^\s*\"?(?P<name>[A-Za-z_]\w{0,100})\"?\s*=\s*\"(?P<source>\w{0,100})\"")


def read(source: Source) -> reading.Reading:
    """The labels and metrics of each pipeline."""
    found = reading.Reading()
    for file in selection.containing(source, selection.YAML, "pipeline_stages"):
        for document in _documents(source, file):
            entries = Entries(file, "logs")
            for job in entries.elements(document.get("scrape_configs")):
                found.records += _stages(job.get("pipeline_stages"), _given(job, entries), entries, _DEPTH)
    for file in source.matching("*.alloy", "*.river"):
        if "stage.labels" in (written := source.glance(file)):
            found.records += _of_alloy(file, written)
    return found


def _documents(source: Source, file: str) -> list[Node]:
    try:
        return source.yaml(file)
    except Unreadable:
        return []


def _keys(node: Node | None, entries: Entries) -> set[str]:
    return {key.text for key, _ in entries.items(node)}


def _given(job: Node, entries: Entries) -> set[str]:
    """The labels that lines of a job have before the first stage, which stages may use as well."""
    values = set(_ALWAYS)
    for static in entries.elements(job.get("static_configs")):
        values |= _keys(static.get("labels"), entries)
    for item in entries.elements(job.get("relabel_configs")):
        values.add("" if text(item, "action") == "labelmap" else text(item, "target_label") or "replaced")
    for kind in ("journal", "syslog"):
        values |= _keys(job.get(kind, "labels"), entries)
    return values


def _stages(pipeline: Node | None, values: set[str], entries: Entries, depth: int) -> Iterator[LogLabel]:
    """What stages make, in their order; `values` holds what is taken out so far, and `""` where that isn't all."""
    for stage in entries.elements(pipeline) if depth else ():
        for key, settings in entries.items(stage):
            values |= _taken_out(key.text, settings, entries)
            if key.text == "match":
                yield from _stages(settings.get("stages"), values, entries, depth - 1)
            elif key.text in ("labels", "metrics"):
                yield from _made(key.text, settings, values, entries)


def _taken_out(kind: str, settings: Node, entries: Entries) -> set[str]:
    """The values that a stage takes out of the line, or sets."""
    if kind in _MAPPED:
        return _keys(settings.get(_MAPPED[kind]), entries)
    if kind in ("regex", "replace"):
        return set(_GROUP.findall(text(settings, "expression")))
    if kind == "template":
        return {text(settings, "source")} - {""}
    if kind in ("static_labels", "labelallow"):
        return _keys(settings, entries)
    return {""} if kind in _OPEN else set()


def _made(kind: str, settings: Node, values: set[str], entries: Entries) -> Iterator[LogLabel]:
    for name, value in entries.items(settings):
        if kind == "labels":
            yield _label(name, value.text or name.text, entries.file, values)
        elif text(value, "source"):
            yield _label(name, text(value, "source"), entries.file, values, metric=True)


def _label(name: Node, source: str, file: str, values: set[str], *, metric: bool = False) -> LogLabel:
    known = source in values or "" in values
    values.add(name.text)
    return LogLabel(file, name.text, source, known, metric, location(name, file))


def _of_alloy(file: str, written: str) -> Iterator[LogLabel]:
    """The values of each block `stage.labels`; where Alloy takes them from isn't followed."""
    stage = ""
    for number, line in enumerate(written.split("\n"), 1):
        if match := _STAGE.match(line[:500]):
            stage = match[1]
        elif stage == "labels" and (match := _VALUE.match(line[:500])):
            yield LogLabel(file, match["name"], match["source"] or match["name"], True, False, Location(file, number))
        if line.strip() == "}" and not line[:1].isspace():
            stage = ""
