"""Which jobs publish: push an image that is a release, upload a package, make a release.

Sources: the command line documentation of each package manager, https://cli.github.com/manual/gh_release_create,
https://goreleaser.com/ci/actions/ and https://docs.github.com/en/actions/tutorials/publish-packages.
"""

from __future__ import annotations

from msgspec import Struct

from auditlib.conventions import pushed_images
from auditlib.inventory.delivery import Job, Step, Workflow
from auditlib.model import Location
from auditlib.patterns import regex

_PACKAGE_COMMAND = regex(
    r"^(?:\S+\s+){0,2}?(?:(?:npm|pnpm|yarn npm|bun|lerna|cargo|poetry|uv|hatch|flit|pdm|dart pub) publish|"
    r"twine upload|gem push|dotnet nuget push|(?:\./)?mvnw?\s(?:\S+\s)*deploy|(?:\./)?gradlew?\s(?:\S+\s)*publish)"
    r"(?:\s|$)"
)
_RELEASE_COMMAND = regex(r"^(?:gh release create|goreleaser release)\b")
_PACKAGE_ACTION = regex(r"^(?:pypa/gh-action-pypi-publish|JS-DevTools/npm-publish)@")
_RELEASE_ACTION = regex(r"^(?:softprops/action-gh-release|ncipollo/release-action|goreleaser/goreleaser-action)@")
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
    inputs = " ".join(f"{pair.name}={pair.value}" for pair in step.inputs)
    for what, action in (("a package", _PACKAGE_ACTION), ("a release", _RELEASE_ACTION)):
        if action.search(step.uses) and not _TRIES.search(inputs):
            return Publication(what, step.location)
    for command in step.commands:
        text = " ".join(command.words)
        for what, pattern in (("a package", _PACKAGE_COMMAND), ("a release", _RELEASE_COMMAND)):
            if pattern.search(text) and not _TRIES.search(text):
                return Publication(what, command.location)
    return None
