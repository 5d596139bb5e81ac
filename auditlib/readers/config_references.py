"""What configuration files of programs refer to: hosts in their URLs, and variables that have to be set.

Of the hosts only those in a URL with a port count, which is how a service is reached and hardly ever an example; of an
OpenTelemetry Collector also those that its exporters name without a scheme
(https://opentelemetry.io/docs/collector/configuration/#exporters).
Variables are read of Logstash, which refuses to start without one that has no default
(https://www.elastic.co/docs/reference/logstash/environment-variables).
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice

from auditlib.inventory.configuration import ConfigAddress, ConfigVariable
from auditlib.inventory.monitoring import PlainVariable
from auditlib.inventory.stack import Endpoint
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import selection
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

FILE_LIMIT = 200
"""References that are recorded of one file."""

_ENDINGS = (".yml", ".yaml", ".conf", ".cfg", ".ini", ".toml", ".alloy", ".river")
_ELSEWHERE = regex(r"(?:^|[._/-])(?:compose|docker-compose)[\w.-]*\.ya?ml$|(?:^|/)(?:\.github|docs?|node_modules)/")
_URL = regex(r"\b([a-z][a-z0-9+]{1,20})://(?:[^\s/@\"'<>]+@)?([a-z][a-z0-9_-]*):(\d{2,5})(?![\w.])")
_COLLECTOR = regex(r"^receivers:(?:\s|$)", re.M)
_EXPORTERS = regex(r"^exporters:[^\n]*\n(?:[ \t#][^\n]*\n?|\n)*", re.M)
_SENT_TO = regex(
    r"^[ \t]{1,60}(?:-[ \t]{1,60})?(?:(?:endpoint|brokers|addresses|addr|host)[ \t]{0,60}:[ \t]{0,60}\[?[ \t]{0,60})?"
    r"[\"']?(?P<host>[a-z][a-z0-9_-]*):(?P<port>\d{2,5})(?![\w.])",
    re.M,
)
_LOGSTASH = regex(r"^\s*(?:input|output)\s*\{", re.M)
_VARIABLE = regex(r"\$\{([A-Z][A-Z0-9_]+)\}")
_SCRAPES = regex(r"^scrape_configs:", re.M)
_PLAIN = regex(
    r"^[ \t-]*(?P<field>username|password|credentials|bearer_token|targets)[ \t]*:[ \t]*[^#\n]{0,200}?"
    r"\$\{?(?P<name>[A-Z][A-Z0-9_]{2,})\b",
    re.M,
)
"""What Prometheus takes as it is written; only `external_labels` have variables
(https://prometheus.io/docs/prometheus/latest/configuration/configuration/)."""
_TARGETS = regex(
    r"^[ \t-]*targets[ \t]*:[ \t]*(?:#[^\n]{0,200})?\n"
    r"(?:[ \t]*(?:#[^\n]{0,200})?\n|[ \t]*-[^\n$]{0,200}\n){0,40}?"
    r"[ \t]*-[^\n#$]{0,200}\$\{?(?P<name>[A-Z][A-Z0-9_]{2,})\b",
    re.M,
)
"""The first of the targets that stand on lines of their own."""
_COMMENT = regex(r"\s*(?:#|//|;)")
_RESOLVER = regex(r"^\s*resolver\s", re.M)
_IN_VARIABLE = regex(r"\s*set\s+\$\w+\s+[\"']?")
"""A name in a variable is looked up when it is asked (https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver)."""


def read(source: Source) -> Reading:
    """The references of every configuration file. It reports no coverage: a file belongs to its format's reader."""
    reading = Reading()
    for path in source.files:
        if posixpath.splitext(path)[1] in _ENDINGS and not _ELSEWHERE.search(path) and not selection.is_template(path):
            reading.records += islice(_read(path, source.glance(path)), FILE_LIMIT)
    return reading


def _read(path: str, text: str) -> Iterator[ConfigAddress | ConfigVariable | PlainVariable]:
    starts = [0, *(match.end() for match in re.finditer("\n", text))] if "://" in text or "$" in text else [0]
    resolves = path.endswith(".conf") and _RESOLVER.search(text) is not None
    for match in _URL.finditer(text):
        if place := _place(path, text, starts, match.start()):
            before = text[starts[place.line - 1] : match.start()]
            late = resolves and _IN_VARIABLE.fullmatch(before) is not None
            yield ConfigAddress(Endpoint(*match.groups()), place, late)
    yield from _of_collector(path, text)
    for match in _VARIABLE.finditer(text) if path.endswith(".conf") and _LOGSTASH.search(text) else ():
        if place := _place(path, text, starts, match.start()):
            yield ConfigVariable(match[1], "Logstash", place)
    for match in _PLAIN.finditer(text) if path.endswith((".yml", ".yaml")) and _SCRAPES.search(text) else ():
        if place := _place(path, text, starts, match.start("name")):
            yield PlainVariable(match["name"], match["field"], place)
    for match in _TARGETS.finditer(text) if path.endswith((".yml", ".yaml")) and _SCRAPES.search(text) else ():
        if place := _place(path, text, starts, match.start("name")):
            yield PlainVariable(match["name"], "targets", place)


def _of_collector(path: str, text: str) -> Iterator[ConfigAddress]:
    """Where the exporters of an OpenTelemetry Collector send to, as far as they name a host and a port alone."""
    block = _EXPORTERS.search(text) if path.endswith((".yml", ".yaml")) and _COLLECTOR.search(text) else None
    for match in _SENT_TO.finditer(text, block.start(), block.end()) if block else ():
        yield ConfigAddress(Endpoint("", match["host"], match["port"]), location_at(path, text, match.start("host")))


def _place(path: str, text: str, starts: list[int], position: int) -> Location | None:
    """Where something stands; nowhere for what stands in a comment."""
    line = bisect_right(starts, position)
    begin = starts[line - 1]
    return None if _COMMENT.match(text, begin, position + 1) else Location(path, line, position - begin + 1)
