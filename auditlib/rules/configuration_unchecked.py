"""The configuration that is deployed with the code isn't checked, or only a part of it.

A slip in a rule of Prometheus or a route of Alertmanager shows when the program is restarted, or in the incident of
which nobody was told; one in a Compose file stops a deployment half way. A list of rule files in a script or workflow
falls behind those that are loaded.

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
- https://docs.docker.com/reference/cli/docker/compose/config/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from itertools import pairwise

from auditlib import pipeline
from auditlib.conventions import deployment, environments, monitoring, workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Workflow
from auditlib.inventory.stack import Project
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _config_checks as config_checks
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CHECKS = regex(r"promtool|amtool|\bpint\b|\bcompose\b.*\bup\b|pre-commit")
"""What checks such files, or starts the programs that read them."""
_READS_COMPOSE = regex(
    r"\bcompose\b.*\b(?:config|up|build|run|pull|create|convert)\b|pre-commit|dclint|compose-lint|bake|compose-action|"
    r"stack deploy|kompose|kics|checkov|trivy config"
)
"""What reads a Compose file, or may."""
_ASIDE = ("docs/", "doc/", "examples/", "example/")
_VARIES = regex(r"[*$?{]")


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all configurations of Prometheus and Alertmanager, where workflows check pull requests, and one
    for the rules that a check of rules leaves out.
    """
    yield from _left_out(inventory)
    checking = [item for item in inventory.workflows if workflow_events.runs_for_pull_requests(item)]
    if not checking or deployment.unfollowed_ci(inventory):
        return
    found = pipeline.of(inventory, inventory.workflows)
    if found.opaque:
        return
    wanted = config_checks.of_monitoring(inventory)
    if wanted and not found.matching(_CHECKS):
        yield _evidence(inventory, checking[0], wanted)
    projects = _deployed(inventory)
    if projects and not found.matching(_READS_COMPOSE):
        yield _of_compose(inventory, checking[0], projects)


def _deployed(inventory: Inventory) -> list[Project]:
    """The projects that run what others depend on; not those of a developer."""
    aside = inventory.development_files
    return [item for item in inventory.deployed_projects
            if item.location.file not in aside and len(inventory.services_of(item.name)) > 1
            and not environments.is_for_development(item.location.file)
            and not item.location.file.startswith(_ASIDE)]  # fmt: skip


def _of_compose(inventory: Inventory, workflow: Workflow, projects: list[Project]) -> Evidence:
    first, *others = projects
    names = [item.location.file for item in projects]
    return Evidence(
        f"{workflow.file} checks pull requests, and no workflow has Compose read {listed(names, limit=4)}: a slip in "
        "it shows when it is deployed.",
        first.location,
        subject="compose",
        related=(
            *(Related(item.location, "isn't read either", member=True) for item in others),
            Related(workflow.location, "checks pull requests"),
        ),
        recommendation=f"Run `docker compose config --quiet` over {listed(names, limit=2)} in {workflow.file}.",
        example=files.into(workflow.file, config_checks.of_compose(inventory, first)),
    )


def _left_out(inventory: Inventory) -> Iterator[Evidence]:
    """The rule files that are loaded, where commands name the others to `promtool check rules` one by one."""
    checks = [item for item in deployment.commands(inventory) if any("promtool" in word for word in item.words)]
    named = [word for item in checks for word in _rules(item)]
    if not named or any(_VARIES.search(word) for word in named) or any(map(_checks_all, checks)):
        return
    names = set(map(posixpath.basename, named))
    loaded = [file for file in dict.fromkeys(item.file for item in inventory.alert_rules)
              if monitoring.loading(inventory, file)]  # fmt: skip
    left = [file for file in loaded if posixpath.basename(file) not in names]
    if left and len(left) < len(loaded):
        yield _of_rules(next(item for item in checks if _rules(item)), loaded, left)


def _rules(command: Command) -> list[str]:
    """The files that a command gives to `promtool check rules`."""
    words = [part for word in command.words for part in word.split()]
    places = [place for place, pair in enumerate(pairwise(words)) if pair == ("check", "rules")]
    return [word for word in words[places[0] + 2 :] if not word.startswith("-")] if places else []


def _checks_all(command: Command) -> bool:
    """Whether a command has the whole configuration checked, with the rules that it loads."""
    words = [part for word in command.words for part in word.split()]
    return ("check", "config") in pairwise(words)


def _of_rules(command: Command, loaded: list[str], left: list[str]) -> Evidence:
    file = command.location.file
    return Evidence(
        f"{file} has promtool check {len(loaded) - len(left)} of the {len(loaded)} rule files that Prometheus loads, "
        f"and leaves out {listed(left, limit=4)}.",
        command.location,
        subject=f"{file}/rules",
        related=tuple(Related(Location(item), "is loaded and not checked", member=True) for item in left),
        recommendation=f"Run `promtool check config` in {file}, which checks every rule file that is loaded.",
        example=files.into(
            file, "promtool check config <the configuration, at the path that Prometheus reads it from>"
        ),
    )


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
