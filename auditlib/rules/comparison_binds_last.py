"""An expression is read in other brackets than it was meant in.

In PromQL `*` binds stronger than `<` and `>`. `a < 0 * -a` is no `(a < 0) * -a`: it compares `a` with nothing but zero,
and the factor that was to follow is lost. `and` binds stronger than `or`: of `a and hour() >= 22 or hour() < 6` the
last part stands for itself, and is true each night whatever `a` is.

Anti-pattern:

    expr: deriv(disk_free[6h]) < 0 * -deriv(disk_free[6h])
    expr: logins > 0 and hour() >= 22 or hour() < 6

Better:

    expr: (deriv(disk_free[6h]) < 0) * -1
    expr: logins > 0 and on() (hour() >= 22 or hour() < 6)

Recommendation:

    Put the comparison, or what `or` joins, in brackets.

References:

- https://prometheus.io/docs/prometheus/latest/querying/operators/#binary-operator-precedence
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.conventions.monitoring import Asking
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PRODUCT = regex(r"(?:[<>]=?|[=!]=)\s*(?:bool\s*)?0(?:\.0+)?\s*\*")
_TIME = r"(?:hour|minute|month|day_of_week|day_of_month)\(\s*\)\s*(?:[<>]=?|[=!]=)\s*\d+"
_NIGHT = regex(rf"\band\b(?:\s+on\s*\(\s*\))?\s+{_TIME}\s+or\b(?:\s+on\s*\(\s*\))?\s+{_TIME}")
"""A time of day that was to go with something else, whose second half stands for itself."""
_TEXTS = regex(r"\"[^\"\n]*\"|'[^'\n]*'")


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file and slip: what compares with zero times something, and what is joined to a time."""
    for pattern, evidence in ((_PRODUCT, _of_product), (_NIGHT, _of_time)):
        found: dict[str, list[Asking]] = {}
        for item in monitoring.asking(inventory):
            if not item.query.error and pattern.search(_TEXTS.sub("", item.query.expression)):
                found.setdefault(item.location.file, []).append(item)
        yield from (evidence(file, items) for file, items in found.items())


def _of_product(file: str, items: list[Asking]) -> Evidence:
    first, *others = items
    return Evidence(
        f"{listed(item.called for item in items)} {'compares' if not others else 'compare'} with 0 * …, which is "
        "0: multiplication binds stronger than a comparison, and the factor is lost.",
        first.location,
        subject=f"{file}/{first.name}",
        related=_others(others),
        recommendation=f"Put the comparison of {first.called} in brackets, in {file}.",
        example=files.into(file, "(<what is compared> < 0) * <the factor>"),
    )


def _of_time(file: str, items: list[Asking]) -> Evidence:
    first, *others = items
    return Evidence(
        f"{listed(item.called for item in items)} {'joins' if not others else 'join'} two times by `or` without "
        "brackets: `and` binds stronger, so that the second time is true by itself, whatever stands before.",
        first.location,
        subject=f"{file}/{first.name}/time",
        related=_others(others),
        recommendation=f"Put the two times of {first.called} in brackets, and join them by `and on()`, in {file}.",
        example=files.into(file, "<what is watched> and on() (hour() >= 22 or hour() < 6)"),
    )


def _others(items: list[Asking]) -> tuple[Related, ...]:
    return tuple(Related(item.location, f"{item.called} does so too", member=True) for item in items[:10])
