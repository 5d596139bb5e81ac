"""A baseline: the findings of an earlier `check --format json`, which are known and don't count as new."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from auditlib.errors import UsageError
from auditlib.model import Finding, Severity, Status


def load(path: Path) -> frozenset[str]:
    """The fingerprints in a findings document. Raises UsageError for any other file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return frozenset(str(finding["fingerprint"]) for finding in document["findings"])
    except OSError as error:
        raise UsageError(f"the baseline {path} can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"{path} is no baseline; `auditlib check --format json > {path}` makes one") from None


def failing(findings: Iterable[Finding], known: frozenset[str], level: Severity | None) -> bool:
    """Whether an open finding that the baseline doesn't hold is at least this severe; without a level none counts."""
    return level is not None and any(
        finding.severity >= level and finding.status is Status.OPEN and finding.fingerprint not in known
        for finding in findings
    )
