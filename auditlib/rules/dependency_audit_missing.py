"""Nothing in the pipeline looks for known vulnerabilities in the packages.

A hole in a package is published with a number and, often within days, with a way to use it. The lists are free to ask;
a pipeline that checks the code at each change can ask them as well, and on a schedule for what no change touches.

Anti-pattern:

    jobs:
      test:
        steps:
          - run: npm ci
          - run: npm test

Better:

    jobs:
      test:
        steps:
          - run: npm ci
          - run: npm audit --audit-level=high --omit=dev
          - run: npm test

Recommendation:

    Have the pipeline ask for known vulnerabilities, and let those of weight fail it.

References:

- https://docs.npmjs.com/cli/commands/npm-audit
- https://pypi.org/project/pip-audit/
- https://go.dev/doc/tutorial/govulncheck
- https://getcomposer.org/doc/03-cli.md#audit
- https://trivy.dev/latest/docs/target/filesystem/
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib import pipeline, stages
from auditlib.conventions import checks, command_texts, deployment, package_installs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import Run
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_LOOKS = regex(
    r"audit|vuln|trivy|grype|snyk|osv-|dependency-?review|dependency-?check|\bsafety\b|scout|anchore|clair|xray|jfrog|"
    r"whitesource|\bmend\b|sonatype|nexus-?iq|nancy|semgrep|sonar|checkov|kics|wiz|aqua|mondoo|fossa|black-?duck|"
    r"dependabot|renovate|security-scan",
)
_UPDATERS = regex(r"(?:^|/)(?:dependabot\.ya?ml|renovate\.json5?|\.renovaterc(?:\.json5?)?|\.snyk|osv-scanner\.toml)$")
"""Files of what warns of holes by itself, on GitHub's side."""
_BY_FILE = {
    "go.mod": "Go modules", "Cargo.lock": "Rust crates", "Gemfile.lock": "Ruby gems", "composer.lock": "PHP packages",
    "composer.json": "PHP packages", "pom.xml": "Maven packages",
}  # fmt: skip
_COMMANDS = {
    "Go modules": "go run golang.org/x/vuln/cmd/govulncheck@latest ./...",
    "Rust crates": "cargo install --locked cargo-audit && cargo audit",
    "Ruby gems": "gem install bundler-audit && bundle-audit check --update",
    "PHP packages": "composer audit",
}
_OF_NODE = {"pnpm": "pnpm audit --prod --audit-level high", "yarn": "yarn npm audit --severity high"}
_ALL = """- uses: aquasecurity/trivy-action@<full commit hash>  # <version>
  with: {scan-type: fs, scanners: vuln, severity: "HIGH,CRITICAL", ignore-unfixed: true, exit-code: "1"}"""
_FILES = 6
"""Files of requirements that one command is given."""
_ASIDE = stages.FOREIGN_FOLDERS | {"examples", "docs", "e2e", "tests"}


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for a repository whose workflows check its code and ask for no known vulnerability."""
    packages = _packages(inventory) if inventory.workflows and not deployment.unread_ci(inventory) else {}
    if not packages or any(_UPDATERS.search(path) for path in inventory.files):
        return
    found = pipeline.of(inventory, inventory.workflows)
    tests = [run for run in found.runs if checks.is_check(run.text.split())]
    if tests and not found.doing(_LOOKS):
        yield _evidence(inventory, packages, _first(inventory, tests))


def _first(inventory: Inventory, tests: list[Run]) -> Run:
    """The check that a pull request starts, if there is one."""
    asked = {item.file for item in inventory.workflows if any(each.event == "pull_request" for each in item.triggers)}
    return next((run for run in tests if run.job.workflow in asked), tests[0])


def _packages(inventory: Inventory) -> dict[str, list[Location]]:
    """By kind the places where packages are written down of which lists of holes exist."""
    found: defaultdict[str, list[Location]] = defaultdict(list)
    names = {"npm": "npm packages", "python": "Python packages"}
    installing = _installing(inventory)
    for item in sorted(inventory.manifests, key=lambda each: _rank(each.path, installing)):
        if item.kind in names and item.requirements and _ASIDE.isdisjoint(item.path.split("/")):
            found[names[item.kind]].append(item.location)
    for path in inventory.files:
        *folders, name = path.split("/")
        if name in _BY_FILE and _ASIDE.isdisjoint(folders):
            found[_BY_FILE[name]].append(Location(path))
    return found


def _installing(inventory: Inventory) -> str:
    """All that names what is installed: the instructions of Dockerfiles, and the commands of scripts and workflows."""
    built = [item.argument for file in inventory.dockerfiles for item in file.instructions]
    return "\n".join((*built, *command_texts.words(inventory)))


def _rank(path: str, installing: str) -> tuple[bool, bool]:
    """What is installed by its name comes first, and what is for developers alone last."""
    name = posixpath.basename(path)
    return "dev" in name, name not in installing


def _evidence(inventory: Inventory, packages: dict[str, list[Location]], test: Run) -> Evidence:
    kinds = list(packages)
    first, *others = ((kind, places[0]) for kind, places in packages.items())
    only = len(kinds) == 1
    lines = _command(inventory, kinds[0], [place.file for place in packages[kinds[0]]]) if only else _ALL
    what = f"{_shown(lines)} in" if only else "a scan of the packages, with Trivy or OSV-Scanner, to"
    return Evidence(
        f"The workflows check the code, and none asks for known vulnerabilities of its {listed(kinds)}, unless alerts "
        "are switched on outside the repository.",
        first[1],
        subject="packages",
        related=(
            *(Related(place, kind, member=True) for kind, place in others),
            Related(test.location, f"the job {test.job.id} runs checks"),
        ),
        recommendation=f"{'Run' if only else 'Add'} {what} the job {test.job.id} of {test.job.workflow}.",
        example=workflow_lines.step(test.job.workflow, test.job.id, lines),
    )


def _shown(lines: str) -> str:
    return f"`{lines.partition(chr(10))[0].removeprefix('- run: ')}`"


def _command(inventory: Inventory, kind: str, paths: list[str]) -> str:
    """The step that asks for one kind, in the folder of its packages; for several files from the root."""
    file, folder = paths[0], posixpath.dirname(paths[0])
    several = [
        path for path in paths if path.endswith(".txt") and _rank(path, _installing(inventory)) == (False, False)
    ]
    if file.endswith(".txt") and 1 < len(several) <= _FILES:
        return f"- run: pipx run pip-audit {' '.join(f'-r {path}' for path in several)}"
    if kind == "Maven packages":
        return _ALL
    if kind == "npm packages":
        manager = package_installs.manager_of_node(inventory.files, folder)
        command = _OF_NODE.get(manager, "npm audit --omit=dev --audit-level=high")
    elif kind == "Python packages":
        command = _of_python(inventory, file)
    else:
        command = _COMMANDS[kind]
    return f"- run: {command}" + (f"\n  working-directory: {folder}" if folder else "")


def _of_python(inventory: Inventory, file: str) -> str:
    folder, name = posixpath.split(file)
    if posixpath.join(folder, "uv.lock") in inventory.file_set or "uv.lock" in inventory.file_set:
        return "uv run --with pip-audit pip-audit"
    return f"pipx run pip-audit -r {name}" if name.endswith(".txt") else "pipx run pip-audit ."
