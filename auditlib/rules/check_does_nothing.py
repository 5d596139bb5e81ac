"""A job, or a target that a job calls, is called a check and checks nothing.

It is green on every pull request and stands among the checks that a merge demands. Who reads the list believes that the
code was linted or tested.

Anti-pattern:

    lint:
      steps:
        - uses: actions/checkout@v4
        - run: echo "Linting..."

Better:

    lint:
      steps:
        - uses: actions/checkout@v4
        - run: npm ci
        - run: npm run lint

Recommendation:

    Let the job run what its name says, or remove it until it can.

References:

- https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/add-scripts
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from auditlib import pipeline
from auditlib.conventions import checks, deployment, tools
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, ScriptTarget
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.pipeline import Run
from auditlib.rules import _files as files
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_CHECKS = regex(r"(?:^|[^a-z])(?:lint(?:ing)?|tests?|unit|e2e|type-?check|scan|audit|security)(?![a-z])")
_OTHER = regex(
    r"notif|summary|report|result|status|skip|set-?up|prepare|changes|detect|matrix|deploy|gate|required|done|complete|"
    r"(?:^|[^a-z])(?:ok|all|pass(?:ed)?)(?![a-z])|success|conclusion"
)
"""Jobs that stand for others, or say how those ended."""
_LINTS = regex(r"(?:^|[^a-z])lint(?:ing)?(?![a-z])")
_MAY_LINT = regex(
    r"lint|fmt|format|prettier|style|codeql|sonar|vet\b|clippy|tsc\b|type-?check|shellcheck|hadolint|isort|check(?!out)",
    re.I,
)

_CALL = regex(
    r"(?:(?P<make>make) |(?:npm|pnpm|yarn|bun) (?:(?:-s|--silent) )?(?:run |(?=test$)|(?<=yarn )|(?<=pnpm )))"
    r"(?P<name>[\w:.-]+)"
)
_PRINTED_BY_MAKE = regex(
    r"(?:\$\{\w+\} )?(?:\$\((?:call )?|call )(?:print|echo|log|info|warn|title|msg)|"
    r"(?:\$\{\w+\} )?\$\{(?:ECHO|PRINTF)\}(?: |$)|info |warning ",
    re.I,
)


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job that is called a test, lint or scan and only prints, and every one called a lint that only tests.

    Likewise each target of a makefile and script of a package that jobs call as a check.
    """
    found = pipeline.of(inventory, inventory.workflows)
    yield from _targets(inventory)
    for job in inventory.jobs:
        name = f"{job.id} {job.name}".lower()
        if not job.steps or job.uses or _OTHER.search(name):
            continue
        if _CHECKS.search(name) and any(step.run for step in job.steps) and deployment.is_empty(job):
            if not _may_fail(job) and not _stands_for_others(inventory, job):
                yield _of_printing(job)
        elif _LINTS.search(name) and not found.is_opaque(job) and _lints_nothing(job, found.of_job(job)):
            yield _of_lint(job)


def _stands_for_others(inventory: Inventory, job: Job) -> bool:
    """Whether a job sums up checks that it waits for, or takes the place of one of its name that paths left out."""
    twin = any(other.id == job.id and other.workflow != job.workflow and not deployment.is_empty(other)
               for other in inventory.jobs)  # fmt: skip
    return twin or any(_CHECKS.search(name.lower()) for name in job.needs)


def _may_fail(job: Job) -> bool:
    """Whether a command ends the job as failed: it looks at how other jobs ended, or at what it was given."""
    return any(_ends_as_failed(item) for step in job.steps for item in step.commands)


def _ends_as_failed(command: Command) -> bool:
    return command.words[0] in ("exit", "false") and command.words[1:2] not in ((), ("0",))


def _targets(inventory: Inventory) -> Iterator[Evidence]:
    """One finding for each target that only prints, at the first step that calls it."""
    told: set[Location] = set()
    for job in inventory.jobs:
        for step in job.steps:
            for command in step.commands:
                folder = posixpath.join(step.working_directory or job.working_directory, command.folder)
                target = _called(inventory, command.words, normal(folder))
                if target and target.location not in told and _only_prints(target):
                    told.add(target.location)
                    yield _of_target(job, command, target)


def _called(inventory: Inventory, words: Sequence[str], folder: str) -> ScriptTarget | None:
    """The target of a makefile, or the script of a package, that a command calls by the name of a check."""
    match = _CALL.fullmatch(" ".join(words))
    if match is None or not _CHECKS.search(match["name"]):
        return None
    kind = "make" if match["make"] else "npm"
    found = (item for item in inventory.manifests if item.kind == kind and posixpath.dirname(item.path) == folder)
    return next((target for item in found for target in item.targets if target.name == match["name"]), None)


def _only_prints(target: ScriptTarget) -> bool:
    prints = all(deployment.prints(item) or _PRINTED_BY_MAKE.match(" ".join(item.words)) for item in target.commands)
    return bool(target.commands) and prints and not any(map(_ends_as_failed, target.commands))


def _of_target(job: Job, command: Command, target: ScriptTarget) -> Evidence:
    called = " ".join(command.words)
    return Evidence(
        f"The job {job.id} runs `{called}`, and all that {target.name} of {target.location.file} does is to print: it "
        "passes whatever the code is like.",
        command.location,
        subject=f"{target.location.file}/{target.name}",
        related=(Related(target.location, f"{target.name} only prints"),),
        recommendation=f"Let {target.name} run what its name says, or take `{called}` out of the job {job.id}.",
        example=files.into(target.location.file, f"{target.name}: <the command that checks>"),
    )


def _lints_nothing(job: Job, runs: list[Run]) -> bool:
    """Whether all that a job runs is known, and none of it is a linter by its name."""
    texts = [run.text for run in runs]
    known = all(deployment.prints(item) or checks.is_check(item.words) or tools.INSTALLS.search(" ".join(item.words))
                or item.words[:2] == ("npm", "ci") for step in job.steps for item in step.commands)  # fmt: skip
    uses = [step.uses for step in job.steps if step.uses]
    plain = all(deployment.is_idle(step) or tools.REPORTING.search(step.uses) for step in job.steps if step.uses)
    patterns = (*tools.LINTERS.values(), tools.ALL_LINTERS, tools.PRE_COMMIT, _MAY_LINT)
    linted = any(pattern.search(text) for text in (*texts, *uses) for pattern in patterns)
    return known and plain and bool(texts) and not linted


def _of_printing(job: Job) -> Evidence:
    step = next(step for step in job.steps if step.run)
    return Evidence(
        f"The job {job.id} is called a check, and all that it does is `{step.commands[0].words[0]}`: it is green "
        "whatever the code is like.",
        step.commands[0].location,
        subject=job.id,
        related=(Related(job.location, f"the job {job.id}"),),
        recommendation=f"Let the job {job.id} run what its name says, or remove it.",
        example=workflow_lines.step(job.workflow, job.id, "- run: <the command that checks>"),
    )


def _of_lint(job: Job) -> Evidence:
    return Evidence(
        f"The job {job.id} is called a lint, and none of its commands is a linter.",
        job.location,
        subject=f"{job.id}/lint",
        related=tuple(Related(item.location, f"runs `{' '.join(item.words)[:60]}`")
                      for step in job.steps for item in step.commands if not deployment.prints(item))[:4],
        recommendation=f"Add a linter to the job {job.id}, or name it after what it does.",
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        example=workflow_lines.step(job.workflow, job.id, "- run: <the linter>"),
    )  # fmt: skip
