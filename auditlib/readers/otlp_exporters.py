"""Code that gives an exporter of OTLP over HTTP its whole address in a variable.

Such an address is taken as it is, without the path of the signal that the SDKs add to OTEL_EXPORTER_OTLP_ENDPOINT
(https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp). Looked at are
https://github.com/open-telemetry/opentelemetry-js/tree/main/experimental/packages and
https://opentelemetry-python.readthedocs.io/en/latest/exporter/otlp/otlp.html. It reports no coverage.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.inventory.telemetry import OtlpExporter
from auditlib.patterns import regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_SIGNALS = {"Trace": "traces", "Span": "traces", "Metric": "metrics", "Log": "logs"}
_SCRIPT = regex(
    r"new\s+OTLP(?P<signal>Trace|Metric|Log)Exporter\(\s*\{[^{}]{0,200}?\burl\s*:\s*process\.env"
    r"(?:\.|\[\s*[\"'])(?P<variable>\w{1,100})[\"']?\]?\s*(?:(?:\?\?|\|\|)\s*[\"'`](?P<default>[^\"'`\n]{1,200})[\"'`])?\s*[,}]"
)
_PYTHON = regex(
    r"OTLP(?P<signal>Span|Metric|Log)Exporter\(\s*endpoint\s*=\s*os\.(?:getenv\(|environ\.get\(|environ\[)\s*"
    r"[\"'](?P<variable>\w{1,100})[\"']\s*(?:,\s*[\"'](?P<default>[^\"'\n]{1,200})[\"']\s*)?[)\]]\s*[,)]"
)
_OVER_HTTP = ("otlp-http", "otlp-proto", "otlp.proto.http")
_PATTERNS = {".py": _PYTHON, ".js": _SCRIPT, ".ts": _SCRIPT, ".mjs": _SCRIPT, ".cjs": _SCRIPT}


def read(source: Source) -> Reading:
    """An OtlpExporter for each call in a file that imports an exporter over HTTP."""
    reading = Reading()
    for path in source.files:
        if (ending := posixpath.splitext(path)[1]) in _PATTERNS:
            text = source.glance(path)
            if "OTLP" in text and any(word in text for word in _OVER_HTTP):
                reading.records += _calls(path, ending, text)
    return reading


def _calls(path: str, ending: str, text: str) -> Iterator[OtlpExporter]:
    for match in _PATTERNS[ending].finditer(text):
        place = location_at(path, text, match.start("variable"))
        yield OtlpExporter(_SIGNALS[match["signal"]], match["variable"], match["default"] or "", place)
