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

import posixpath
import shlex
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import deployment, environments, monitoring, workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CHECKS = regex(r"promtool|amtool|\bpint\b|\bcompose\b.*\bup\b|pre-commit")
"""What checks such files, or starts the programs that read them."""
_IMAGES = {"promtool": "prom/prometheus", "amtool": "prom/alertmanager"}


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all configurations of Prometheus and Alertmanager, where workflows check pull requests."""
    checking = [item for item in inventory.workflows if workflow_events.runs_for_pull_requests(item)]
    wanted = _configurations(inventory)
    if not checking or not wanted or deployment.other_ci(inventory):
        return
    found = pipeline.of(inventory, inventory.workflows)
    if not found.opaque and not found.matching(_CHECKS):
        yield _evidence(checking[0], wanted)


def _configurations(inventory: Inventory) -> dict[str, tuple[str, Location]]:
    """By file the command that checks it, and its place; nothing that is for development, or filled in later."""
    known: dict[str, tuple[str, Location]] = {}
    for config in monitoring.prometheus_in_use(inventory):
        known[config.file] = ("promtool check config", config.location)
    for route in inventory.alert_routes:
        known.setdefault(route.file, ("amtool check-config", route.location))
    return {
        file: found
        for file, found in known.items()
        if not environments.is_for_development(file) and not monitoring.is_template(file)
    }


def _step(file: str, command: str) -> str:
    """The step that runs the program's own check in its image."""
    program, words = command.split(" ", 1)
    folder = posixpath.dirname(file) or "."
    return (
        f'- run: >-\n    docker run --rm -v "$PWD/{folder}:/checked:ro" --entrypoint {program}\n'
        f"    {_IMAGES[program]} {words} /checked/{shlex.quote(posixpath.basename(file))}"
    )


def _evidence(workflow: Workflow, wanted: dict[str, tuple[str, Location]]) -> Evidence:
    (first, (command, place)), *others = wanted.items()
    steps = "\n".join(_step(file, command) for file, (command, _) in wanted.items())
    return Evidence(
        f"{workflow.file} checks pull requests, and no workflow has promtool or amtool look at {listed(wanted)}: what "
        "is YAML and wrong all the same shows when it is deployed.",
        place,
        subject="monitoring",
        related=(
            *(Related(location, f"{file} isn't checked either", member=True) for file, (_, location) in others),
            Related(workflow.location, "checks pull requests"),
        ),
        recommendation=f"Run `{command}` over {first} in {workflow.file}.",
        example=files.into(workflow.file, steps),
    )
