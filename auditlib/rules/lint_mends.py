"""A check of the style mends what it finds, and passes.

With `--fix` a linter changes the files on the runner and reports what is left. The change is gone with the runner, the
fault goes into the main branch, and the next person who runs the linter has other people's lines in the own commit.

Anti-pattern:

    # package.json
    "lint": "eslint . --fix"
    # the workflow
    - run: npm run lint

Better:

    "lint": "eslint ."
    "lint:fix": "eslint . --fix"

Recommendation:

    Let workflows run the linter without the option that mends, and keep that for a command of its own.

References:

- https://eslint.org/docs/latest/use/command-line-interface#--fix
- https://docs.astral.sh/ruff/linter/#fixes
- https://prettier.io/docs/cli#--check
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import Run
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_MENDS = regex(
    r"(?:^|[\s/])(?:"
    r"(?P<linter>eslint|stylelint|standard|oxlint|ng lint|ruff check|golangci-lint run)\s(?:.*\s)?--fix|"
    r"(?P<writer>prettier)\s(?:.*\s)?(?:--write|-w)|(?P<biome>biome)\s(?:.*\s)?--(?:write|apply|fix)|"
    r"(?P<gofmt>gofmt)\s(?:.*\s)?-w|(?P<rubocop>rubocop)\s(?:.*\s)?(?:-a|-A|--auto-?correct(?:-all)?)"
    r")(?=\s|$)"
)
_TELLS = regex(r"--exit-non-zero-on-fix|--fix-dry-run|--diff")
_KEEPS = regex(
    r"\bgit\s(?:\S+\s)*(?:commit|diff|status|push)\b|auto-?commit|create-pull-request|autofix|add-and-commit|pre-commit",
    re.I,
)
"""What looks at the changes, or keeps them."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each job that runs a linter which mends, and neither looks at the changes nor keeps them."""
    found = pipeline.of(inventory, inventory.workflows)
    for job in inventory.jobs:
        runs = found.of_job(job)
        mends = [(run, match) for run in runs if (match := _MENDS.search(run.text)) and not _TELLS.search(run.text)]
        if mends and not any(
            _KEEPS.search(text) for text in (*(run.text for run in runs), *(step.uses for step in job.steps))
        ):
            yield _evidence(job, [(run, _shown(match)) for run, match in mends])


def _shown(match: re.Match[str]) -> str:
    """The program with the option by which it mends."""
    return f"{next(filter(None, match.groupdict().values()))} {match[0].split()[-1]}"


def _evidence(job: Job, mends: list[tuple[Run, str]]) -> Evidence:
    (first, text), *others = mends
    return Evidence(
        f"The job {job.id} runs `{text}`, which mends what it can on the runner and reports the rest alone: what it "
        "mended stays in the repository as it was.",
        first.location,
        subject=f"{job.id}/{text.split()[0]}",
        related=tuple(
            Related(run.location, f"`{other}` mends too", member=True)
            for run, other in others
            if run.location != first.location
        ),
        recommendation=f"Let the job {job.id} run the linter without the option that mends.",
        example=workflow_lines.step(job.workflow, job.id, "- run: <the linter, without the option that mends>"),
    )
