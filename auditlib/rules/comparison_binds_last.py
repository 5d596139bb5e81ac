"""An expression compares with a product of zero.

In PromQL `*` binds stronger than `<` and `>`. `a < 0 * -a` is no `(a < 0) * -a`: it compares `a` with nothing but zero,
and the factor that was to follow is lost.

Anti-pattern:

    expr: deriv(disk_free[6h]) < 0 * -deriv(disk_free[6h])

Better:

    expr: (deriv(disk_free[6h]) < 0) * -1

Recommendation:

    Put the comparison in brackets.

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
_TEXTS = regex(r"\"[^\"\n]*\"|'[^'\n]*'")


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file with rules or panels that compare with zero times something."""
    found: dict[str, list[Asking]] = {}
    for item in monitoring.asking(inventory):
        if not item.query.error and _PRODUCT.search(_TEXTS.sub("", item.query.expression)):
            found.setdefault(item.location.file, []).append(item)
    for file, items in found.items():
        first, *others = items
        yield Evidence(
            f"{listed(item.called for item in items)} {'compares' if not others else 'compare'} with 0 * …, which is "
            "0: multiplication binds stronger than a comparison, and the factor is lost.",
            first.location,
            subject=f"{file}/{first.name}",
            related=tuple(Related(item.location, f"{item.called} does so too", member=True) for item in others[:10]),
            recommendation=f"Put the comparison of {first.called} in brackets, in {file}.",
            example=files.into(file, "(<what is compared> < 0) * <the factor>"),
        )
