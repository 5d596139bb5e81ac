"""zizmor: security of GitHub Actions workflows, actions and Dependabot (https://docs.zizmor.sh/).

It runs offline and without configuration: the repository's `zizmor.yml` could switch everything off. Its
`# zizmor: ignore[...]` comments do count, as they stand beside what they excuse.

Severity is zizmor's own, except where our written scale differs: a tag instead of a hash (`unpinned-uses`) needs an
upstream takeover first, so it is medium for somebody else's action and low for GitHub's own; credentials kept by a
checkout (`artipacked`) need an artifact that carries them, so they are low.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from auditlib.model import Area, Confidence, Location, Severity
from auditlib.patterns import regex
from auditlib.scanners._scanner import Issue, Scanner
from auditlib.source import Source

if TYPE_CHECKING:
    from auditlib.inventory import Inventory
    from auditlib.inventory.delivery import Workflow

_SEVERITY = {
    "High": Severity.HIGH,
    "Medium": Severity.MEDIUM,
    "Low": Severity.LOW,
    "Informational": Severity.INFO,
}
_OURS = {"unpinned-uses": Severity.MEDIUM, "artipacked": Severity.LOW}
_TITLES = {
    "artipacked": "A checkout leaves its token on the runner",
    "excessive-permissions": "A job has more rights than it needs",
    "template-injection": "A script takes in text that an outsider may write",
    "unpinned-images": "An image of a job is not pinned",
    "unpinned-uses": "An action is not pinned to a commit",
}
_UNDECLARED = "No `permissions` are declared, so that the token has those that the repository gives by default."
_MESSAGES = {
    "artipacked": "The checkout doesn't set `persist-credentials` to false.",
    "default permissions used due to no permissions: block": _UNDECLARED,
    "secrets-inherit": "The workflow that is called here gets all secrets of this one, not those alone that it needs.",
}
"""By rule or annotation, where zizmor's own words say less than its title."""
_OF_STYLE = frozenset({"self-repository"})
"""Advice on how to write what is right as it is: GitHub takes `./` at a job from the same commit."""
_OFFICIAL = regex(r"uses:\s*['\"]?(?:actions|github)/")
_CHECKOUT = regex(r"uses:\s*\S+")
_USES = regex(r"(?P<action>[\w./-]+@[\w./-]+)")
_JOB = regex(r"^  ([\w-]+):", re.M)
_EXPRESSION = regex(r"\$\{\{\s*([^}]*?)\s*\}\}")
_VARIABLE = regex(r"env\.(\w+)")
_OWN = regex(r"github\.(?:repository(?:_owner|_id)?|sha|run_(?:id|number|attempt)|workflow|event_name|server_url|job)")
"""What of GitHub's context nobody who opens a pull request or names a branch can choose."""
_HARMLESS = regex(r"github\.(?:(?:triggering_)?actor|base_ref|event\.pull_request\.base\.ref)")
"""Names of accounts, of letters, digits and hyphens alone, and a branch that the repository has itself."""
_FOREIGN = regex(
    r"\bhead[._](?:sha|ref|branch|repository|repo)\b|head_commit|pull_request_target|download-artifact|merge_commit_sha|"
    r"\brun download\b|WorkflowRunArtifacts"
)
"""Code, or files, of whoever caused a run that has the repository's rights."""
_ADVICE = {
    "artipacked": "Set `persist-credentials` to false at the checkout step.",
    "dangerous-triggers": "Use `pull_request`, and `workflow_call` for `workflow_run`, wherever that will do.",
    "excessive-permissions": "Declare `permissions: {}` for the workflow and what each job needs at the job.",
    "template-injection": "Pass the expression through `env:` and use it as a quoted shell variable.",
    "unpinned-images": "Name the image by version and digest.",
    "unpinned-uses": "Pin the action to a full commit hash with the version as a comment; let Dependabot move it.",
}


def _wanted(source: Source) -> list[str]:
    return source.matching(
        "/.github/workflows/*.yml", "/.github/workflows/*.yaml", "action.yml", "action.yaml",
        "/.github/dependabot.yml", "/.github/dependabot.yaml",
    )  # fmt: skip


def _parse(output: str) -> Iterator[Issue]:
    for item in json.loads(output or "[]"):
        if not item["ignored"] and item["ident"] not in _OF_STYLE:
            yield _issue(item)


def _issue(item: dict[str, Any]) -> Issue:
    places = item["locations"]
    place = next(one for one in places if one["symbolic"]["kind"] == "Primary")
    rule, found = item["ident"], item["determinations"]
    severity = _OURS.get(rule, _SEVERITY[found["severity"]])
    if rule == "unpinned-uses" and _OFFICIAL.search(place["concrete"]["feature"]):
        severity = Severity.LOW
    return Issue(
        rule=rule,
        title=_TITLES.get(rule) or _sentence(item["desc"])[:-1],
        message=_message(rule, place),
        severity=severity,
        confidence=Confidence(found["confidence"].lower()),
        area=Area.CICD,
        location=_location(place),
        recommendation=_ADVICE.get(rule, f"Follow the remediation at {item['url']}."),
        references=(item["url"],),
        change=_pinned(rule, place["concrete"]["feature"]),
        example=_example(rule, place),
    )


