"""What starts a workflow of GitHub Actions, and on which branch or tag it then runs.

Follows https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows (the column
GITHUB_REF) and the filter patterns of …/workflow-syntax#filter-pattern-cheat-sheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from msgspec import Struct

from auditlib.inventory.delivery import Job, Trigger, Workflow
from auditlib.patterns import regex

_BY_PERSON = frozenset({"workflow_dispatch", "repository_dispatch"})
_CALLED = "workflow_call"
_EVENT = regex(r"github\.event_name\s*==\s*'(?P<name>[^']*)'$")
_BRANCH = regex(r"(?:github\.ref\s*==\s*'refs/heads/(?P<full>[^']+)'|github\.ref_name\s*==\s*'(?P<short>[^']+)')$")
_TAG = regex(r"startsWith\(\s*github\.ref\s*,\s*'refs/tags/[^']*'\s*\)$|github\.ref_type\s*==\s*'tag'$")
_INTRICATE = regex(r"(?<!startsWith)\((?!\s*github\.ref\s*,)|!(?!=)")
"""Brackets and negations, which are not taken apart."""

_STATUS = regex(r"\b(?:always|cancelled|failure|success)\(\s*\)")
"""With one of these a job doesn't depend on how those went that it needs."""


class Wish(Struct, frozen=True):
    """What one alternative of a condition asks for: an event, a branch, a tag. Empty where it asks for nothing."""

    event: str = ""
    branch: str = ""
    tag: bool = False

    def is_granted(self, trigger: Trigger) -> bool:
        """Whether a run that this trigger starts may be like that; in doubt it may."""
        if self.event and self.event != trigger.event:
            return False
        if self.branch and not may_run_on(trigger, self.branch):
            return False
        return not self.tag or _may_run_on_tag(trigger)


def wishes(condition: str) -> tuple[Wish, ...]:
    """The alternatives of an `if:`; nothing if it is too intricate, or asks for no event, branch or tag."""
    text = condition.strip()
    if text.startswith("${{") and text.endswith("}}") and text.count("${{") == 1:
        text = text[3:-2].strip()
    if not text or _INTRICATE.search(text):
        return ()
    found = tuple(_wish(alternative) for alternative in text.split("||"))
    return () if Wish() in found else found


def never_holds(condition: str, workflow: Workflow) -> bool:
    """Whether no trigger of the workflow can start a run in which this condition holds."""
    asked = wishes(condition)
    called = any(trigger.event == _CALLED for trigger in workflow.triggers)
    if not asked or called or not workflow.triggers:
        return False
    return not any(wish.is_granted(trigger) for wish in asked for trigger in workflow.triggers)


def skipping_need(workflow: Workflow, job: Job) -> Job | None:
    """A job that this one needs, be it through others, and that is skipped wherever this one's condition holds."""
    jobs = {item.id: item for item in workflow.jobs}
    waiting, seen = [*job.needs], set(job.needs)
    while waiting:
        need = jobs.get(waiting.pop(0))
        if need is None or _STATUS.search(need.condition):
            continue
        if _exclude(job.condition, need.condition):
            return need
        waiting += [name for name in need.needs if name not in seen]
        seen |= set(need.needs)
    return None


def _exclude(one: str, other: str) -> bool:
    """Whether two conditions, as far as they can be taken apart, never hold in the same run."""
    pairs = [(mine, theirs) for mine in wishes(one) for theirs in wishes(other)]
    return bool(pairs) and not any(_may_meet(mine, theirs) for mine, theirs in pairs)


def _may_meet(one: Wish, other: Wish) -> bool:
    if one.event and other.event and one.event != other.event:
        return False
    if one.branch and other.branch and one.branch != other.branch:
        return False
    return not (one.tag and other.branch) and not (other.tag and one.branch)


def waits_for_tag_by_hand(condition: str, workflow: Workflow) -> bool:
    """Whether a condition asks for a tag, and a push starts the workflow for none: only a person who picks one does."""
    asked = wishes(condition)
    by_push = any(trigger.event == "push" for trigger in workflow.triggers)
    if not asked or not by_push or not all(wish.tag and not wish.event for wish in asked):
        return False
    granting = {trigger.event for trigger in workflow.triggers if any(wish.is_granted(trigger) for wish in asked)}
    return bool(granting) and granting <= _BY_PERSON and _CALLED not in {item.event for item in workflow.triggers}


def branches_asked_for(condition: str) -> tuple[str, ...]:
    """The branches that a condition names."""
    return tuple(dict.fromkeys(wish.branch for wish in wishes(condition) if wish.branch))


def may_run_on(trigger: Trigger, branch: str) -> bool:
    """Whether `github.ref` can be this branch in a run that the trigger starts; in doubt it can."""
    if trigger.event == "push":
        return passes(branch, trigger.branches) if trigger.branches else not trigger.tags
    if trigger.event == "pull_request_target":
        return passes(branch, trigger.branches) if trigger.branches else True
    return trigger.event not in ("pull_request", "release", "merge_group", "pull_request_review")


def _may_run_on_tag(trigger: Trigger) -> bool:
    if trigger.event == "push":
        return bool(trigger.tags) or not trigger.branches
    return trigger.event in (*_BY_PERSON, "release", "create", "deployment", "deployment_status", "registry_package")


def passes(name: str, patterns: Iterable[str]) -> bool:
    """Whether a branch or tag passes a filter; the last pattern that matches decides."""
    listed = tuple(patterns)
    passed = all(pattern.startswith("!") for pattern in listed)
    for pattern in listed:
        if _pattern(pattern.removeprefix("!")).fullmatch(name):
            passed = not pattern.startswith("!")
    return passed


def is_started_by_person(workflow: Workflow) -> bool:
    """Whether only a person starts a workflow: by hand, or by publishing a release or pushing a tag."""
    return all(
        trigger.event in (*_BY_PERSON, "release", _CALLED)
        or (trigger.event == "push" and bool(trigger.tags) and not trigger.branches)
        for trigger in workflow.triggers
    )


def runs_for_pull_requests(workflow: Workflow) -> bool:
    """Whether a pull request starts a workflow with the code of the pull request."""
    return any(trigger.event == "pull_request" and _while_open(trigger) for trigger in workflow.triggers)


def _while_open(trigger: Trigger) -> bool:
    return not trigger.types or bool(set(trigger.types) & {"opened", "synchronize", "reopened", "ready_for_review"})


def _wish(alternative: str) -> Wish:
    event = branch = ""
    tag = False
    for atom in alternative.split("&&"):
        text = atom.strip().rstrip(";")
        if match := _EVENT.fullmatch(text):
            event = match["name"]
        elif match := _BRANCH.fullmatch(text):
            branch = match["full"] or match["short"]
        elif _TAG.fullmatch(text):
            tag = True
    return Wish(event, branch, tag)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    """A filter pattern as a regular expression: `*` stops at a slash, `**` doesn't."""
    parts = re.split(r"(\*\*|\*|\?|\+|\[[^\]]*\])", pattern[:500])
    translated = {"**": ".*", "*": "[^/]*", "?": "?", "+": "+"}
    text = "".join(translated.get(part, part if part.startswith("[") else re.escape(part)) for part in parts)
    try:
        return re.compile(text)
    except re.error:
        return re.compile(".*")
