"""Requests to Prometheus that it refuses unless an option opens them: reloading, writing from outside, administration.

Follows https://prometheus.io/docs/prometheus/latest/querying/api/ and …/management_api/. They stand in scripts,
workflows, documents and configurations of whatever writes; it reports no coverage.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.monitoring import PrometheusCall
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

_ENDINGS = (
    ".sh", ".bash", ".ps1", ".yml", ".yaml", ".alloy", ".river", ".toml", ".service", ".md", ".mk", "Makefile",
    "Justfile", "justfile",
)  # fmt: skip
_SIGNS = ("/-/reload", "/api/v1/write", "/api/v1/otlp", "/api/v1/admin/tsdb")
_CALL = regex(
    r"(?<![\w.-])(?P<host>[\w.-]{1,200}|<[^<>\n]{1,60}>|\$\{?\w{1,60}\}?):(?P<port>\d{1,5})"
    r"(?P<path>/-/reload|/api/v1/(?:write|otlp|admin/tsdb))(?![\w-])"
)
_LINES = 20
"""Calls that are noted of one file."""


def read(source: Source) -> Reading:
    """A PrometheusCall for each address with one of these paths, comments left out."""
    reading = Reading()
    for file in source.files:
        text = source.glance(file) if file.endswith((*_ENDINGS, ".MD")) else ""
        if any(sign in text for sign in _SIGNS):
            reading.records += list(_calls(file, text))[:_LINES]
    return reading


def _calls(file: str, text: str) -> Iterator[PrometheusCall]:
    for number, line in enumerate(text.split("\n"), 1):
        if any(sign in line for sign in _SIGNS) and (
            file.lower().endswith(".md") or not line.lstrip().startswith(("#", "//"))
        ):
            for match in _CALL.finditer(line[:2_000]):
                yield PrometheusCall(match["path"], match["host"], match["port"], Location(file, number))
