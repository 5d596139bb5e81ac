"""What code in Go measures by OpenTelemetry, with the names under which its exporter for Prometheus shows it.

The exporter replaces what Prometheus doesn't allow by underscores and adds the unit, of counters `_total` besides
(https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-metadata-1), unless it is
told to leave them out. It reports no coverage.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.telemetry import OtelInstrument
from auditlib.patterns import Words, regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_EXPORTER = Words("go.opentelemetry.io/otel/exporters/prometheus")
_OTHERWISE = Words(
    "WithoutUnits", "WithoutCounterSuffixes", "WithNamespace(", "WithTranslationStrategy", "metric.NewView(",
    "metric.WithView(",
)  # fmt: skip
"""What changes the names; a view may give any."""
_MADE = Words("Counter(", "Gauge(", "Histogram(")
_CALL = regex(
    r"\.(?:Float64|Int64)(?:Observable)?(?P<kind>UpDownCounter|Counter|Gauge|Histogram)\(\s*"
    r"[\"`](?P<name>[A-Za-z][\w.-]{1,200})[\"`](?=(?P<rest>[^;{}]{0,600}))"
)
_UNIT = regex(r"\.WithUnit\(\s*[\"`](?P<unit>[^\"`]{0,20})[\"`]\s*\)")
_NOT_ALLOWED = regex(r"[^A-Za-z0-9_]+")
_UNITS = {"s": "seconds", "ms": "milliseconds", "By": "bytes", "1": "ratio"}
_KNOWN = frozenset({"", *_UNITS})


def read(source: Source) -> Reading:
    """An OtelInstrument for each, if the repository has the exporter with its usual names."""
    texts = {path: source.glance(path) for path in source.files if path.endswith(".go")}
    reading = Reading()
    if any(map(_EXPORTER.any_in, texts.values())) and not any(map(_OTHERWISE.any_in, texts.values())):
        making = ((path, text) for path, text in texts.items() if _MADE.any_in(text) and not path.endswith("_test.go"))
        reading.records += [item for path, text in making for item in _found(path, text)]
    return reading


def _found(path: str, text: str) -> Iterator[OtelInstrument]:
    for match in _CALL.finditer(text):
        rest = match["rest"].split("64", maxsplit=1)[0]
        told = _UNIT.search(rest)
        unit, kind = told["unit"] if told else "", match["kind"].lower()
        if unit in _KNOWN and ("WithUnit" not in rest or told):
            exported = _exported(match["name"], kind, unit)
            yield OtelInstrument(match["name"], exported, kind, unit, location_at(path, text, match.start()))


def _exported(name: str, kind: str, unit: str) -> str:
    """The name of the family of series; only a gauge without a dimension is a ratio."""
    plain = _NOT_ALLOWED.sub("_", name)
    if kind == "counter":
        plain = plain.removesuffix("_total")
    suffix = "" if unit == "1" and kind != "gauge" else _UNITS.get(unit, "")
    if suffix and not plain.endswith(suffix):
        plain = f"{plain}_{suffix}"
    return f"{plain}_total" if kind == "counter" else plain
