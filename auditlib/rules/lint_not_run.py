"""A linter or type checker is configured that no workflow runs.

The configuration says what the team agreed on; what nothing checks is kept for some weeks. The next person who runs
the tool gets hundreds of findings at once and switches it off.

Anti-pattern:

    # pyproject.toml
    [tool.mypy]
    strict = true
    # and no workflow runs mypy

Better:

    # .github/workflows/ci.yml
    - run: mypy app

Recommendation:

    Run the tool on every pull request, or remove its configuration.

References:

- https://docs.github.com/en/actions/use-cases-and-examples/building-and-testing
- https://pre-commit.com/#usage-in-continuous-integration
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import deployment, tools
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.pipeline import Pipeline
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each folder one finding for all tools that are configured there and that no workflow runs."""
    if deployment.other_ci(inventory):  # what it runs isn't read
        return
    found = pipeline.of(inventory)
    if _runs_everything(inventory, found):
        return
    idle: defaultdict[str, dict[str, Location]] = defaultdict(dict)
    for tool, location in _configured(inventory):
        if not found.matching(tools.LINTERS[tool]):
            idle[posixpath.dirname(location.file)].setdefault(tool, location)
    for folder, places in idle.items():
        yield _evidence(inventory, folder, places, found)


def _configured(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    """The tools that files of their own and manifests configure."""
    for path in inventory.files:
        if tool := tools.configured_linter(path):
            yield tool, Location(path)
    for manifest in inventory.manifests:
        yield from ((tool, manifest.location) for name in manifest.tools if (tool := _known(name)))
        for target in manifest.targets:
            if target.name.partition(":")[0] == "lint":
                yield from ((tool, target.location) for item in target.commands if (tool := _started(item.words)))


def _known(name: str) -> str | None:
    tool = name.removesuffix("Config").lower()
    return tool if tool in tools.LINTERS else None


def _started(words: tuple[str, ...]) -> str | None:
    """The linter that a script called `lint` starts."""
    text = " ".join(words)
    return next((tool for tool, pattern in tools.LINTERS.items() if pattern.search(text)), None)


def _runs_everything(inventory: Inventory, found: Pipeline) -> bool:
    """Whether hooks, an all-round linter, or something that can't be followed may run any tool."""
    hooked = any(posixpath.basename(path) in tools.PRE_COMMIT_FILES for path in inventory.files)
    unknown = any(tools.MAY_LINT.search(run.text) for run in found.opaque)
    return bool((hooked and found.matching(tools.PRE_COMMIT)) or found.matching(tools.ALL_LINTERS) or unknown)


_RUN = {
    "ruff": "ruff check .", "mypy": "mypy .", "black": "black --check .", "bandit": "bandit -r .",
    "eslint": "npx eslint .", "biome": "npx biome ci .", "stylelint": "npx stylelint '**/*.css'",
    "golangci-lint": "golangci-lint run", "yamllint": "yamllint .", "hadolint": "hadolint Dockerfile",
}  # fmt: skip
"""How a tool checks all that is in its folder; the others by their name alone."""


def _steps(folder: str, names: list[str], file: str) -> str:
    """A job that installs what the folder needs and runs its tools."""
    npm = file.endswith((".json", ".js", ".mjs", ".cjs", ".ts")) or "eslint" in names
    install = "npm ci" if npm else f"pip install {' '.join(names)}"
    runs = "\n".join(f"  - run: {_RUN.get(name, name)}" for name in names)
    place = f"defaults:\n  run:\n    working-directory: {folder}\n" if folder else ""
    return f"runs-on: ubuntu-latest\n{place}steps:\n  - uses: actions/checkout@v4\n  - run: {install}\n{runs}"


def _evidence(inventory: Inventory, folder: str, places: dict[str, Location], found: Pipeline) -> Evidence:
    (first, location), *others = places.items()
    names = listed(places)
    how = "no workflow runs" if inventory.workflows else "the repository has no workflow that runs"
    return Evidence(
        f"{names} {'is' if len(places) == 1 else 'are'} configured in {folder or 'the root'}, and {how} "
        f"{'it' if len(places) == 1 else 'them'}.",
        location,
        subject=f"{folder}/{'/'.join(sorted(places))}",
        related=(
            *(Related(place, f"configuration of {tool}") for tool, place in others),
            *(Related(item.location, f"runs {names} nowhere") for item in inventory.workflows[:3]),
        ),
        recommendation=f"Run {first} in a job of {deployment.workflow_file(inventory)}, "
        f"or remove its configuration{'' if len(places) == 1 else '; likewise for the others'}.",
        confidence=Confidence.MEDIUM if found.opaque else None,
        example=workflow_lines.of_job(
            deployment.workflow_file(inventory), "lint", _steps(folder, list(places), location.file)
        ),
    )
