"""An alert waits for a count to be zero, which none ever is.

Prometheus counts series. Where none is left to be counted, the answer is not 0 but nothing, and an alert on nothing
doesn't fire: `count(up{job="api"} == 1) == 0` is silent when the last backend fails, just when it was written for.
`absent()` is 1 or nothing as well.

Anti-pattern:

    - alert: AllBackendsDown
      expr: count(up{job="api"} == 1) == 0

Better:

    - alert: AllBackendsDown
      expr: (count(up{job="api"} == 1) or vector(0)) == 0

Recommendation:

    Put `or vector(0)` behind the count, in brackets, or ask by `absent()` alone.

References:

- https://prometheus.io/docs/prometheus/latest/querying/operators/#aggregation-operators
- https://prometheus.io/docs/prometheus/latest/querying/functions/#absent
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_COUNTS = regex(r"\s*(?P<what>count|absent)\b\s*(?P<by>(?:by|without)\s*\([^()]{0,200}\)\s*)?\(")
_IS_NONE = regex(
    r"\)\s*(?P<by>(?:by|without)\s*\([^()]{0,200}\)\s*)?(?:==\s*0(?:\.0)?|<=\s*0(?:\.0)?|<\s*1(?:\.0)?)\s*"
)
_COMMENT = regex(r"#[^\n\"']*$")


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each file with alerts that are nothing but such a comparison."""
    found: defaultdict[str, list[tuple[AlertRule, str]]] = defaultdict(list)
    for alert in monitoring.alerts(inventory):
        if not alert.query.error and (instead := _instead(alert.query.expression)):
            found[alert.file].append((alert, instead))
    for file, items in found.items():
        yield _evidence(file, items)


def _instead(expression: str) -> str:
    """What was meant by an expression that compares a count with nothing; empty for any other."""
    text = " ".join(_COMMENT.sub("", line) for line in expression.split("\n"))
    start = _COUNTS.match(text)
    end = _closing(text, start.end()) if start else -1
    whole = _IS_NONE.fullmatch(text, end) if end >= 0 else None
    if not start or not whole:
        return ""
    inner = " ".join(text[start.end() : end].split())
    if start["what"] == "absent":
        return f"count({inner}) > 0" if not start["by"] else ""
    return "absent(<the series of one that has to be there>)" if start["by"] or whole["by"] else _or_zero(inner)


def _or_zero(inner: str) -> str:
    """A count that is zero where there is nothing; empty for one that can't come to nothing."""
    return "" if "vector(" in inner or "absent" in inner else f"(count({inner}) or vector(0)) == 0"


def _closing(text: str, start: int) -> int:
    """Where the bracket ends that was opened before a place; -1 if it doesn't."""
    depth, quote = 1, ""
    for index, sign in enumerate(text[start:], start=start):
        if quote:
            quote = "" if sign == quote and text[index - 1] != "\\" else quote
        elif sign in "\"'`":
            quote = sign
        elif sign in "()":
            depth += 1 if sign == "(" else -1
            if not depth:
                return index
    return -1


def _evidence(file: str, items: list[tuple[AlertRule, str]]) -> Evidence:
    (first, instead), *others = items
    more = f" ({listed(dict.fromkeys(alert.name for alert, _ in others), limit=4)} likewise)" if others else ""
    return Evidence(
        f"{first.name} of {file} waits for a count of series to be zero, and where there are none the answer is "
        f"nothing: it never fires{more}.",
        first.expression_location,
        subject=f"{file}/{first.name}",
        related=tuple(
            Related(alert.expression_location, f"{alert.name} waits for one, too", member=True) for alert, _ in others
        ),
        recommendation=f"Let the expression of {first.name} give a value where nothing is left: `{instead[:60]}`."
        if len(instead) <= 60
        else f"Put `or vector(0)` behind the count of {first.name}, in brackets.",
        example=files.into(file, f"- alert: {first.name}\n  expr: {instead}"),
    )
