"""Which jobs publish: push an image that is a release, upload a package, make a release.

Sources: the command line documentation of each package manager, https://goreleaser.com/ci/actions/ and
https://docs.github.com/en/actions/tutorials/publish-packages.
"""

from __future__ import annotations

from msgspec import Struct

from auditlib.conventions import pushed_images, releases
from auditlib.inventory.delivery import Job, Step, Workflow
from auditlib.model import Location
from auditlib.patterns import regex

_PACKAGE_COMMAND = regex(
    r"^(?:\S+\s+){0,2}?(?:(?:npm|pnpm|yarn npm|bun|lerna|cargo|poetry|uv|hatch|flit|pdm|dart pub) publish|"
    r"twine upload|gem push|dotnet nuget push|(?:\./)?mvnw?\s(?:\S+\s)*deploy|(?:\./)?gradlew?\s(?:\S+\s)*publish)"
    r"(?:\s|$)"
)
_RELEASER = regex(r"^goreleaser(?:/goreleaser-action@| release\b)")
_PACKAGE_ACTION = regex(r"^(?:pypa/gh-action-pypi-publish|JS-DevTools/npm-publish)@")
_TRIES = regex(r"--dry-run\b|--snapshot\b|--draft\b|\btestpypi\b|test\.pypi\.org|\b(?:draft|skip_publish)=true")
_NO_RELEASE = regex(r"(?:^|[^a-z])(?:dev|nightly|cache|base|builder|tests?)(?![a-z])")
"""Jobs that push images which are no release."""


class Publication(Struct, frozen=True):
    """What a job publishes (an image, a package, a release), and where."""

    what: str
    location: Location


def of_job(workflow: Workflow, job: Job) -> Publication | None:
    """What a job publishes first, if it does and by its name it publishes for users."""
    if _NO_RELEASE.search(f"{job.id} {job.name}".lower()):
        return None
    pushed = next((item for item in pushed_images.of(workflow, job) if item.released), None)
    if pushed:
        return Publication("an image", pushed.location)
    return next((found for step in job.steps if (found := _of_step(step))), None)


def _of_step(step: Step) -> Publication | None:
    """By an action, by a command, or by a release."""
    inputs = " ".join(f"{pair.name}={pair.value}" for pair in step.inputs)
    calls = [(step.uses, inputs, step.location)]
    calls += [(text, text, command.location) for command in step.commands for text in [" ".join(command.words)]]
    for text, options, place in calls:
        if not _TRIES.search(options):
            if _PACKAGE_ACTION.search(text) or _PACKAGE_COMMAND.search(text):
                return Publication("a package", place)
            if _RELEASER.search(text):
                return Publication("a release", place)
    made = next((item for item in releases.of_step(step) if not item.draft), None)
    return Publication("a release", made.location) if made else None
