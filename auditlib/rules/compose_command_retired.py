"""`docker-compose` is called, which is no longer maintained and which many hosts don't have.

Compose 1 isn't maintained since July 2023. It was taken off the images of GitHub's runners in August 2024, and Docker's
own packages bring `docker compose` alone. A step or script ends with "command not found", and what follows it is never
reached.

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

from collections.abc import Iterator, Sequence

from auditlib import pipeline
from auditlib.conventions import deployment, told_commands
from auditlib.conventions.told_commands import Told
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_HOSTED = regex(r"ubuntu-(?:latest|\d\d\.\d\d)(?:-arm)?")
_NAME = "docker-compose"
_INSTALLS = regex(rf"\b(?:install|curl|wget|chmod|ln|brew|apk add)\b[^\n]*\b{_NAME}(?![\w.-]*(?:\.ya?ml|plugin|v2))\b")
_MADE = regex(
    rf"(?:install|curl|wget|ln|alias|chmod|cp|mv|tee|echo|command -v|which|type|hash|PATH)\b[^\n]*\b{_NAME}\b|"
    rf"\b{_NAME}\(\)|\|\| *docker compose\b"
)
"""What may bring the old command into a job, or chooses between the two."""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job on a runner of GitHub that calls it, by itself or by way of a make target, and doesn't install it; and
    one finding for what people call by hand.
    """
    found = list(_in_jobs(inventory))
    yield from found
    yield from _elsewhere(inventory, {item.location for item in found})


def _in_jobs(inventory: Inventory) -> Iterator[Evidence]:
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


def _elsewhere(inventory: Inventory, places: set[Location]) -> Iterator[Evidence]:
    """One finding for all scripts, makefiles and documents that call it, where nothing of them chooses between both."""
    told = [item for item in told_commands.everywhere(inventory) if item.words[:1] == (_NAME,) and not _of_job(item)]
    choosing = {command.location.file for command in deployment.commands(inventory) if _chooses(command.words)}
    found = [item for item in told if item.location.file not in choosing and item.location not in places]
    if found and not _is_installed(inventory):
        yield _of_files(inventory, found)


def _is_installed(inventory: Inventory) -> bool:
    """Whether a command of the repository, or one that a document tells, brings the old command to a host."""
    told = (item.text for item in deployment.documented_commands(inventory))
    own = (" ".join(item.words) for item in deployment.commands(inventory) if any(_NAME in word for word in item.words))
    return any(_NAME in text and _INSTALLS.search(text) for text in (*own, *told))


def _of_job(told: Told) -> bool:
    return "/workflows/" in told.location.file


def _chooses(words: Sequence[str]) -> bool:
    """Whether a command asks which of the two there is, brings the old one, or is the new one."""
    text = " ".join(words)
    return words[:2] == ("docker", "compose") or (_NAME in text and words[0] != _NAME and bool(_MADE.search(text)))


def _of_files(inventory: Inventory, found: list[Told]) -> Evidence:
    first = next((item for item in found if not item.by_document), found[0])
    places = list(dict.fromkeys(item.location for item in found))
    names = list(dict.fromkeys(item.location.file for item in found))
    new = {item.location.file for item in told_commands.everywhere(inventory)
           if item.words[:2] == ("docker", "compose") and item.location.file not in names}  # fmt: skip
    verb = "calls" if len(new) == 1 else "call"
    beside = f", while {listed(sorted(new), limit=2)} {verb} `docker compose`" if new else ""
    return Evidence(
        f"{listed(names, limit=4)} {'call' if len(names) > 1 else 'calls'} `{_NAME}`, of which there has been no "
        f"release since July 2023{beside}: where Docker was installed from its own packages, there is no such command.",
        first.location,
        subject="scripts and documents",
        related=tuple(Related(place, f"calls `{_NAME}` too", member=True) for place in places
                      if place != first.location)[:30],
        recommendation=f"Write `docker compose` in {listed(names, limit=3)}.",
        severity=Severity.LOW,
        change=(_NAME + " ", "docker compose "),
        example=files.into(first.location.file, first.text.replace(_NAME, "docker compose", 1)),
    )  # fmt: skip


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
