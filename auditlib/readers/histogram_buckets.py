"""The bounds of the buckets that code gives a histogram, or that its client library has for it.

Follows https://prometheus.github.io/client_python/instrumenting/histogram/,
https://pkg.go.dev/github.com/prometheus/client_golang/prometheus#pkg-variables and
https://github.com/siimon/prom-client#histogram.
"""

from __future__ import annotations

import re

from auditlib.patterns import regex

_LIMIT = 3_000
_USUAL = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_OF_PYTHON = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_START = regex(r"(?:\w+\.)?(?:new\s+(?:\w+\.)?|New)?Histogram(?:Vec)?(?:<[^>\n]*>)?\(")
_SPELT = regex(r"\bbuckets\s*[=:]\s*(?:\[\]float64\s*)?[\[({](?P<bounds>[^\])}]{1,600})", re.I)
_GIVEN = regex(r"\bbuckets\b|native", re.I)
_USUAL_OF_GO = regex(r"\bBuckets\s*:\s*(?:\w+\.)?DefBuckets\b")


def of(ending: str, text: str, start: int) -> tuple[float, ...]:
    """The bounds of the histogram that is made at a place of a text; empty for others, and where nothing tells them."""
    match = _START.match(text, start)
    call = _call(text, match.end()) if match else ""
    if not call:
        return ()
    if found := _SPELT.search(call):
        return _numbers(found["bounds"])
    usual = _OF_PYTHON if ending == ".py" else _USUAL
    unsaid = not _GIVEN.search(call) and "**" not in call and "..." not in call
    return usual if unsaid or _USUAL_OF_GO.search(call) else ()


def _call(text: str, start: int) -> str:
    """What stands between the brackets of a call; empty if it is too long."""
    depth = 1
    for position in range(start, min(len(text), start + _LIMIT)):
        depth += (text[position] in "([{") - (text[position] in ")]}")
        if depth == 0:
            return text[start:position]
    return ""


def _numbers(text: str) -> tuple[float, ...]:
    """The bounds that are spelt, without the infinite one that every histogram has."""
    parts = [item.strip() for item in text.split(",") if item.strip()]
    parts = parts[:-1] if parts and "inf" in parts[-1].lower() else parts
    try:
        found = tuple(float(item.replace("_", "")) for item in parts)
    except ValueError:
        return ()
    return found if list(found) == sorted(set(found)) else ()
