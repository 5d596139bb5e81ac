"""A job calls `docker-compose`, which GitHub's runners no longer have.

Compose 1 isn't maintained since July 2023 and was taken off the runners' images in August 2024. The step ends with
"command not found", so what follows it in the job is never reached.

Anti-pattern:

    jobs:
      test:
        runs-on: ubuntu-latest
        steps:
          - run: docker-compose up -d

Better:

    jobs:
      test:
        runs-on: ubuntu-latest
        steps:
          - run: docker compose up -d

Recommendation:

    Write `docker compose`, which the runners have. Its containers are called shop-web-1 in place of shop_web_1.

References:

- https://github.com/actions/runner-images/issues/9692
- https://docs.docker.com/compose/releases/migrate/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import pipeline
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_HOSTED = regex(r"ubuntu-(?:latest|\d\d\.\d\d)(?:-arm)?")
_NAME = "docker-compose"
_MADE = regex(
    rf"(?:install|curl|wget|ln|alias|chmod|cp|mv|tee|echo|command -v|which|type|hash|PATH)\b[^\n]*\b{_NAME}\b|"
    rf"\b{_NAME}\(\)|\|\| *docker compose\b"
)
"""What may bring the old command into a job, or chooses between the two."""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job on a runner of GitHub that calls it, by itself or by way of a make target, and doesn't install it."""
    everything = pipeline.of(inventory, inventory.workflows)
    targets = {" ".join(command.words): command for manifest in inventory.manifests for target in manifest.targets
               for command in target.commands if _calls(command)}  # fmt: skip
    for job in inventory.jobs:
        if job.container or not _HOSTED.fullmatch(job.runs_on) or _may_install(job):
            continue
        own = [command for step in job.steps for command in step.commands if _calls(command)]
        called = [(targets[run.text], run.location) for run in everything.of_job(job) if run.text in targets]
        if own:
            yield _evidence(job, own[0], [command.location for command in own[1:]])
        elif called:
            command, caller = called[0]
            yield _evidence(job, command, [], caller)


def _calls(command: Command) -> bool:
    """Whether a command is Compose 1, and its failure counts."""
    return command.words[:1] == (_NAME,) and not (command.cannot_fail or command.conditional)


def _may_install(job: Job) -> bool:
    """Whether a step brings the command, or asks whether it is there."""
    return any("compose" in step.uses or _MADE.search(step.run) for step in job.steps)


def _evidence(job: Job, command: Command, others: list[Location], caller: Location | None = None) -> Evidence:
    text = " ".join(command.words)
    return Evidence(
        f"The job {job.id} calls `{text[:80]}` on {job.runs_on}, whose image has had no `{_NAME}` since August 2024: "
        "the step fails.",
        command.location,
        subject=f"{job.workflow}/{job.id}",
        related=(
            *((Related(caller, f"the job {job.id} calls the target here"),) if caller else ()),
            *(Related(place, f"calls `{_NAME}` too", member=True) for place in others),
        ),
        recommendation="Write `docker compose` in place of `docker-compose`.",
        change=(_NAME + " ", "docker compose "),
        example=files.into(command.location.file, text.replace(_NAME, "docker compose", 1)),
    )
