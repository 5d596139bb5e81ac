"""The findings document that other programs read; DESIGN's contract, version 1."""

from __future__ import annotations

from typing import Any

from auditlib import confidence, edits
from auditlib.audit import Audit
from auditlib.excerpts import Excerpt
from auditlib.formats import json_text
from auditlib.model import Coverage, Finding

VERSION = 1


def render(audit: Audit) -> str:
    """The document as text."""
    return json_text(document(audit))


def document(audit: Audit) -> dict[str, Any]:
    """The project, its findings, what was read of it, and how far all this can be relied on."""
    assessment = confidence.assess(audit.inventory, audit.coverage)
    return {
        "version": VERSION,
        "project": {
            "name": audit.inventory.name,
            "root": audit.inventory.root,
            "commit": audit.inventory.commit,
        },
        "findings": [_finding(finding, audit.excerpts.get(finding.location)) for finding in audit.findings],
        "coverage": [_coverage(entry) for entry in audit.coverage],
        "confidence": {"level": str(assessment.level), "reasons": list(assessment.reasons)},
    }


def _finding(finding: Finding, excerpt: Excerpt | None) -> dict[str, Any]:
    """A finding; the change that it proposes is left out where it doesn't fit the lines as they stand."""
    old, new = finding.change
    return {
        "rule": finding.rule,
        "title": finding.title,
        "message": finding.message,
        "severity": str(finding.severity),
        "confidence": str(finding.confidence),
        "area": str(finding.area),
        "file": finding.location.file,
        "line": finding.location.line,
        "end_line": finding.location.last_line,
        "service": finding.service,
        "related": [
            {
                "file": related.location.file,
                "line": related.location.line,
                "message": related.message,
                "member": related.member,
            }
            for related in finding.related
        ],
        "recommendation": finding.recommendation,
        "change": {"old": old, "new": new} if edits.edit(finding, excerpt) else None,
        "example": finding.example or None,
        "effort": str(finding.effort),
        "references": list(finding.references),
        "source": finding.source,
        "fingerprint": finding.fingerprint,
        "status": str(finding.status),
        "suppression": {"reason": finding.reason, "expires": finding.expires or None} if finding.reason else None,
    }


def _coverage(entry: Coverage) -> dict[str, Any]:
    return {
        "file": entry.file,
        "line": entry.line,
        "kind": entry.kind,
        "status": str(entry.status),
        "reason": entry.reason,
    }
