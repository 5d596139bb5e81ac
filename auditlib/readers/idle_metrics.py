"""Metrics that code defines for Prometheus and never speaks of again, so that nothing counts in them.

Looked at are definitions at the top of a module in Python (https://prometheus.github.io/client_python/) and in
JavaScript (https://github.com/siimon/prom-client). An import or an export is no use; any other mention is one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from auditlib.inventory.monitoring import IdleMetric
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

_PYTHON = regex(
    r"^(?P<holder>[A-Za-z_]\w*)(?:[ \t]*:[^=\n]{1,60})?[ \t]*=[ \t]*(?:prometheus_client\.|prom\.)?"
    r"(?P<kind>Counter|Gauge|Histogram|Summary)\((?P<body>\s*[\"'](?P<name>[a-z_:][\w:]*)[\"'])",
    re.M | re.I,
)
_JAVASCRIPT = regex(
    r"^(?:export[ \t]+)?(?:const|let|var)[ \t]+(?P<holder>[A-Za-z_]\w*)[ \t]*=[ \t]*new[ \t]+(?:\w+\.)?"
    r"(?P<kind>Counter|Gauge|Histogram|Summary)(?:<[^>\n]*>)?\((?P<body>\{[^{}]{0,300}?\bname:\s*[\"'`](?P<name>[a-z_:][\w:]*)[\"'`])",
    re.M | re.I,
)
_APART_IN_PYTHON = regex(
    r"^[ \t]*(?:from[ \t]+\S+[ \t]+import[ \t]*(?:\([^)]{0,4000}\)|[^\n(]*)|import[ \t][^\n]*)|"
    r"^__all__\b[^\]]{0,4000}\]|^[ \t]*#[^\n]*",
    re.M,
)
_APART_IN_JAVASCRIPT = regex(
    r"^[ \t]*import\b[^;\n]*(?:\{[^}]{0,4000}\}[^;\n]*)?|^[ \t]*export[ \t]*\{[^}]{0,4000}\}|^[ \t]*//[^\n]*|"
    r"^[ \t]*(?:const|let|var)[ \t]*\{[^}]{0,4000}\}[ \t]*=[ \t]*require\([^)]{0,4000}\)|"
    r"\bmodule\.exports[ \t]*=[ \t]*\{[^}]{0,4000}\}",
    re.M,
)
"""Imports, exports and comments."""
_LANGUAGES = (
    ((".py",), "prometheus_client", _PYTHON, _APART_IN_PYTHON),
    ((".js", ".ts", ".mjs", ".cjs"), "prom-client", _JAVASCRIPT, _APART_IN_JAVASCRIPT),
)
_WORD = regex(r"[A-Za-z_]\w*")
_BY_NAME = regex(
    r"\bgetattr\(\s*\w*metrics?\w*\s*,|\]\??\.(?:inc|dec|set|observe|labels|startTimer)\(|\bREGISTRY\._names|getSingleMetric",
    re.I,
)
"""What may reach any metric by its name."""
_DYNAMIC = regex(r"\bgetattr\(|\bglobals\(|\bvars\(")
_LABELS = regex(r"\[\s*[\"']|\blabel_?names\b", re.I)
_CLOSED = 4000
"""Characters within which a definition ends."""


def read(source: Source) -> Reading:
    """An IdleMetric for each definition that nothing else of the same language names. It reports no coverage."""
    reading = Reading()
    for suffixes, library, pattern, apart in _LANGUAGES:
        texts = {path: source.glance(path) for path in source.files if path.endswith(suffixes)}
        if any(library in text for text in texts.values()):
            reading.records += _idle(texts, library, pattern, apart)
    return reading


def _idle(
    texts: dict[str, str], library: str, pattern: re.Pattern[str], apart: re.Pattern[str]
) -> Iterator[IdleMetric]:
    defined = [
        (path, match)
        for path, text in texts.items()
        if library in text
        for match in pattern.finditer(text)
        if _body(text, match)
    ]
    holders = {match["holder"] for _, match in defined}
    naming = [text for text in texts.values() if any(holder in text for holder in holders)]
    if any(map(_BY_NAME.search, texts.values())) or any(map(_DYNAMIC.search, naming)):
        return
    uses: Counter[str] = Counter()
    for text in naming:
        uses.update(word for word in _WORD.findall(apart.sub("", text)) if word in holders)
    for path, match in defined:
        if uses[match["holder"]] == 1:
            line = texts[path].count("\n", 0, match.start()) + 1
            labelled = _LABELS.search(_body(texts[path], match)) is not None
            yield IdleMetric(match["name"], match["holder"], match["kind"].lower(), Location(path, line), labelled)


def _body(text: str, match: re.Match[str]) -> str:
    """What a definition says in its parenthesis; nothing where it goes on, and sets a function, or has `collect`."""
    depth = 0
    start = match.start("body") - 1
    for position in range(start, min(len(text), start + _CLOSED)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            body = text[start:position]
            return "" if "collect" in body or text[position + 1 :].lstrip().startswith(".") else body
    return ""
