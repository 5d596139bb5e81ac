"""Rules of alerts are checked for their form, and never for whether they fire.

`promtool check` finds slips in the syntax. Whether an expression says what is meant, with labels that don't match, a
window too short or a threshold the wrong way round, shows in `promtool test rules`, which runs rules on made series, or
in the incident of which nobody was told.

Anti-pattern:

    - run: promtool check config monitoring/prometheus.yml

Better:

    - run: promtool check config monitoring/prometheus.yml
    - run: promtool test rules monitoring/tests/*.yml

Recommendation:

    Write for each grave alert one series that fires it and one that doesn't, and run them with the checks.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import deployment, environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.pipeline import Run
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CHECKS = regex(r"\bpromtool\b.{0,400}?\bcheck\b|--entrypoint[= ]\S*promtool\b", 16)
_TESTS = regex(r"\btest\s+rules\b|\bpint\b|alertmanager/api|/api/v\d/alerts|ALERTS\{")
"""What runs rules on made series, or looks whether an alert fires."""
_FEWEST = 3
"""Alerts from which on a test is worth its lines."""
_TEST = """rule_files: [{rules}]
tests:
  - interval: 1m
    input_series: [{{series: '<a series that {alert} asks for>', values: "<its values>"}}]
    alert_rule_test:
      - {{eval_time: 10m, alertname: {alert}, exp_alerts: [{{exp_labels: <its labels>}}]}}"""


@rule(area=Area.CICD, severity=Severity.INFO, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all alerts that are written here, where workflows check them and nothing tests one."""
    alerts = [item for item in monitoring.alerts(inventory) if not environments.is_aside(item.file)]
    if len(alerts) < _FEWEST or deployment.unfollowed_ci(inventory):
        return
    found = pipeline.of(inventory, inventory.workflows)
    checking = found.matching(_CHECKS)
    commands = (" ".join(item.words) for item in deployment.commands(inventory))
    tested = found.opaque or found.matching(_TESTS) or any(map(_TESTS.search, commands))
    if checking and not tested:
        yield _evidence(alerts, checking[0])


def _evidence(alerts: list[AlertRule], checking: Run) -> Evidence:
    first = alerts[0]
    test = posixpath.join(posixpath.dirname(first.file), "tests", posixpath.basename(first.file))
    lines = _TEST.format(rules=posixpath.relpath(first.file, posixpath.dirname(test)), alert=first.name)
    return Evidence(
        f"{checking.location.file} checks the form of {counted(len(alerts), 'alert')}, and no workflow or script tests "
        "whether one fires: a wrong label or threshold shows in the incident.",
        checking.location,
        subject="alerts/tests",
        related=(Related(first.location, f"{first.name}, such as others, is never tried"),),
        recommendation=f"Run `promtool test rules` in {checking.location.file}, first for the gravest alerts.",
        example=files.into(test, lines),
    )
