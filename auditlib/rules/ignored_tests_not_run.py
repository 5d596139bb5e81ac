"""Tests are marked as ignored, and no workflow asks for them.

`#[ignore]` is for tests that need what a developer's machine lacks: a broker, a database, much time. `cargo test`
leaves them out and is green. Where no job starts what they need and asks for them, nobody ever runs them.

Anti-pattern:

    #[ignore = "requires a running Kafka broker"]
    async fn round_trip() {...}
    # ci.yml
    - run: cargo test

Better:

    - run: docker compose up -d --wait kafka
    - run: cargo test -- --include-ignored

Recommendation:

    Add a job that starts what the tests need and runs `cargo test -- --ignored`.

References:

- https://doc.rust-lang.org/cargo/commands/cargo-test.html
- https://doc.rust-lang.org/book/ch11-02-running-tests.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_TESTS = regex(r"\bcargo\s+(?:\S+\s+){0,60}?(?:test|nextest)\b")
_MANY = 10
"""Tests that are more than a few which somebody set aside on purpose."""
_ALL = regex(r"--(?:include-)?ignored\b|--run-ignored\b")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """All ignored tests together, where workflows run the tests of Rust and none asks for these."""
    ignored = inventory.ignored_tests
    if not ignored or deployment.unfollowed_ci(inventory):
        return
    found = pipeline.of(inventory, inventory.workflows)
    runs = found.matching(_TESTS)
    if not runs or found.opaque or any(_ALL.search(run.text) for run in found.runs):
        return
    first, *others = ignored
    run = runs[0]
    amount = counted(len(ignored), "test is", "tests are")
    yield Evidence(
        f"{amount} marked `#[ignore]`, and `{run.text[:60]}` leaves that out; no workflow asks for ignored tests.",
        first.location,
        subject="ignored",
        related=(
            *(Related(item.location, "ignored too", member=True) for item in others[:20]),
            Related(run.location, "runs the other tests"),
        ),
        recommendation="Add a job that starts what they need and runs `cargo test -- --ignored`.",
        severity=Severity.LOW if len(ignored) < _MANY else None,
        example=workflow_lines.step(
            run.location.file,
            run.job.id,
            "- run: <what starts the servers that these tests need, and waits for them>\n"
            "- run: cargo test -- --ignored",
        ),
    )
