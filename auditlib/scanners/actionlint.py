"""actionlint: errors in GitHub Actions workflows (https://github.com/rhysd/actionlint); used where it is installed.

What it reports keeps a workflow from doing what it says, so it is medium. It is told not to call shellcheck and
pyflakes, whose findings are on style. What it knows of GitHub (keys, runners, actions, rights) is as old as itself: an
older one takes a new runner for a mistake, so what rests on that is of medium confidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from auditlib.model import Area, Confidence, Location, Severity
from auditlib.scanners._scanner import Issue, Scanner
from auditlib.source import Source

_TITLES = {
    "action": "A step calls an action in a way that it doesn't have",
    "credentials": "A workflow holds the password of a container",
    "deprecated-commands": "A step uses a command that GitHub has given up",
    "env-var": "A variable of a workflow has a name that no shell takes",
    "events": "A workflow waits for an event that doesn't exist",
    "expression": "An expression of a workflow can't be evaluated",
    "glob": "A filter of a workflow is no valid pattern",
    "id": "Two steps of a job have the same id",
    "if-cond": "A condition of a workflow is always met",
    "job-needs": "Jobs wait for each other, or for one that isn't there",
    "matrix": "A matrix of a workflow is at odds with itself",
    "permissions": "A workflow asks for a right that doesn't exist",
    "runner-label": "A job asks for a runner that doesn't exist",
    "shell-name": "A step asks for a shell that its runner doesn't have",
    "syntax-check": "A workflow holds what GitHub refuses",
    "workflow-call": "A workflow is called with what it doesn't take",
    "untrusted-input": "A step runs what a stranger writes",
}
_OF_THE_FILE = frozenset({"credentials", "env-var", "glob", "id", "if-cond", "job-needs", "matrix", "untrusted-input"})
"""What is judged by the file alone, whatever GitHub has learned since."""
_ADVICE = {
    "credentials": "Take the password from `secrets`.",
    "untrusted-input": "Pass the expression through `env:` and use it as a quoted shell variable.",
}


def _wanted(source: Source) -> list[str]:
    return source.matching("/.github/workflows/*.yml", "/.github/workflows/*.yaml")


def _parse(output: str) -> Iterator[Issue]:
    return (_issue(item) for item in json.loads(output) or ())


def _issue(item: dict[str, Any]) -> Issue:
    rule = "untrusted-input" if "potentially untrusted" in item["message"] else item["kind"]
    certain = rule in _OF_THE_FILE
    return Issue(
        rule=rule,
        title=_TITLES.get(rule, f"A workflow has an error ({rule})"),
        message=item["message"] if certain else f"{item['message'].rstrip('.')}, as far as this actionlint knows.",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH if certain else Confidence.MEDIUM,
        area=Area.CICD,
        location=Location(item["filepath"], item["line"], item["column"]),
        recommendation=_ADVICE.get(rule, "Correct the line, and have actionlint check the file before a push."),
        references=("https://github.com/rhysd/actionlint/blob/main/docs/checks.md",),
    )


SCANNER = Scanner(
    name="actionlint",
    wanted=_wanted,
    arguments=lambda files: ["-format", "{{json .}}", "-shellcheck=", "-pyflakes=", *files],
    parse=_parse,
    exits=frozenset({0, 1}),
    homepage="https://github.com/rhysd/actionlint",
)
