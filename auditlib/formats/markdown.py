"""Findings as Markdown, for a pull request or a wiki."""

from __future__ import annotations

import re
from itertools import groupby

from auditlib.audit import Audit
from auditlib.formats import suppression, visible
from auditlib.model import Finding, Status


def render(audit: Audit) -> str:
    """A heading a severity, an item a finding; what is suppressed comes last."""
    if not audit.findings:
        return "No findings.\n"
    parts = []
    for heading, findings in groupby(sorted(audit.findings, key=_is_suppressed), key=_heading):
        parts.append(f"## {heading}\n")
        parts += [_item(finding) for finding in findings]
        parts.append("")
    return "\n".join(parts)


def _is_suppressed(finding: Finding) -> bool:
    return finding.status is Status.SUPPRESSED


def _heading(finding: Finding) -> str:
    return "Suppressed" if _is_suppressed(finding) else str(finding.severity).capitalize()


def _item(finding: Finding) -> str:
    lines = [f"- **{finding.title}** (`{finding.rule}`), {_code(str(finding.location))}: {_escaped(finding.message)}"]
    lines += [f"  - {_code(str(related.location))}: {_escaped(related.message)}" for related in finding.related]
    if _is_suppressed(finding):
        lines.append(f"  - Suppressed: {_escaped(suppression(finding))}")
    lines.append(f"  - To do: {_escaped(finding.recommendation)}")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", visible(text))


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{visible(text)}{fence}"
