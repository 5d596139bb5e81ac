"""A snapshot gives back the audit that was saved, and nothing else than an audit."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from auditlib import shipped, snapshot
from auditlib.audit import Audit, audit
from auditlib.errors import UsageError


@pytest.fixture(scope="module")
def example() -> Audit:
    return audit(shipped.example())


def test_what_is_saved_comes_back(example: Audit, tmp_path: Path) -> None:
    snapshot.save(example, tmp_path / "saved.json")
    again = snapshot.load(tmp_path / "saved.json")

    assert again.inventory == example.inventory
    assert again.findings == example.findings
    assert again.coverage == example.coverage
    assert dict(again.excerpts) == dict(example.excerpts)
    assert set(again.graph.edges(keys=True)) == set(example.graph.edges(keys=True))


def test_saving_twice_gives_the_same_bytes(example: Audit) -> None:
    assert snapshot.dumps(example) == snapshot.dumps(example)
    assert snapshot.dumps(snapshot.loads(snapshot.dumps(example))) == snapshot.dumps(example)


def test_a_snapshot_of_another_version_is_refused(example: Audit) -> None:
    document = json.loads(snapshot.dumps(example))
    document["records"] = "another"
    with pytest.raises(UsageError, match="another version of auditlib"):
        snapshot.loads(json.dumps(document).encode())


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"null", b"{}", b'{"records": 1}', b"[" * 100_000, b"\xff", pickle.dumps("x")]
)
def test_what_is_no_snapshot_is_refused(text: bytes) -> None:
    with pytest.raises(UsageError):
        snapshot.loads(text)


def test_a_snapshot_with_a_field_of_the_wrong_type_is_refused(example: Audit) -> None:
    document = json.loads(snapshot.dumps(example))
    document["findings"][0]["rule"] = 5
    with pytest.raises(UsageError, match="no snapshot"):
        snapshot.loads(json.dumps(document).encode())


def test_a_snapshot_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.json"):
        snapshot.load(tmp_path / "gone.json")


SAVE = """
import sys
from pathlib import Path
from auditlib import shipped, snapshot
from auditlib.audit import audit
snapshot.save(audit(shipped.example(), scanned=False), Path(sys.argv[1]))
"""


def test_sets_are_written_in_one_order_whatever_the_hashes(tmp_path: Path) -> None:
    for seed in ("1", "2", "3"):
        command = [sys.executable, "-c", SAVE, str(tmp_path / seed)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed})

    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
