"""The expression of a rule is no PromQL.

Prometheus refuses the whole configuration when one rule file doesn't parse: it doesn't start, or a reload fails and
the old rules stay. An unknown function is not reported, since it may be newer than the parser used here.

Anti-pattern:

    - alert: HighErrorRate
      expr: rate(http_requests_total{status=~"5.."}[5m] > 0.05     # a bracket is missing

Better:

    - alert: HighErrorRate
      expr: rate(http_requests_total{status=~"5.."}[5m]) > 0.05

Recommendation:

    Correct the expression, and let CI run `promtool check rules`.

References:

- https://prometheus.io/docs/prometheus/latest/querying/basics/
- https://prometheus.io/docs/prometheus/latest/command-line/promtool/
"""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import deployment, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_LOGQL = regex(r"\|[=~]|[}\"`]\s*!~\s*[\"`]|\|\s*(?:json|logfmt|pattern|regexp|line_format|unwrap)\b|_over_time\(\s*\{")
_RULER = """# Loki's configuration, beside the rules in <the folder of its rules>/fake/
ruler:
  alertmanager_url: http://<alertmanager>:9093
  storage: {type: local, local: {directory: <the folder of its rules>}}"""
_PARSER_LIMITS = regex(r"too long|unknown function|unsupported|experimental|not supported|syntax: \d+_", re.I)
"""Errors that may be our parser's ignorance of a newer PromQL."""
_NEWER = regex(r"\][^,()]{0,40}\b(?:smoothed|anchored)\b|\[[^\][\"']{0,40}[-+*/(][^\][\"']{0,40}\]|\d_\d")
"""What newer versions read and our parser doesn't (https://prometheus.io/docs/prometheus/latest/feature_flags/)."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every rule whose expression can't be parsed; templates, VictoriaMetrics and what is loaded by Loki left out."""
    if any("victoria" in service.image or "vmalert" in service.image for service in inventory.services):
        return  # MetricsQL is a larger language
    asking_loki: defaultdict[str, list[AlertRule]] = defaultdict(list)
    for item in inventory.alert_rules:
        if item.query.error and _is_of_loki(item) and monitoring.loading(inventory, item.file):
            asking_loki[item.file].append(item)
        elif item.query.error and not _is_other_language(item) and not _PARSER_LIMITS.search(item.query.error):
            yield Evidence(
                f"The expression of {item.name} is no PromQL: {' '.join(item.query.error.split())[:160]}. Prometheus "
                "refuses the rule file.",
                item.expression_location,
                subject=f"{item.group}/{item.name}",
                recommendation=f"Correct the expression of {item.name}; `promtool check rules {item.file}` checks it.",
                example=_checked(inventory, item.file),
            )
    yield from (_of_loki(inventory, found) for found in asking_loki.values())


def _is_of_loki(item: AlertRule) -> bool:
    """Whether an expression filters lines of logs, and no template fills it in."""
    expression = item.query.expression
    return bool(_LOGQL.search(expression)) and not monitoring.is_template(item.file, expression)


def _of_loki(inventory: Inventory, found: list[AlertRule]) -> Evidence:
    first, *others = found
    config = monitoring.loading(inventory, first.file)[0]
    names = listed((item.name for item in found), limit=3)
    asks = f"{'expression' if not others else 'expressions'} of {names} {'is' if not others else 'are'}"
    return Evidence(
        f"The {asks} LogQL, the language of Loki, and {config.file} loads {first.file} into Prometheus, which refuses "
        "the rule file.",
        first.expression_location,
        subject=f"{first.file}/LogQL",
        related=(
            *(Related(item.expression_location, f"{item.name} asks Loki too", member=True) for item in others),
            Related(config.location, "loads the file"),
        ),
        recommendation=f"Move {names} to a file that Loki's ruler reads, or ask for a metric instead.",
        example=_RULER,
    )


def _checked(inventory: Inventory, file: str) -> str:
    """How the pipeline finds the next such fault."""
    image = "--entrypoint promtool prom/prometheus"
    run = f"- run: docker run --rm -v .:/work -w /work {image} check rules {shlex.quote(file)}"
    return workflow_lines.step(deployment.workflow_file(inventory), "<a job that checks>", run)


def _is_other_language(item: AlertRule) -> bool:
    expression = item.query.expression
    written_later = monitoring.is_template(item.file, expression) or "$" in expression
    return (
        written_later
        or bool(_NEWER.search(expression))
        or "loki" in item.file.lower()
        or bool(_LOGQL.search(expression))
    )
