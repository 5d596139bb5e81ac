"""Findings as SARIF 2.1.0, for code scanning (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from auditlib import __version__, rule_texts, rules, suppressions
from auditlib.audit import Audit
from auditlib.formats import json_text, suppression
from auditlib.model import Finding, Location, Severity, Status

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note",
    Severity.INFO: "note",
}  # fmt: skip
_SECURITY = {
    Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0", Severity.INFO: "0.5",
}  # fmt: skip
"""What code scanning sorts by, which knows the scale of CVSS and not ours."""


def render(audit: Audit) -> str:
    """The log, with one run. No path in it is absolute; `%SRCROOT%` is the root of the repository."""
    described = _rules(audit.findings)
    positions = {rule["id"]: position for position, rule in enumerate(described)}
    run = {
        "tool": {"driver": {"name": "auditlib", "version": __version__, "rules": described}},
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the audited repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, positions[finding.rule]) for finding in audit.findings],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rules(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """A description of each rule that found something."""
    first = {finding.rule: finding for finding in reversed(list(findings))}
    return [_rule(first[name]) for name in sorted(first)]


def _rule(finding: Finding) -> dict[str, Any]:
    known = {**rules.catalogue(), **suppressions.catalogue()}.get(finding.rule)
    text = rule_texts.of(finding.rule)
    why = text.why if text else finding.message
    advice = (text.recommendation if text else "") or finding.recommendation
    better = f"\n\nBetter:\n\n{text.better}" if text and text.better else ""
    severity = known.severity if known else finding.severity
    return {
        "id": finding.rule,
        "name": "".join(word.capitalize() for word in finding.rule.replace("/", "-").split("-")),
        "shortDescription": {"text": finding.title},
        "fullDescription": {"text": why},
        "help": {"text": f"{why}\n\n{advice}", "markdown": f"{why}{better}\n\n{advice}"},
        **({"helpUri": finding.references[0]} if finding.references else {}),
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {"tags": [str(finding.area)], "security-severity": _SECURITY[severity]},
    }


def _result(finding: Finding, position: int) -> dict[str, Any]:
    related = [
        {"id": number, **_location(item.location), "message": {"text": item.message}}
        for number, item in enumerate(finding.related)
    ]
    return {
        "ruleId": finding.rule,
        "ruleIndex": position,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}\n\n{finding.recommendation}".strip()},
        "locations": [_location(finding.location)],
        "relatedLocations": related,
        "partialFingerprints": {"auditlib/v1": finding.fingerprint},
        "suppressions": [_suppression(finding)] if finding.status is Status.SUPPRESSED else [],
        "properties": {
            "severity": str(finding.severity), "confidence": str(finding.confidence), "source": finding.source,
            **({"change": {"old": finding.change[0], "new": finding.change[1]}} if any(finding.change) else {}),
            **({"example": finding.example} if finding.example else {}),
        },
    }  # fmt: skip


def _location(place: Location) -> dict[str, Any]:
    region: dict[str, int] = {"startLine": place.line, "startColumn": place.column}
    if place.last_line > place.line:
        region["endLine"] = place.last_line
    artifact = {"uri": quote(place.file), "uriBaseId": "%SRCROOT%"}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _suppression(finding: Finding) -> dict[str, Any]:
    return {"kind": "external", "status": "accepted", "justification": suppression(finding)}
