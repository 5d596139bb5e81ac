"""Findings as Markdown, for a pull request or a wiki."""

from __future__ import annotations

import re
from itertools import groupby

from auditlib import confidence
from auditlib.audit import Audit
from auditlib.formats import no_findings, suppression, visible
from auditlib.model import Finding, Status


def render(audit: Audit) -> str:
    """A heading a severity, an item a finding; what is suppressed comes last, then the files not read in full."""
    assessment = confidence.assess(audit.inventory, audit.coverage)
    parts = [] if audit.findings else [f"{no_findings(assessment.read)}\n"]
    for heading, findings in groupby(sorted(audit.findings, key=_is_suppressed), key=_heading):
        parts.append(f"## {heading}\n")
        parts += [_item(finding) for finding in findings]
        parts.append("")
    parts += [f"{escaped(gap)}\n" for gap in assessment.gaps]
    return "\n".join(parts)


def _is_suppressed(finding: Finding) -> bool:
    return finding.status is Status.SUPPRESSED


def _heading(finding: Finding) -> str:
    return "Suppressed" if _is_suppressed(finding) else str(finding.severity).capitalize()


def _item(finding: Finding) -> str:
    lines = [f"- **{finding.title}** (`{finding.rule}`), {code(str(finding.location))}: {escaped(finding.message)}"]
    lines += [f"  - {code(str(related.location))}: {escaped(related.message)}" for related in finding.related]
    if _is_suppressed(finding):
        lines.append(f"  - Suppressed: {escaped(suppression(finding))}")
    lines.append(f"  - To do: {escaped(finding.recommendation)}")
    return "\n".join(lines)


def escaped(text: str) -> str:
    """Text that is shown as it is, and calls nobody by `@name`: what follows the sign is set off invisibly."""
    return re.sub(r"@(?=\w)", "@&#8203;", re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", visible(text)))


def code(text: str) -> str:
    """Text as code, whatever it holds."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{visible(text)}{fence}"
