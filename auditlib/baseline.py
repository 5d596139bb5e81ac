"""A baseline: the findings of an earlier `check --format json`, which are known and don't count as new.

A finding with more members than the baseline knows is news again: its fingerprint is that of the cause, and the cause
has reached another place. A baseline whose findings are cut down to their fingerprints can't tell, and knows them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from auditlib import comparison, entries
from auditlib.entries import Entry
from auditlib.errors import UsageError
from auditlib.model import Finding, Severity, Status

Baseline = Mapping[str, Entry | None]
"""By fingerprint what is known; None where it is the fingerprint alone."""


def load(path: Path) -> Baseline:
    """The findings of a findings document. Raises UsageError for any other file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {str(finding["fingerprint"]): _known(finding) for finding in document["findings"]}
    except OSError as error:
        raise UsageError(f"the baseline {path} can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{path} is no baseline; `auditlib check --format json > {path}` makes one") from None


def _known(finding: Mapping[str, Any]) -> Entry | None:
    return entries.read(finding) if "related" in finding else None


def news(findings: Iterable[Finding], known: Baseline, level: Severity | None) -> dict[str, str]:
    """What is at least this severe, open, and not in the baseline: by fingerprint, a line that says what and where.

    Without a level nothing counts.
    """
    said = {
        finding.fingerprint: _line(finding, known)
        for finding in findings
        if level is not None and finding.severity >= level and finding.status is Status.OPEN
    }
    return {fingerprint: line for fingerprint, line in said.items() if line}


def _line(finding: Finding, known: Baseline) -> str:
    """What is new of a finding; empty if nothing is."""
    named = f"{finding.severity}[{finding.rule}] at {finding.location}"
    if finding.fingerprint not in known:
        return f"new: {named}"
    before = known[finding.fingerprint]
    more = comparison.spread(before, entries.of(finding)) if before else ""
    return f"grown: {named}, {more}" if more else ""
