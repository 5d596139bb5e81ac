"""A baseline: the findings of an earlier `check --format json`, which are known and don't count as new."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from auditlib.errors import UsageError
from auditlib.model import Finding


def load(path: Path) -> frozenset[str]:
    """The fingerprints in a findings document. Raises UsageError for any other file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return frozenset(str(finding["fingerprint"]) for finding in document["findings"])
    except OSError as error:
        raise UsageError(f"the baseline {path} can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"{path} is no baseline; `auditlib check --format json > {path}` makes one") from None


def new(findings: Iterable[Finding], known: frozenset[str]) -> list[Finding]:
    """The findings that the baseline doesn't hold."""
    return [finding for finding in findings if finding.fingerprint not in known]
