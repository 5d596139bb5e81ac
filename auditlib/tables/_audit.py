"""Tables of files, findings and coverage."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import dirname, splitext

from auditlib.model import Coverage
from auditlib.tables._facts import Facts, Row, at


def files(facts: Facts) -> Iterator[Row]:
    """A row for each file of the audit; of several entries for one the first counts."""
    read: dict[str, Coverage] = {}
    for entry in facts.coverage:
        read.setdefault(entry.file, entry)
    for path in facts.inventory.files:
        found = read.get(path)
        yield {
            "folder": dirname(path) or ".",
            "extension": splitext(path)[1],
            "kind": found.kind if found else "",
            "status": str(found.status) if found else "",
            "file": path,
            "line": 1,
        }


def findings(facts: Facts) -> Iterator[Row]:
    """A row for each finding."""
    for finding in facts.findings:
        yield {
            "rule": finding.rule,
            "title": finding.title,
            "message": finding.message,
            "severity": str(finding.severity),
            "confidence": str(finding.confidence),
            "area": str(finding.area),
            "effort": str(finding.effort),
            "service": finding.service or "",
            "related": len(finding.related),
            "recommendation": finding.recommendation,
            "source": finding.source,
            "status": str(finding.status),
            "fingerprint": finding.fingerprint,
            **at(finding.location),
        }


def coverage(facts: Facts) -> Iterator[Row]:
    """A row for each coverage entry."""
    for entry in facts.coverage:
        yield {
            "kind": entry.kind,
            "status": str(entry.status),
            "reason": entry.reason,
            "file": entry.file,
            "line": entry.line,
        }
