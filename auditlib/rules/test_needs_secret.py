"""Tests of pull requests are given a secret that many of them don't get.

For a pull request from a fork, and for one of Dependabot, GitHub leaves the secrets of the repository empty. Tests that
need one fail there whatever the change is, and who contributes can't tell why.

Anti-pattern:

    on: pull_request
    jobs:
      test:
        steps:
          - run: pytest
            env:
              JWT_SECRET_KEY: ${{ secrets.JWT_SECRET_KEY }}

Better:

    jobs:
      test:
        steps:
          - run: pytest
            env:
              JWT_SECRET_KEY: only-for-tests

Recommendation:

    Give the tests a value that is made for them, and keep what needs a real secret out of pull requests.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflows-in-forked-repositories
- https://docs.github.com/en/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import tools, workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Pair, Step
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_SECRET = regex(r"^\$\{\{\s*secrets\.(?P<name>(?!GITHUB_TOKEN\b)\w+)\s*\}\}$")
_OF_SERVICES = regex(r"CODECOV|COVERALLS|SONAR|TURBO|NX_CLOUD|CODACY|CODE_?CLIMATE|DEEPSOURCE|SLACK|SENTRY|ARGOS|PERCY")
"""Credentials of reports and caches, without which the tests themselves run."""
_FALLBACK = regex(r"fork|head\.repo|dependabot|secrets\.|event_name|github\.event|github\.ref|github\.actor")
_UNIT = frozenset({"pytest", "unittest", "jest", "vitest", "mocha", "node", "bun"})
"""Frameworks of tests that seldom need the world outside."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each step that runs unit tests for pull requests with secrets of the repository."""
    for workflow in filter(workflow_events.runs_for_pull_requests, inventory.workflows):
        for job in workflow.jobs:
            for step in job.steps:
                found = [pair for pair in step.env if _is_needed(pair)]
                if found and _tests(step) and not _FALLBACK.search(f"{job.condition} {step.condition}"):
                    yield _evidence(job, step, found)


def _is_needed(pair: Pair) -> bool:
    """Whether a variable holds a secret of the repository that tests may need."""
    named = _SECRET.match(pair.value)
    return named is not None and not _OF_SERVICES.search(named["name"])


def _tests(step: Step) -> bool:
    texts = (" ".join(command.words) for command in step.commands)
    return not step.continue_on_error and any(tools.test_framework(text) in _UNIT for text in texts)


def _evidence(job: Job, step: Step, found: list[Pair]) -> Evidence:
    first, *others = found
    names = listed(pair.name for pair in found)
    return Evidence(
        f"The job {job.id} tests pull requests with {names} from the secrets of the repository: on those from forks "
        f"and of Dependabot {'it is' if len(found) == 1 else 'they are'} empty, if there are any.",
        first.location,
        subject=f"{job.id}/{first.name}",
        related=(
            *(Related(pair.location, f"{pair.name} too", member=True) for pair in others),
            Related(step.location, "the step that tests"),
        ),
        recommendation=f"Give the tests a value of {names} that is made for them.",
        example=workflow_lines.step(job.workflow, job.id, f"- env:\n    {first.name}: only-for-tests"),
    )
