"""A workflow waits for a tag that another one pushes, and is never started by it.

GitHub starts no run for what is done with the `GITHUB_TOKEN` of a run, so that workflows don't start each other without
end. The tag or the release is there, the release's workflow isn't run, and nothing is red.

Anti-pattern:

    # version.yml
    - run: git push origin "v$VERSION"
    # release.yml
    on:
      push:
        tags: ["v*"]

Better:

    # version.yml
    - uses: actions/checkout@v4
      with:
        token: ${{ secrets.RELEASE_TOKEN }}  # of an app or a user, which starts workflows
    - run: git push origin "v$VERSION"

Recommendation:

    Push the tag with the token of an app or a user, or call the other workflow as a job.

References:

- https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/trigger-a-workflow#triggering-a-workflow-from-a-workflow
- https://docs.github.com/en/actions/concepts/security/github_token
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase

from auditlib.conventions import own_token
from auditlib.conventions.own_token import Change
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Trigger, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_EXPRESSION = regex(r"\$\{\{|\$")
_GIVEN = regex(r"\binputs\.")
_SIGN = regex(r"[*?+\[]")
_CHANGES = regex(r"[\d$]")
"""What the tag of a version holds; one that always has the same name (`nightly`) is moved, and no release is meant."""
_BY_HAND = frozenset({"workflow_dispatch", "workflow_call"})


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each job that pushes a tag or makes a release by the run's own token, with the workflows that wait for one."""
    waiting = {item.file: trigger for item in inventory.workflows if (trigger := _waits(item))}
    for workflow in inventory.workflows if waiting else ():
        for job in workflow.jobs:
            found = _found(workflow, job, waiting) if own_token.is_the_only_one(workflow, job) else None
            if found:
                yield _evidence(workflow, job, *found)


def _found(workflow: Workflow, job: Job, waiting: dict[str, Trigger]) -> tuple[Change, dict[str, Trigger]] | None:
    """The first tag or release of a job for which others wait, with these."""
    for made in own_token.changes(job):
        meant = {
            file: item for file, item in waiting.items() if made.kind != "push" and _is_meant(workflow, item, made)
        }
        others = {file: meant[file] for file in meant if file != workflow.file and not _calls(workflow, file)}
        if others:
            return made, others
    return None


def _waits(workflow: Workflow) -> Trigger | None:
    """The trigger of a workflow that, a person's hand apart, only tags or releases start."""
    own = [item for item in workflow.triggers if item.event not in _BY_HAND]
    tags = all(item.event in ("release", "create") or (item.tags and not item.branches) for item in own)
    return own[0] if own and tags else None


def _is_meant(workflow: Workflow, trigger: Trigger, made: Change) -> bool:
    """Whether the other waits for what the job makes; a tag that started the job has started that one too."""
    if trigger.event == "release":
        return made.kind == "release" and (not made.tag or bool(_CHANGES.search(made.tag)))
    if not _may_be_taken(trigger, made.tag):
        return False
    own = [item for item in workflow.triggers if item.event in ("push", "release", "create")]
    return all(item.event == "push" and item.branches and not item.tags for item in own)


def _may_be_taken(trigger: Trigger, tag: str) -> bool:
    """Whether a filter of tags takes a tag of which a part may be an expression; one that is given was there before."""
    if _GIVEN.search(tag):
        return False
    known, whole = _EXPRESSION.split(tag)[0], not _EXPRESSION.search(tag)
    wanted = [item for item in trigger.tags if not item.startswith("!")]
    return not tag or not wanted or any(_takes(pattern, known, whole) for pattern in wanted)


def _takes(pattern: str, known: str, whole: bool) -> bool:
    if whole:
        return fnmatchcase(known, pattern.replace("+", "*"))
    start = _SIGN.split(pattern)[0]
    return start.startswith(known) or known.startswith(start)


def _calls(workflow: Workflow, file: str) -> bool:
    """Whether a workflow starts another one by its name."""
    name = posixpath.basename(file)
    texts = [job.uses for job in workflow.jobs] + [step.run for job in workflow.jobs for step in job.steps]
    texts += [pair.value for job in workflow.jobs for step in job.steps for pair in step.inputs]
    return any(name in text for text in texts)


def _evidence(workflow: Workflow, job: Job, made: Change, others: dict[str, Trigger]) -> Evidence:
    what = "pushes a tag" if made.kind == "tag" else "makes a release"
    file, trigger = next(iter(others.items()))
    return Evidence(
        f"The job {job.id} {what} with the token of its own run, for which GitHub starts no workflow: {file}, which "
        f"waits for {'releases' if trigger.event == 'release' else 'tags'}, isn't started by it.",
        made.location,
        subject=f"{job.id}/{made.kind}",
        related=tuple(Related(item.location, f"{name} waits here") for name, item in others.items()),
        recommendation=f"Let {job.id} use the token of an app or a user, or call {posixpath.basename(file)} as a job.",
        example=workflow_lines.step(workflow.file, job.id, _with_token(job, made)),
    )


def _with_token(job: Job, made: Change) -> str:
    """The step that takes another token: the one that makes the release, or the checkout, which keeps it for a push."""
    other = "${{ secrets.<the token of an app or a user> }}"
    if made.kind == "tag":
        return f"- uses: actions/checkout@v4\n  with:\n    token: {other}"
    uses = next((item.uses for item in job.steps if item.uses and item.location == made.location), "")
    if not uses or uses.startswith("actions/"):
        return f"- env:  # of the step that makes the release\n    GITHUB_TOKEN: {other}\n    GH_TOKEN: {other}"
    return f"- uses: {uses}\n  with:\n    token: {other}"
