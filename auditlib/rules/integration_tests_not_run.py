"""The integration tests are configured, and no workflow runs them.

Maven's Failsafe runs after the packaging, in the phases `integration-test` and `verify`. `mvn test` and `mvn package`
end before that: the tests that need a database or the whole application are there, and nobody runs them.

Anti-pattern:

    # pom.xml configures maven-failsafe-plugin
    - run: ./mvnw test

Better:

    - run: ./mvnw verify

Recommendation:

    Let the pipeline run `mvn verify`, which runs the unit tests and the integration tests.

References:

- https://maven.apache.org/surefire/maven-failsafe-plugin/
- https://maven.apache.org/guides/introduction/introduction-to-the-lifecycle.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Requirement
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.paths import below
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.pipeline import Run
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_MAVEN = regex(r"^(?:\S*/)?mvnw?(?:\s|$)")
_RUNS_ALL = regex(r"\s(?:verify|install|deploy|integration-test|failsafe:integration-test)(?=\s|$)")
_SKIPS = regex(r"\s-D(?:skipTests|skipITs|maven\.test\.skip|skipIntegrationTests)(?!=false)")
_SKIPPING = regex(r"\s-D(?:skipTests|skipITs|maven\.test\.skip|skipIntegrationTests)(?:=\S*)?")
_PHASE = regex(r"\s(?:validate|compile|test-compile|test|package|verify|install|deploy)(?=\s|$)")
_TESTS = regex(
    r"(?:^|/)src/(?:test|it|integration-?test)/(?:\S*/)?(?:IT[A-Z]\w*|\w*(?:IT|ITCase))\.(?:java|kt|groovy)$"
)
"""Failsafe's own names; what ends with `Test` Surefire runs with the unit tests, wherever it lies."""
_NAMED = regex(r"\s-D(?:it\.)?test=\S*IT|\sfailsafe:|\s-P\S*(?:integration|\bit\b)", 2)
"""A call that picks such tests by their names, or a profile that may run them."""
_NAME = "maven-failsafe-plugin"


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Failsafe plugin with tests, where workflows run Maven and none gets as far as its phases."""
    plugins = [item for manifest in inventory.manifests if manifest.kind == "maven"
               for item in manifest.requirements if item.name == _NAME]  # fmt: skip
    if not plugins or deployment.unfollowed_ci(inventory):
        return
    found = pipeline.of(inventory)
    runs = found.matching(_MAVEN)
    known = {run.location for run in runs}  # what the wrapper itself does can't be followed
    unknown = any(run.location not in known for run in found.opaque)
    if not runs or unknown or any(map(_runs_all, (*(run.text for run in runs), *_in_images(inventory)))):
        return
    for plugin in plugins:
        folder = posixpath.dirname(plugin.location.file)
        tests = [file for file in below(inventory.files, folder) if _TESTS.search(file)]
        if tests:
            yield _evidence(plugin, tests, runs)


def _in_images(inventory: Inventory) -> Iterator[str]:
    for file in inventory.dockerfiles:
        yield from (" ".join(command.words) for item in file.instructions for command in item.commands)


def _runs_all(text: str) -> bool:
    return bool(_MAVEN.search(text) and not _SKIPS.search(text) and (_RUNS_ALL.search(text) or _NAMED.search(text)))


def _verifying(text: str) -> str:
    """The call that a workflow has, carried on to the end of the tests."""
    whole = _SKIPPING.sub("", text)
    return _PHASE.sub(" verify", whole, count=1) if _PHASE.search(whole) else f"{whole} verify"


def _evidence(plugin: Requirement, tests: list[str], runs: list[Run]) -> Evidence:
    first = runs[0]
    how = "skips" if _SKIPS.search(first.text) else "ends before"
    return Evidence(
        f"{plugin.location.file} has Failsafe run the integration tests (at least {counted(len(tests), 'file')}), and "
        f"no workflow runs them: `{first.text[:60]}` {how} them.",
        plugin.location,
        subject=plugin.location.file,
        related=tuple(Related(run.location, f"`{run.text[:60]}` runs none of them") for run in runs[:4]),
        recommendation=f"Run `{_verifying(first.text)[:80]}` in the workflow that checks pull requests.",
        example=workflow_lines.step(first.location.file, first.job.id, f"- run: {_verifying(first.text)}"),
    )
