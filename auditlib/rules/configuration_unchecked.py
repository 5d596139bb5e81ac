"""Workflows check the code, and nothing checks the configuration that is deployed with it.

A slip in a rule of Prometheus or a route of Alertmanager shows when the program is restarted, or in the incident of
which nobody was told.

Anti-pattern:

    # .github/workflows/ci.yml, in a repository with prometheus.yml and alertmanager.yml
    - run: pytest

Better:

    - run: promtool check config monitoring/prometheus.yml

Recommendation:

    Run promtool and amtool over the files in the job that checks pull requests.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/#syntax-checking-rules
- https://github.com/prometheus/alertmanager#amtool
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import deployment, workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _config_checks as config_checks
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CHECKS = regex(r"promtool|amtool|\bpint\b|\bcompose\b.*\bup\b|pre-commit")
"""What checks such files, or starts the programs that read them."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all configurations of Prometheus and Alertmanager, where workflows check pull requests."""
    checking = [item for item in inventory.workflows if workflow_events.runs_for_pull_requests(item)]
    wanted = config_checks.of_monitoring(inventory)
    if not checking or not wanted or deployment.other_ci(inventory):
        return
    found = pipeline.of(inventory, inventory.workflows)
    if not found.opaque and not found.matching(_CHECKS):
        yield _evidence(inventory, checking[0], wanted)


def _evidence(inventory: Inventory, workflow: Workflow, wanted: dict[str, tuple[str, Location]]) -> Evidence:
    (_, (_, place)), *others = wanted.items()
    commands = dict.fromkeys(f"`{command}`" for command, _ in wanted.values())
    steps = "\n".join(config_checks.step(inventory, file, command) for file, (command, _) in wanted.items())
    return Evidence(
        f"{workflow.file} checks pull requests, and no workflow has promtool or amtool look at {listed(wanted)}: what "
        "is YAML and wrong all the same shows when it is deployed.",
        place,
        subject="monitoring",
        related=(
            *(Related(location, f"{file} isn't checked either", member=True) for file, (_, location) in others),
            Related(workflow.location, "checks pull requests"),
        ),
        recommendation=f"Run {listed(commands)} over {listed(wanted, limit=1)} in {workflow.file}.",
        example=files.into(workflow.file, steps),
    )
