"""The metrics that code makes by a client library of Prometheus, and whether their series are there from the start.

A metric without labels has its series as soon as it is made, one with labels only with the first values of them
(https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics). Follows
https://prometheus.github.io/client_python/, https://github.com/siimon/prom-client and
https://pkg.go.dev/github.com/prometheus/client_golang/prometheus.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib.inventory.monitoring import OwnMetric
from auditlib.patterns import regex
from auditlib.readers import histogram_buckets
from auditlib.readers.reading import location_at

_KINDS = "Counter|Gauge|Histogram|Summary"
_LITERAL = r"[\"'`](?P<name>[a-zA-Z_:][\w:]{0,200})[\"'`]"
_FORMATTED = r"f[\"']\{(?P<constant>[A-Za-z_]\w{0,100})\}(?P<tail>[\w:]{1,200})[\"']"
"""A name that begins with a constant of the file: `f"{PREFIX}_requests_total"`."""
_IN_BRACES = r"(?P<body>(?:[^{}]|\{[^{}]{0,500}\}){0,1500})"
_STRING = r"""(?:"[^"\n]{0,500}"|'[^'\n]{0,500}')"""
_PYTHON = regex(
    rf"(?<![\w'\"])(?:{_KINDS}|Info|Enum)(?P<family>MetricFamily)?\(\s*(?:name\s*=\s*)?"
    rf"(?:(?:{_LITERAL}|{_FORMATTED})(?P<rest>(?:[^()\"']|{_STRING}){{0,600}}\)?))?"
)
_PLAIN = regex(rf"\s*(?:,\s*(?:documentation\s*=\s*)?(?:{_STRING}\s*)+)?(?:,\s*registry\s*=\s*[\w.]+\s*)?,?\s*\)")
"""What follows the name of a metric without labels: what it is for."""
_VALUE = regex(r"(?P<quote>[\"'])(?P<text>[a-zA-Z_:][\w:]*)(?P=quote)(?:\s*#.*)?")
_SCRIPT = regex(rf"\bnew\s+(?:\w+\.)?(?:{_KINDS})(?:<[^>\n]*>)?\(\s*(?:\{{{_IN_BRACES}\}})?")
_NAME_OF_SCRIPT = regex(rf"\bname\s*:\s*{_LITERAL}")
_GO = regex(
    rf"\bNew(?:{_KINDS})(?P<more>Vec|Func)?\(\s*(?:\w+\.)?(?:\w*Opts\{{{_IN_BRACES}\}})?|\bNew(?:Desc|Const\w+)\("
)
_FIELD = regex(r"\b(?P<key>Name|Namespace|Subsystem)\s*:\s*(?:\"(?P<text>[\w:]*)\"|(?P<other>[^,\n]+))")
_OTHER_WAYS = regex(
    r"\b(?:create_?(?:observable_?)?(?:counter|gauge|histogram|up_?down_?counter)|StatsD|statsd)\b", re.I
)
"""OpenTelemetry and StatsD, whose names are changed on the way to Prometheus."""


def of(path: str, text: str) -> Iterator[OwnMetric]:
    """The metrics that a file makes; one without a name for those whose names it doesn't spell."""
    ending = posixpath.splitext(path)[1]
    found = _python(text) if ending == ".py" else _go(text) if ending == ".go" else _script(text)
    for name, labelled, start in found:
        yield OwnMetric(name, labelled, location_at(path, text, start), histogram_buckets.of(ending, text, start))
    if other := _OTHER_WAYS.search(text):
        yield OwnMetric("", True, location_at(path, text, other.start()))


def _python(text: str) -> Iterator[tuple[str, bool, int]]:
    for match in _PYTHON.finditer(text):
        rest = match["rest"] or ""
        name = match["name"] or _formatted(text, match["constant"], match["tail"])
        named = name and "namespace" not in rest and "subsystem" not in rest
        plain = not match["family"] and _PLAIN.fullmatch(rest) is not None
        yield name if named else "", not plain, match.start()


def _formatted(text: str, constant: str | None, tail: str | None) -> str:
    """A name with the value of the constant before it; empty if the file gives it none, or several."""
    values = re.findall(rf"^{constant}\b[^=\n]*=\s*(.+)$", text, re.M) if constant else []
    value = _VALUE.fullmatch(values[0].strip()) if len(values) == 1 else None
    return f"{value['text']}{tail}" if value else ""


def _script(text: str) -> Iterator[tuple[str, bool, int]]:
    for match in _SCRIPT.finditer(text):
        body = match["body"] or ""
        name = _NAME_OF_SCRIPT.search(body)
        yield name["name"] if name else "", "labelNames" in body or "..." in body, match.start()


def _go(text: str) -> Iterator[tuple[str, bool, int]]:
    for match in _GO.finditer(text):
        parts = {item["key"]: item for item in _FIELD.finditer(match["body"] or "")}
        spelt = "Name" in parts and not any(item["other"] for item in parts.values())
        words = [
            parts[key]["text"] for key in ("Namespace", "Subsystem", "Name") if key in parts and parts[key]["text"]
        ]
        yield "_".join(filter(None, words)) if spelt else "", match["more"] == "Vec", match.start()
