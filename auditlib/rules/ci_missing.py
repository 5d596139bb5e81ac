"""No pipeline checks what the repository deploys.

A slip in a Compose file, an alert rule or a script shows when it is deployed, on the host that serves users. Each of
them has a program that finds such slips in seconds, and what nobody starts by itself is forgotten.

Anti-pattern:

    compose.yaml
    prometheus/alert_rules.yml
    scripts/deploy.sh
    # and no .github/workflows, .gitlab-ci.yml …

Better:

    # .github/workflows/ci.yml
    on: [push, pull_request]
    jobs:
      check:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/checkout@v4
          - run: docker compose config --quiet
          - run: shellcheck scripts/*.sh

Recommendation:

    Add a workflow that has Compose, promtool and shellcheck look at every change.

References:

- https://docs.github.com/en/actions/get-started/quickstart
- https://docs.docker.com/reference/cli/docker/compose/config/
- https://prometheus.io/docs/prometheus/latest/command-line/promtool/
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, tools
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.inventory.stack import Project
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _config_checks as config_checks
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_SHOWN = 2
_ENOUGH = 2
"""The kinds of things to check from which on a pipeline is missed: of a single Compose file nobody would say so."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for a repository that deploys, without a pipeline, and without code whose tests or linters wait."""
    if inventory.workflows or inventory.stray_workflows or inventory.test_suites or not inventory.deployed_projects:
        return  # tests that nothing runs, and workflows that lie elsewhere, have rules of their own
    if deployment.other_ci(inventory) or any(map(tools.configured_linter, inventory.files)) or _is_mirror(inventory):
        return
    found = dict(_checkable(inventory))
    if len(found) >= _ENOUGH:
        yield _evidence(inventory, found)


def _is_mirror(inventory: Inventory) -> bool:
    return any(document.words & {"mirror", "mirrored"} for document in inventory.documents)


def _checkable(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    """What programs could look at, by what it is called, each with the first place."""
    projects = _projects(inventory)
    if projects:
        yield listed((item.location.file for item in projects), limit=3), projects[0].location
    configured = config_checks.of_monitoring(inventory)
    if configured:
        yield listed(configured, limit=3), next(place for _, place in configured.values())
    if inventory.alert_rules:
        yield counted(len(inventory.alert_rules), "alert rule"), inventory.alert_rules[0].location
    if scripts := _scripts(inventory):
        yield counted(len(scripts), "shell script"), scripts[0].location
    if inventory.dockerfiles:
        yield listed((item.path for item in inventory.dockerfiles), limit=3), inventory.dockerfiles[0].location


def _projects(inventory: Inventory) -> list[Project]:
    return [item for item in inventory.deployed_projects
            if not environments.in_development_file(inventory, item.location.file)]  # fmt: skip


def _scripts(inventory: Inventory) -> list[Script]:
    return [item for item in inventory.scripts if item.commands]


def _evidence(inventory: Inventory, found: dict[str, Location]) -> Evidence:
    (_, place), *others = found.items()
    programs = ["docker compose config", *(["promtool"] if inventory.alert_rules else []),
                *(["shellcheck"] if _scripts(inventory) else [])]  # fmt: skip
    return Evidence(
        "The repository has no pipeline of any kind. Nothing looks at these before they are deployed: "
        f"{'; '.join(found)}.",
        place,
        subject="pipeline",
        related=tuple(Related(location, f"{name}: nothing checks them either", member=True)
                      for name, location in others),
        recommendation=f"Add a workflow that runs {listed(programs)} on every change"
        f"{', and builds the images' if inventory.dockerfiles else ''}.",
        example=workflow_lines.new_job(inventory, deployment.workflow_file(inventory), "check", _steps(inventory)),
    )  # fmt: skip


def _steps(inventory: Inventory) -> str:
    steps = [config_checks.of_compose(inventory, project) for project in _projects(inventory)[:_SHOWN]]
    steps += [config_checks.step(inventory, file, command)
              for file, (command, _) in list(config_checks.of_monitoring(inventory).items())[:_SHOWN]]  # fmt: skip
    if scripts := _scripts(inventory):
        steps.append(f"- run: shellcheck --severity=warning {' '.join(shlex.quote(item.path) for item in scripts)}")
    return "\n".join(steps)
