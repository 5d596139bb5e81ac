"""Histograms of seconds that code makes by OpenTelemetry without saying their bounds.

Its own bounds begin with 0, 5, 10, 25 and suit milliseconds
(https://opentelemetry.io/docs/specs/otel/metrics/sdk/#explicit-bucket-histogram-aggregation). A view that sets other
ones anywhere in the repository may be meant for each of them. It reports no coverage.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.inventory.telemetry import CoarseHistogram
from auditlib.patterns import Words, regex
from auditlib.readers.reading import Reading, location_at
from auditlib.source import Source

_ENDINGS = frozenset({".go", ".py", ".ts", ".js", ".mjs", ".cjs"})
_MADE = Words("64Histogram(", "create_histogram(", "createHistogram(")
_CALL = regex(
    r"\.(?:(?:Float64|Int64)Histogram|create_histogram|createHistogram)\(\s*(?:name\s*=\s*)?"
    r"[\"'`](?P<name>[\w.:-]{1,200})[\"'`]"
)
_BOUNDED = Words(
    "ExplicitBucketBoundaries", "explicit_bucket_boundaries", "explicitBucketBoundaries", "ExplicitBucketHistogram",
    "Base2Exponential", "ExponentialHistogram", "ExponentialBucketHistogram", "EXPONENTIAL_HISTOGRAM",
)  # fmt: skip
_OF_SECONDS = regex(r"(?:WithUnit\(\s*|\bunit\s*[=:]\s*)[\"'`](?:s|seconds?)[\"'`]")
_NEAR = 600


def read(source: Source) -> Reading:
    """A CoarseHistogram for each, if no code of the repository sets bounds."""
    reading = Reading()
    texts = {path: source.glance(path) for path in source.files if posixpath.splitext(path)[1] in _ENDINGS}
    making = {path: text for path, text in texts.items() if _MADE.any_in(text)}
    if making and not any(map(_BOUNDED.any_in, texts.values())):
        reading.records += [item for path, text in making.items() for item in _found(path, text)]
    return reading


def _found(path: str, text: str) -> Iterator[CoarseHistogram]:
    for match in _CALL.finditer(text):
        rest = text[match.end() : match.end() + _NEAR].split("istogram(", maxsplit=1)[0]
        named = match["name"].endswith(("_seconds", ".seconds"))
        if named or _OF_SECONDS.search(rest):
            yield CoarseHistogram(match["name"], location_at(path, text, match.start()))
