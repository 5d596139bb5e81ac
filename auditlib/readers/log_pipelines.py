"""Reads log shippers that have a language of their own: Fluent Bit (classic), Fluentd, Logstash, Grafana Alloy.

Follows https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/classic-mode,
https://docs.fluentd.org/configuration/config-file,
https://www.elastic.co/docs/reference/logstash/configuration-file-structure and
https://grafana.com/docs/alloy/latest/reference/components/loki/. Their lines are enough to tell sources from sinks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from msgspec import Struct

from auditlib.inventory.logs import LogShipper
from auditlib.inventory.monitoring import PathPattern
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import log_shippers, reading
from auditlib.source import Source, Unreadable


class _Language(Struct, frozen=True):
    """How a program's configuration looks: what opens a part, and the lines that name a source or a sink."""

    kind: str
    files: tuple[str, ...]
    sign: re.Pattern[str]
    source: re.Pattern[str]
    """A line that opens a source's part."""
    sink: re.Pattern[str]
    path: re.Pattern[str]
    """A line in a source's part that names files, or what else is read."""
    address: re.Pattern[str]
    """A line in a sink's part that names where it sends to."""
    parts: re.Pattern[str] | None = None
    """What stands on a line of its own when people spread it out, where a language leaves that to them."""


_LANGUAGES = (
    _Language(
        "fluent-bit",
        ("*.conf", "*.cfg", "*.conf.tmpl"),
        regex(r"^[ \t]*\[(?:INPUT|OUTPUT)\]", re.M | re.I),
        regex(r"\s*\[INPUT\]", re.I),
        regex(r"\s*\[(?P<other>\w+)\]", re.I),
        regex(r"\s*Path\s+(\S+)", re.I),
        regex(r"\s*(?:Name|Host|Uri|Url)\s+(\S+)", re.I),
    ),
    _Language(
        "fluentd",
        ("*.conf", "*.cfg", "*.conf.tmpl"),
        regex(r"^[ \t]*<(?:source|match\b[^>\n]*)>", re.M),
        regex(r"\s*<source>"),
        regex(r"\s*<(?P<other>match|filter|label)\b"),
        regex(r"\s*path\s+(\S+)"),
        regex(r"\s*(?:@type|host|url|endpoint)\s+(\S+)"),
    ),
    _Language(
        "logstash",
        ("*.conf", "*.conf.tmpl"),
        regex(r"^[ \t]*output[ \t]*\{", re.M),
        regex(r"\s*input\s*\{"),
        regex(r"\s*(?P<other>output|filter)\s*\{"),
        regex(r"\s*path\s*=>\s*\[?\s*[\"']([^\"']+)|\s*(?!file\b)([a-z][a-z0-9_]*)\s*\{"),
        regex(r"\s*(?:hosts?|url)\s*=>\s*\[?\s*[\"']([^\"']+)|\s*([a-z][a-z0-9_]*)\s*\{"),
        parts=regex(r"""(?:"[^"]*"|'[^']*'|[^{}])+\{?|[{}]"""),
    ),
    _Language(
        "alloy",
        ("*.alloy", "*.river"),
        regex(r"loki\.(?:write|source)"),
        regex(r"\s*(?:loki\.source|local\.file_match|discovery)\.?\w*\b"),
        regex(r"\s*(?P<other>loki\.write|loki\.process|prometheus\.\w+|otelcol\.\w+)\b"),
        regex(r".*?__path__\"?\s*[=:]\s*\"([^\"]+)"),
        regex(r"\s*url\s*=\s*\"([^\"]+)"),
    ),
)


def read(source: Source) -> reading.Reading:
    """Every configuration in one of these languages."""
    found = reading.Reading()
    for language in _LANGUAGES:
        files = [file for file in source.matching(*language.files) if _speaks(source, file, language)]
        one = reading.each(source, files, "logs", partial(_read, language))
        found.records += one.records
        found.coverage += one.coverage
    return found


def _speaks(source: Source, file: str, language: _Language) -> bool:
    try:
        return bool(language.sign.search(source.text(file)))
    except Unreadable:
        return False


def _read(language: _Language, source: Source, file: str) -> Iterator[Any]:
    sources: list[PathPattern] = []
    sinks: dict[str, None] = {}
    part = ""
    for number, head in _lines(language, source.lines(file)):
        if language.source.match(head):
            part = "source"
        elif other := language.sink.match(head):
            part = "sink" if other["other"].lower() in ("output", "match", "loki.write") else ""
        elif part == "source" and (match := language.path.match(head)):
            sources.append(PathPattern(next(filter(None, match.groups())), Location(file, number)))
        elif part == "sink" and (match := language.address.match(head)):
            sinks[source.vault.mask(next(group for group in match.groups() if group))] = None
    yield LogShipper(
        file, language.kind, tuple(sources), tuple(sinks), Location(file),
        sockets=log_shippers.sockets(source, file), names_tenant=log_shippers.names_tenant(source.text(file)),
    )  # fmt: skip


def _lines(language: _Language, lines: list[str]) -> Iterator[tuple[int, str]]:
    """The lines that are no comments, with their numbers; a line that holds several parts gives each of them."""
    for number, line in enumerate(lines, 1):
        head = line[:2_000]
        if head.lstrip().startswith(("#", "//")):
            continue
        for part in language.parts.findall(head) if language.parts else (head,):
            yield number, part
