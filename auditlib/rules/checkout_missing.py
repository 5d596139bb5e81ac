"""A job works on the repository without checking it out.

Each job begins in an empty folder of its own; what another job checked out isn't there. The first command that needs a
file ends with "no such file", on each run.

Anti-pattern:

    test:
      runs-on: ubuntu-latest
      steps:
        - uses: actions/setup-node@v4
        - run: npm ci

Better:

    test:
      runs-on: ubuntu-latest
      steps:
        - uses: actions/checkout@v4
        - uses: actions/setup-node@v4
        - run: npm ci

Recommendation:

    Begin the job with `actions/checkout`.

References:

- https://github.com/actions/checkout#usage
- https://docs.github.com/en/actions/concepts/workflows-and-actions/workflows
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions.workspaces import is_checkout
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_WORKS = regex(
    r"npm (?:ci|test|t|run \S+)\b|(?:yarn|pnpm) install --frozen-lockfile\b|(?:python -m )?pytest(?: |$)|"
    r"pip install (?:.* )?(?:-r [\w./-]+|-e ?\.|\.)(?:\[| |$)|uv sync\b|poetry install\b|make(?: \w[\w-]*)?$|"
    r"go (?:test|build|vet) (?:.* )?\./|cargo (?:build|test|clippy)\b|(?:\./)?(?:mvnw|gradlew)\b|mvn (?!--?v)|"
    r"composer install\b|bundle install\b|dotnet (?:build|test|restore)(?: |$)|docker build (?:.* )?\.$|"
    r"docker compose (?:build|up)\b|(?:ba)?sh \.?/?[\w-]+/[\w./-]+\.sh\b|\./[\w./-]+\.sh\b"
)
"""Commands that nobody calls but in a folder with the files of a project."""
_BRINGS = regex(
    r"\bgit\b.*\b(?:clone|init|fetch|pull)\b|\bgh (?:repo|release|run)\b|\b(?:curl|wget|tar|unzip|rsync|scp|svn|hg)\b|"
    r"\bdegit\b|create-|archetype:|\b(?:dotnet|cargo|poetry|rails) new\b|"
    r"\b(?:npm|cargo|go mod|uv|composer|gradle) init\b|\bdjango-admin\b|\bcookiecutter\b|\baws s3\b|\bgsutil\b|\bssh\b"
)
_PREPARES = regex(r"^(?:actions/(?:setup-[\w-]+|upload-artifact)|docker/(?:setup-[\w-]+|login-action)|"
                  r"astral-sh/setup-uv|pnpm/action-setup|ruby/setup-ruby|shivammathur/setup-php)@")  # fmt: skip
"""Actions that are known to bring no files of a project."""
_PACKAGES = ("node_modules", "vendor", ".venv", "venv", ".m2", ".gradle", "target", ".npm")
_HOSTED = regex(r"(?:ubuntu|macos|windows)-[\w.-]+")


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job on a runner of GitHub whose commands need files before anything can have brought some."""
    for job in inventory.jobs:
        if _HOSTED.fullmatch(job.runs_on) and not job.container and (found := _needing(job)):
            yield _evidence(inventory, job, *found)


def _needing(job: Job) -> tuple[str, Location] | None:
    """The first command, or action of the repository, that a job calls in its empty folder."""
    for step in job.steps:
        if step.uses.startswith("./"):
            return step.uses, step.location
        if step.uses and not _PREPARES.search(step.uses) and not _keeps_packages(step):
            return None
        if step.run and not step.commands:
            return None
        for command in step.commands:
            text = " ".join(command.words)
            if _BRINGS.search(step.run) or command.writes or command.folder.startswith(("/", "~", "$")):
                return None
            if _WORKS.match(text) and not command.cannot_fail and not _is_elsewhere(step, command):
                return text, command.location
    return None


def _keeps_packages(step: Step) -> bool:
    """Whether a step brings back a cache of packages; one of the folder itself may hold what another job had."""
    paths = [line.strip() for pair in step.inputs if pair.name == "path" for line in pair.value.splitlines()]
    cached = step.uses.startswith("actions/cache@") and any(paths)
    return cached and all(path.startswith(("~", "/")) or path.rstrip("/").endswith(_PACKAGES) for path in paths if path)


def _is_elsewhere(step: Step, command: Command) -> bool:
    """Whether a command is one in a folder that only a run knows, or in some case."""
    return command.conditional or "$" in f"{step.working_directory}{command.folder}"


def _evidence(inventory: Inventory, job: Job, text: str, place: Location) -> Evidence:
    late = next((step for step in job.steps if is_checkout(step)), None)
    elsewhere = next((item for item in inventory.jobs for step in item.steps
                      if item is not job and item.workflow == job.workflow and is_checkout(step)), None)  # fmt: skip
    said = "before it checks the repository out" if late else "and never checks the repository out"
    return Evidence(
        f"The job {job.id} calls `{text[:60]}` {said}: its folder is empty, and the step fails.",
        place,
        subject=f"{job.workflow}/{job.id}",
        related=(
            *((Related(late.location, "only here is the repository checked out"),) if late else ()),
            *((Related(elsewhere.location, "checks it out for itself alone"),) if elsewhere and not late else ()),
        ),
        recommendation=f"Let `actions/checkout` be the first step of the job {job.id}.",
        example=workflow_lines.step(job.workflow, job.id, "- uses: actions/checkout@v4\n# the other steps"),
    )
