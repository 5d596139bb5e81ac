"""What the workflows really run: their commands, followed through make, npm scripts, shell scripts and Compose.

A workflow's step says `make test`, the target says `npm test`, the script says `vitest run`: that job runs Vitest.
What can't be followed (a script that the repository lacks, `tox`, an action) is named, so that nobody takes silence
for absence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

from auditlib.conventions import compose_calls, images, tools
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.code import TestSuite
from auditlib.inventory.delivery import Job, Workflow
from auditlib.model import Location
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.pipeline._follower import Follower

_COMPOSE = regex(r"\bdocker[- ]compose\b")
_WITHOUT_DOCKER = frozenset({
    "alpine", "amazoncorretto", "bitnami/node", "buildpack-deps", "composer",
    "debian", "eclipse-temurin", "elixir", "fedora", "golang", "gradle", "maven", "node", "openjdk", "oven/bun", "php",
    "playwright", "playwright/python", "python", "ruby", "rust", "swift", "ubuntu",
})  # fmt: skip
"""Images without the program `docker`."""
_PUTS_DOCKER = regex(r"docker(?:\.io|-ce|-cli|-engine|-buildx)\b|get\.docker\.com|setup-docker|add\s[^\n]*\bdocker\b")
_MANUAL = frozenset({"workflow_dispatch", "repository_dispatch"})


_SAID = ("echo ", "printf ")
"""Commands whose words, whatever tool they name, are for people."""


class Run(Struct, frozen=True):
    """One command, or action, that a job runs in the end; `location` is the line of the workflow that leads to it."""

    text: str
    folder: str | None
    """Where it runs, relative to the root; None for the inside of a container."""
    job: Job
    location: Location


class Pipeline(Struct, frozen=True, dict=True):
    """All that automatic (or other) workflows run, installations apart, and what they call that can't be followed."""

    runs: tuple[Run, ...]
    opaque: tuple[Run, ...]

    @cached_property
    def _by_job(self) -> dict[int, list[Run]]:
        found: defaultdict[int, list[Run]] = defaultdict(list)
        for run in self.runs:
            found[id(run.job)].append(run)
        return found

    @cached_property
    def _opaque_jobs(self) -> frozenset[int]:
        return frozenset(id(run.job) for run in self.opaque)

    def of_job(self, job: Job) -> list[Run]:
        """The runs of one job."""
        return self._by_job.get(id(job), [])

    def is_opaque(self, job: Job) -> bool:
        """Whether a job calls something that can't be followed."""
        return id(job) in self._opaque_jobs

    def matching(self, pattern: re.Pattern[str]) -> list[Run]:
        """The runs whose text the pattern finds."""
        return [run for run in self.runs if pattern.search(run.text)]

    def doing(self, pattern: re.Pattern[str]) -> list[Run]:
        """The runs whose text the pattern finds, and what can't be followed and has a name that it finds."""
        found = (run for run in (*self.runs, *self.opaque) if pattern.search(run.text))
        return [run for run in found if not run.text.startswith(_SAID)]


def is_automatic(workflow: Workflow) -> bool:
    """Whether anything but a person starts a workflow."""
    return any(trigger.event not in _MANUAL for trigger in workflow.triggers)


def of(inventory: Inventory, workflows: Iterable[Workflow] | None = None) -> Pipeline:
    """What these workflows run; without them, all that start by themselves."""
    chosen = [item for item in inventory.workflows if is_automatic(item)] if workflows is None else workflows
    parts = [_of_each(inventory)[item.file] for item in chosen]
    return Pipeline(
        tuple(run for part in parts for run in part.runs),
        tuple(run for part in parts for run in part.opaque),
    )


@answered_once
def _of_each(inventory: Inventory) -> dict[str, Pipeline]:
    """What each workflow runs, by its file."""
    found: dict[str, Pipeline] = {}
    for workflow in inventory.workflows:
        runs: list[Run] = []
        opaque: list[Run] = []
        for job in workflow.jobs:
            _of_job(Follower(inventory, job), runs, opaque)
        found[workflow.file] = Pipeline(tuple(runs), tuple(opaque))
    return found


def starts(run: Run, suite: TestSuite) -> bool:
    """Whether a run starts the framework of a test suite in its folder, above or below it, or names the folder."""
    patterns = [tools.TEST_FRAMEWORKS[name] for name in _runners(suite) if name in tools.TEST_FRAMEWORKS]
    if not any(pattern.search(run.text) for pattern in patterns) or tools.LISTS_TESTS.search(run.text):
        return False
    given = [*run.job.env, *(pair for step in run.job.steps for pair in step.env)] if suite.tag else []
    if suite.tag and not names_tag(suite, run.text, (pair.value for pair in given)):
        return False
    if run.folder is None or not suite.folder:
        return True
    place, home = f"{normal(run.folder)}/".lstrip("/"), f"{suite.folder}/"
    return home.startswith(place) or place.startswith(home) or suite.folder in run.text


def names_tag(suite: TestSuite, text: str, given: Iterable[str] = ()) -> bool:
    """Whether a command, or a variable given to it (`GOFLAGS`), names the tag of a suite; an expansion may hold it."""
    told = [each.partition("-tags") for each in (text, *given)]
    return "$" in text or any(option and suite.tag in re.split(r"\W+", rest) for _, option, rest in told)


def _runners(suite: TestSuite) -> tuple[str, ...]:
    """The frameworks that run the tests of a suite: pytest those of unittest, and of Playwright for Python, too."""
    if suite.framework == "unittest":
        return "unittest", "pytest"
    return ("pytest",) if any(file.endswith(".py") for file in suite.files) else (suite.framework,)


def builds_images(run: Run, inventory: Inventory) -> bool:
    """Whether a run builds images; Compose does so only where a service has something to build."""
    if _lacks_docker(run.job) or run.text.startswith(_SAID):
        return False
    if tools.IMAGE_ACTIONS.search(run.text):
        return True
    composed = _COMPOSE.search(run.text) is not None
    called = compose_calls.services_of(inventory, run.text) if composed else ()
    return tools.builds_image(run.text.split()) and (not composed or any(item.build for item in called))


def _lacks_docker(job: Job) -> bool:
    """Whether a job's steps run in the container of a language or a system, into which none of them puts Docker."""
    plain = images.repository(job.container) in _WITHOUT_DOCKER
    return plain and not any(_PUTS_DOCKER.search(f"{step.uses} {step.run}") for step in job.steps)


def _of_job(follower: Follower, runs: list[Run], opaque: list[Run]) -> None:
    job = follower.job
    if job.uses and not job.uses.startswith("./"):
        opaque.append(Run(job.uses, None, job, job.location))
    for step in job.steps:
        for text, place, known, location in follower.of_step(step):
            if not tools.INSTALLS.search(text):
                (runs if known else opaque).append(Run(text, place, job, location or step.location))
