"""Findings as Markdown, for a pull request or a wiki."""

from __future__ import annotations

import re
from itertools import groupby

from auditlib.audit import Audit
from auditlib.formats import visible
from auditlib.model import Finding


def render(audit: Audit) -> str:
    """A heading a severity, an item a finding."""
    if not audit.findings:
        return "No findings.\n"
    parts = []
    for severity, findings in groupby(audit.findings, key=lambda finding: finding.severity):
        parts.append(f"## {str(severity).capitalize()}\n")
        parts += [_item(finding) for finding in findings]
        parts.append("")
    return "\n".join(parts)


def _item(finding: Finding) -> str:
    lines = [f"- **{finding.title}** (`{finding.rule}`), {_code(str(finding.location))}: {_escaped(finding.message)}"]
    lines += [f"  - {_code(str(related.location))}: {_escaped(related.message)}" for related in finding.related]
    lines.append(f"  - To do: {_escaped(finding.recommendation)}")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", visible(text))


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{visible(text)}{fence}"
