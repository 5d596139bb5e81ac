"""The job that runs the tests lacks a variable that the code demands.

The settings have no default for it, so importing them fails, and with them every test: or the job gets by only because
of a file that isn't in the repository.

Anti-pattern:

    # settings.py:  SECRET_KEY: str
    test:
      steps:
        - run: pytest

Better:

    test:
      env:
        SECRET_KEY: only-for-tests
      steps:
        - run: pytest

Recommendation:

    Set the variable in the job's `env`, or in a fixture of the tests.

References:

- https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-variables
- https://docs.pydantic.dev/latest/concepts/pydantic_settings/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import pipeline, stages
from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import TestSuite
from auditlib.inventory.configuration import Setting
from auditlib.inventory.delivery import Job, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.paths import below
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import Run
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_DEMANDING = frozenset({"pydantic", "decouple", "django-environ", "environs"})
_LOADERS = (
    "GITHUB_ENV",
    ".env",
    "dotenv",
    "direnv",
    "doppler",
    "infisical",
    "vault",
    "secretsmanager",
    "sops",
    "op run",
)
"""How variables come into a job by other ways."""

_STARTED_ALONE = regex(
    r"(?:^|/)(?:env|wsgi|asgi|manage|setup|worker|noxfile|fabfile|locustfile|gunicorn[\w.-]*|celery\w*|__main__|main)\.py$|"
    r"(?:^|/)(?:migrations|alembic|deploy|infra|ops|bin|tools|notebooks|examples)/"
)
"""What a server, a worker or a tool loads by itself, and tests seldom."""


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job that runs a suite's tests without a variable that settings beside the suite require."""
    demanded = _demanded(inventory)
    for workflow in inventory.workflows:
        found = pipeline.of(inventory, [workflow])
        for suite in inventory.test_suites:
            run = next((item for item in found.runs if _is_of_the_runner(item) and pipeline.starts(item, suite)), None)
            of_python = suite.framework in ("pytest", "unittest") and not suite.self_contained
            if run and of_python and not _gets_variables_elsewhere(run.job):
                missing = _missing(inventory, workflow, run, suite, demanded)
                if missing:
                    yield _evidence(run, suite, missing)


def _missing(
    inventory: Inventory, workflow: Workflow, run: Run, suite: TestSuite, demanded: dict[str, list[Setting]]
) -> list[Setting]:
    given = {pair.name.upper() for pair in (*workflow.env, *run.job.env)} | {name.upper() for name in suite.variables}
    for step in run.job.steps:
        given |= {pair.name.upper() for pair in step.env}
        given |= {name.upper() for command in step.commands for name in command.assignments}
        given |= {word.partition("=")[0].upper() for item in step.commands if item.words[:1] == ("export",)
                  for word in item.words[1:]}  # fmt: skip
    for manifest in inventory.manifests:
        given |= {name.upper() for item in manifest.targets for each in item.commands for name in each.assignments}
    for file in inventory.env_files:
        if not file.template:
            given |= {line.name.upper() for line in file.lines if not line.commented}
    return [setting for setting in _required(suite, demanded) if not _is_given(setting, given)]


def _is_of_the_runner(run: Run) -> bool:
    """Whether a command runs on the runner itself: in a container it has the container's variables."""
    return run.folder is not None and run.text.split()[:1] not in (["docker"], ["docker-compose"], ["podman"])


def _demanded(inventory: Inventory) -> dict[str, list[Setting]]:
    """The settings without a default by their file, sorted; those of scripts and development left out."""
    found: dict[str, list[Setting]] = {}
    for setting in sorted(inventory.settings, key=lambda item: item.location.file):
        file = setting.location.file
        usual = environments.is_for_development(file) or environments.comes_from_the_host(setting.name)
        demanding = setting.style in _DEMANDING or (setting.style == "environ" and _is_read_at_once(setting))
        if setting.required and demanding and not usual and file not in inventory.scripts_by_path:
            found.setdefault(file, []).append(setting)
    return found


def _is_read_at_once(setting: Setting) -> bool:
    """Whether importing the module is enough for the variable to be asked for, and tests may well import it."""
    name = posixpath.basename(setting.location.file).removesuffix(".py")
    apart = _STARTED_ALONE.search(setting.location.file) or stages.names_production(name)
    return not (setting.called or setting.conditional or apart)


def _required(suite: TestSuite, demanded: dict[str, list[Setting]]) -> Iterator[Setting]:
    """The settings that the suite's own package demands, those of the tests themselves left out."""
    for file in below(list(demanded), suite.folder):
        if file not in suite.files:
            yield from demanded[file]


def _is_given(setting: Setting, given: set[str]) -> bool:
    return any(name.upper() in given for name in (setting.name, *setting.aliases))


def _gets_variables_elsewhere(job: Job) -> bool:
    texts = [step.run for step in job.steps] + [step.uses for step in job.steps]
    return bool(job.container) or any(word in text for text in texts for word in _LOADERS)


def _evidence(run: Run, suite: TestSuite, missing: list[Setting]) -> Evidence:
    names = listed(setting.name for setting in missing)
    return Evidence(
        f"The job {run.job.id} runs the tests of {suite.folder or 'the repository'} without {names}, which the "
        "settings require, if the tests import them.",
        run.location,
        subject=f"{run.job.id}/{suite.folder}",
        related=tuple(Related(item.location, f"{item.name} has no default", member=True) for item in missing[:8]),
        recommendation=f"Add {names} to `env` of the job {run.job.id} in {run.job.workflow}.",
        example=workflow_lines.of_job(
            run.job.workflow,
            run.job.id,
            "env:" + "".join(f"\n  {item.name}: <a value for tests>" for item in missing),
        ),
    )
