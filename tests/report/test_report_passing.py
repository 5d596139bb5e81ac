"""What was looked for and not found: honest about what was not looked for at all."""

from __future__ import annotations

from pathlib import Path

from auditlib import snapshot
from auditlib.audit import Audit, audit
from auditlib.configuration import Configuration
from auditlib.report.blocks import Table
from auditlib.report.sections import passed

COMPOSE = "services:\n  web:\n    image: nginx\n  db:\n    image: postgres:16\n"


def of(tmp_path: Path, *disabled: str) -> Audit:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    return audit(tmp_path, configuration=Configuration(disable=disabled), scanned=False)


def listed(result: Audit) -> tuple[set[str], set[str]]:
    """The rules that are said to have found nothing, and those that had nothing to judge."""
    tables = [block for block in passed(result).blocks if isinstance(block, Table)]
    passing = {str(row[-1]) for table in tables if not table.caption.startswith("Nothing") for row in table.rows}
    absent = {str(row[-1]) for table in tables if table.caption.startswith("Nothing") for row in table.rows}
    return passing, absent


def test_a_rule_that_found_nothing_in_what_is_there_is_listed_and_one_that_fired_is_not(tmp_path: Path) -> None:
    result = of(tmp_path)
    passing, absent = listed(result)

    assert "host-port-conflict" in passing
    assert "image-unpinned" in {finding.rule for finding in result.findings}
    assert "image-unpinned" not in passing | absent
    assert not {finding.rule for finding in result.findings} & (passing | absent)


def test_a_rule_for_which_the_repository_holds_nothing_did_not_pass(tmp_path: Path) -> None:
    passing, absent = listed(of(tmp_path))

    assert "needs-unknown" in absent
    assert "needs-unknown" not in passing


def test_a_rule_that_is_switched_off_is_in_neither_list(tmp_path: Path) -> None:
    passing, absent = listed(of(tmp_path, "host-port-conflict"))

    assert "host-port-conflict" not in passing | absent


def test_a_snapshot_keeps_it(tmp_path: Path) -> None:
    result = of(tmp_path)

    assert listed(snapshot.loads(snapshot.dumps(result))) == listed(result)
