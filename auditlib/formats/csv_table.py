"""Findings as CSV, one a row, for a spreadsheet."""

from __future__ import annotations

import csv
import io

from auditlib.audit import Audit
from auditlib.formats.cells import guarded
from auditlib.model import Finding

COLUMNS = (
    "severity", "confidence", "area", "rule", "title", "file", "line", "service", "message", "recommendation",
    "related", "source", "fingerprint", "status", "reason", "expires",
)  # fmt: skip


def render(audit: Audit) -> str:
    """A header line, then a row a finding."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([guarded(value) for value in _row(finding)] for finding in audit.findings)
    return text.getvalue()


def _row(finding: Finding) -> tuple[object, ...]:
    return (
        finding.severity, finding.confidence, finding.area, finding.rule, finding.title, finding.location.file,
        finding.location.line, finding.service or "", finding.message, finding.recommendation,
        " ".join(str(related.location) for related in finding.related), finding.source, finding.fingerprint,
        finding.status, finding.reason, finding.expires,
    )  # fmt: skip
