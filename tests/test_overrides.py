"""A finding about a value that won over others points at the winner, with the losers related."""

import pytest

from auditlib.audit import audit

BASE = "services:\n  db:\n    image: postgres:16.1\n    environment: {POSTGRES_PASSWORD: hunter2hunter2}\n"


@pytest.mark.parametrize(
    ("override", "rule", "winner", "losers"),
    [
        ("image: postgres:latest", "image-unpinned", "compose.override.yaml:3", ["compose.yaml:3"]),
        (
            "environment: {POSTGRES_PASSWORD: swordfish1}",
            "credential-default", "compose.override.yaml:3", ["compose.yaml:4"],
        ),
        ("restart: always", "credential-default", "compose.yaml:4", []),
    ],
)  # fmt: skip
def test_the_losers_are_related(override, rule, winner, losers, tmp_path):
    (tmp_path / "compose.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "compose.override.yaml").write_text(f"services:\n  db:\n    {override}\n", encoding="utf-8")
    (finding,) = [found for found in audit(tmp_path, scanned=False).findings if found.rule == rule]
    assert str(finding.location) == winner
    assert [str(one.location) for one in finding.related if "overridden" in one.message] == losers
