"""actionlint: errors in GitHub Actions workflows (https://github.com/rhysd/actionlint); used where it is installed.

What it reports keeps a workflow from doing what it says, so it is medium. It is told not to call shellcheck and
pyflakes, whose findings are on style.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from auditlib.model import Area, Confidence, Location, Severity
from auditlib.scanners._scanner import Issue, Scanner
from auditlib.source import Source


def _wanted(source: Source) -> list[str]:
    return source.matching("/.github/workflows/*.yml", "/.github/workflows/*.yaml")


def _parse(output: str) -> Iterator[Issue]:
    for item in json.loads(output) or ():
        yield Issue(
            rule="untrusted-input" if "potentially untrusted" in item["message"] else item["kind"],
            title=f"A workflow has an error ({item['kind']})",
            message=item["message"],
            severity=Severity.MEDIUM,
            confidence=Confidence.HIGH,
            area=Area.CICD,
            location=Location(item["filepath"], item["line"], item["column"]),
            recommendation="Mend the workflow as the message says.",
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
