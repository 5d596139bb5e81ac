"""Findings as GitHub annotations (https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions)."""

from __future__ import annotations

from auditlib.audit import Audit
from auditlib.formats import visible
from auditlib.model import Finding, Severity, Status

_COMMANDS = {
    Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "notice",
    Severity.INFO: "notice",
}  # fmt: skip


def render(audit: Audit) -> str:
    """A workflow command a finding; suppressed findings are left out."""
    return "".join(_annotation(finding) for finding in audit.findings if finding.status is Status.OPEN)


def _annotation(finding: Finding) -> str:
    place = finding.location
    properties = {
        "file": place.file,
        "line": str(place.line),
        "endLine": str(place.last_line),
        "title": f"{finding.title} ({finding.rule})",
    }
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    also = "".join(f"\n{item.location}: {item.message}" for item in finding.related)
    message = _data(f"{finding.message}{also}\n{finding.recommendation}")
    return f"::{_COMMANDS[finding.severity]} {listed}::{message}\n"


def _data(text: str) -> str:
    """Without this a line of a repository could give the runner a command, or steer the terminal that shows its log."""
    return "%0A".join(visible(line) for line in text.replace("%", "%25").split("\n"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