def _message(rule: str, place: dict[str, Any]) -> str:
    """What is to be seen at the place, with the name of the action there."""
    annotation = place["symbolic"]["annotation"]
    uses = _USES.search(place["concrete"]["feature"]) if rule == "unpinned-uses" else None
    if uses:
        return f"`{uses['action']}` is named by a tag or branch, not by a commit."
    return _MESSAGES.get(rule) or _MESSAGES.get(annotation) or _sentence(annotation)


def _pinned(rule: str, feature: str) -> tuple[str, str]:
    """An action by a hash, which nobody offline knows, with its version as a comment."""
    action, at, version = feature.strip("'\"").partition("@")
    return (feature, f"{action}@<full commit hash>  # {version}") if rule == "unpinned-uses" and at else ("", "")


def _example(rule: str, place: dict[str, Any]) -> str:
    """The step or the job with what it lacks."""
    feature = place["concrete"]["feature"]
    if rule == "artipacked" and (uses := _CHECKOUT.search(feature)):
        return f"- {uses[0]}\n  with:\n    persist-credentials: false"
    if rule == "excessive-permissions":
        route = [part.get("Key", "") for part in place["symbolic"]["route"]["route"]]
        jobs = route[1:2] if route[:1] == ["jobs"] else _JOB.findall(feature.partition("\njobs:")[2])
        return _restricted(jobs) if jobs else ""
    return ""


def _sentence(text: str) -> str:
    text = text.removesuffix(" (required by blanket policy)")
    plain = text.replace("persist-credentials: false", "`persist-credentials` to false")  # or it looks like a secret
    return f"{plain[:1].upper()}{plain[1:]}."


def _location(place: dict[str, Any]) -> Location:
    file = place["symbolic"]["key"]["Local"]["verbatim_path"].removeprefix("./")
    start, end = (place["concrete"]["location"][name] for name in ("start_point", "end_point"))
    last = end["row"] + (1 if end["column"] else 0)
    return Location(file, start["row"] + 1, start["column"] + 1, max(last, start["row"] + 1))


def _adapted(issues: list[Issue], inventory: Inventory, source: Source) -> list[Issue]:
    """The issues without those of variables whose value only the workflow and GitHub write.

    A run after another one is low where the workflow takes nothing of whoever caused that.
    """
    workflows = {item.file: item for item in inventory.workflows}
    issues = list(_of_workflows(issues, workflows))
    return [
        replace(issue, severity=Severity.LOW) if _starts_own_code(issue, source) else issue
        for issue in issues
        if not _inserts_own_value(issue, workflows.get(issue.location.file), source)
    ]


def _starts_own_code(issue: Issue, source: Source) -> bool:
    return issue.rule == "dangerous-triggers" and not _FOREIGN.search(source.glance(issue.location.file))


def _inserts_own_value(issue: Issue, workflow: Workflow | None, source: Source) -> bool:
    if issue.rule != "template-injection" or workflow is None:
        return False
    return _is_own(workflow, _expression(issue, source))


def _of_workflows(issues: list[Issue], workflows: dict[str, Workflow]) -> Iterator[Issue]:
    """The issues with one for each workflow without `permissions`, whose jobs zizmor names once more.

    Those that declare their own keep them.
    """
    seen: set[str] = set()
    for issue in sorted(issues, key=lambda item: item.location):
        workflow = workflows.get(issue.location.file)
        if issue.message != _UNDECLARED or workflow is None:
            yield issue
        elif workflow.file not in seen:
            seen.add(workflow.file)
            open_jobs = [job.id for job in workflow.jobs if job.permissions is None]
            yield replace(issue, example=f"# {workflow.file}\n{_restricted(open_jobs)}")


def _restricted(jobs: Iterable[str]) -> str:
    """A workflow without rights, whose jobs read the repository."""
    below = "".join(
        f"\n  {job}:\n    permissions:\n      contents: read  # and what else its steps do by the token" for job in jobs
    )
    return f"permissions: {{}}\njobs:{below}" if below else "permissions: {}"


def _expression(issue: Issue, source: Source) -> str:
    """What stands between the brackets at an issue's place."""
    lines = source.glance(issue.location.file).splitlines()
    line = lines[issue.location.line - 1] if issue.location.line <= len(lines) else ""
    at = (issue.location.column or 1) - 1
    return next((match[1] for match in _EXPRESSION.finditer(line) if match.start() <= at < match.end()), "")


def _is_own(workflow: Workflow, expression: str) -> bool:
    """Whether an expression is what nobody outside can choose, or a variable that is made of that and of literals."""
    if _HARMLESS.fullmatch(expression):
        return True
    named = _VARIABLE.fullmatch(expression)
    if named is None:
        return False
    pairs = [*workflow.env]
    for job in workflow.jobs:
        pairs += [*job.env, *(pair for step in job.steps for pair in step.env)]
        if any("GITHUB_ENV" in step.run and named[1] in step.run for step in job.steps):
            return False
    values = [pair.value for pair in pairs if pair.name == named[1]]
    return bool(values) and all(_OWN.fullmatch(match[1]) for value in values for match in _EXPRESSION.finditer(value))


SCANNER = Scanner(
    name="zizmor",
    wanted=_wanted,
    arguments=lambda _: [
        "--offline", "--no-config", "--no-exit-codes", "--no-progress", "--quiet", "--format=json-v1", ".",
    ],
    parse=_parse,
    adapted=_adapted,
    exits=frozenset({0, 3}),  # 3: none of the files is one that it can read, which the readers report with its line
    homepage="https://docs.zizmor.sh/",
)  # fmt: skip
"""Called on the folder, as it tells workflows from actions by their place."""
