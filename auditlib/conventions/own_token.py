"""What a job does to its own repository with the token of its run: pushes, tags, releases.

Sources: https://docs.github.com/en/actions/concepts/security/github_token and
https://github.com/actions/checkout#usage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import pushed_images, releases
from auditlib.inventory.delivery import Command, Job, Step, Workflow
from auditlib.model import Location
from auditlib.patterns import regex

_PUSH = regex(r"^git\s+(?:-\S+\s+\S+\s+)*push\b(?!.*(?:://|@|--dry-run|--delete))")
_TAGS = regex(r"\s--(?:follow-)?tags\b|\srefs/tags/|\sv?\$\{?\w*(?:TAG|VERSION)\w*|\sv\$|\sv\d", re.I)
_TAG_ACTION = regex(r"^(?:mathieudutour/github-tag-action|anothrNick/github-tag-action)@")
_OWN = regex(r"\bsecrets\.GITHUB_TOKEN\b|\bgithub\.token\b")
_OTHER = regex(
    r"\bsecrets\.(?!GITHUB_TOKEN\b)\w+|\bcreate-github-app-token\b|\bssh-key\b|\bset-url\b|\boutputs\.[\w-]*token\b|"
    r"\bgh\s+auth\b|\bcredential\.|^repository:|\bgit\s+(?:init|clone|remote\s+add)\b",
    re.I,
)
"""What gives a job a credential of another kind, or another repository."""


class Change(Struct, frozen=True):
    """A change of the repository: a `push`, a `tag` or a `release`; or an `image` in its registry."""

    kind: str
    location: Location
    tag: str = ""
    """The tag as it is written; empty where it isn't."""


def changes(job: Job) -> Iterator[Change]:
    """What the steps of a job change in the repository."""
    for step in (step for step in job.steps if not step.continue_on_error):
        yield from (
            Change("push" if item.draft else "release", item.location, item.tag) for item in releases.of_step(step)
        )
        if _TAG_ACTION.search(step.uses):
            yield Change("tag", step.location)
        yield from (found for command in step.commands if (found := _pushed(command)))


def images(workflow: Workflow, job: Job) -> Iterator[Change]:
    """The images that a job pushes to GitHub's registry, where it logs in with the token of its run alone."""
    logins = [step for step in job.steps if "ghcr.io" in _login(step)]
    if not logins or not all(_OWN.search(_login(step)) for step in logins):
        return
    for item in pushed_images.of(workflow, job):
        if item.reference.startswith("ghcr.io/"):
            yield Change("image", item.location)


def _login(step: Step) -> str:
    """What a step logs in to a registry with: the action's inputs, or its commands; empty for another step."""
    if step.uses.startswith("docker/login-action@"):
        return "\n".join(pair.value for pair in step.inputs if pair.name in ("registry", "password"))
    return step.run if "docker login" in step.run else ""


def _pushed(command: Command) -> Change | None:
    text = " ".join(command.words)
    if command.cannot_fail or not _PUSH.search(text) or not _goes_home(command.words):
        return None
    tag = _tag(command.words) if _TAGS.search(text) else ""
    return Change("tag" if _TAGS.search(text) else "push", command.location, tag)


def _tag(words: tuple[str, ...]) -> str:
    """The tag that a push names last; empty where it takes all there are."""
    named = [word for word in words[words.index("push") + 1 :] if not word.startswith("-")]
    return "" if {"--tags", "--follow-tags"} & set(words) else "".join(named[1:][-1:]).removeprefix("refs/tags/")


def _goes_home(words: tuple[str, ...]) -> bool:
    """Whether a push names no other remote than that of the checkout."""
    named = [word for word in words[words.index("push") + 1 :] if not word.startswith("-")]
    return not named or named[0] == "origin"


def is_the_only_one(workflow: Workflow, job: Job) -> bool:
    """Whether a job has no other credential by which it may push; one that calls a workflow may."""
    pairs = [*workflow.env, *job.env, *(pair for step in job.steps for pair in (*step.env, *step.inputs))]
    texts = [f"{pair.name}: {pair.value}" for pair in pairs] + [f"{step.uses} {step.run}" for step in job.steps]
    exchanges = ("id-token", "write") in (job.permissions or workflow.permissions or ())
    return not job.uses and not exchanges and not any(_OTHER.search(text) for text in texts)
