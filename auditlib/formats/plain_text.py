"""Findings as compilers print them: the code, a caret under the place, what else it rests on, what to do."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from auditlib import confidence
from auditlib.audit import Audit
from auditlib.excerpts import Excerpt
from auditlib.formats import no_findings, suppression, visible
from auditlib.model import Finding, Severity, Status
from auditlib.patterns import regex
from auditlib.phrases import counted

STYLES = {
    Severity.CRITICAL: "bold white on red", Severity.HIGH: "bold red", Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold blue", Severity.INFO: "bold cyan",
}  # fmt: skip
RELATED_LIMIT = 8
_TOKEN = regex(r"(?:\$\{(?:‹[^›]*›|[^‹}])*\}|‹[^›]*›|[^\s,\]})‹$]|\$)+")
"""A word of code; `${VARIABLE}` and a masked secret are one, whatever is in them."""


def render(audit: Audit) -> str:
    """The findings as plain text, without colours."""
    return styled(audit).plain


def styled(audit: Audit) -> Text:
    """The findings as rich text; a console decides about colours."""
    text = Text()
    for finding in audit.findings:
        _finding(text, finding, audit.excerpts.get(finding.location))
    assessment = confidence.assess(audit.inventory, audit.coverage)
    for gap in assessment.gaps:
        text.append(f"{visible(gap)}\n")
    return text.append(_summary(audit, assessment.read))


def _finding(text: Text, finding: Finding, excerpt: Excerpt | None) -> None:
    suppressed = finding.status is Status.SUPPRESSED
    text.append(f"{finding.severity}[{finding.rule}]", "dim" if suppressed else STYLES[finding.severity])
    text.append(" (suppressed)" if suppressed else "").append(f": {visible(finding.message)}\n", "bold")
    place = finding.location
    width = len(str(excerpt.lines[-1][0])) if excerpt else 1
    text.append(f"{' ' * width}--> ", "blue").append(f"{visible(place.file)}:{place.line}:{place.column}\n")
    if excerpt:
        _excerpt(text, finding, excerpt, width)
    for related in finding.related[:RELATED_LIMIT]:
        _note(text, width, "also", f"{related.location}: {related.message}")
    if len(finding.related) > RELATED_LIMIT:
        more = len(finding.related) - RELATED_LIMIT
        _note(text, width, "also", counted(more, "more place"))
    if suppressed:
        _note(text, width, "suppressed", suppression(finding))
    _note(text, width, "help", finding.recommendation)
    if finding.confidence.value != "high":
        _note(text, width, "confidence", str(finding.confidence))
    text.append("\n")


def _excerpt(text: Text, finding: Finding, excerpt: Excerpt, width: int) -> None:
    text.append(f"{' ' * width} |\n", "blue")
    for number, line, marked in excerpt.lines:
        shown = visible(line).replace("\t", "    ")
        text.append(f"{number:>{width}} | ", "blue").append(f"{shown}\n" if shown else "\n", "" if marked else "dim")
        if number == finding.location.line:
            start, length = _caret(line, finding.location.column)
            text.append(f"{' ' * width} | ", "blue").append(f"{' ' * start}{'^' * length}\n", STYLES[finding.severity])


def _caret(line: str, column: int) -> tuple[int, int]:
    """Where the caret stands and how long it is: the word at the column, or the line's first one."""
    start = column - 1 if 1 < column <= len(line) else len(line) - len(line.lstrip())
    match = _TOKEN.match(line, start)
    lead = line[:start].expandtabs(4) if "\t" in line[:start] else line[:start]
    return len(lead), max(1, len(match.group()) if match else 1)


def _note(text: Text, width: int, label: str, message: str) -> None:
    text.append(f"{' ' * width} = ", "blue").append(f"{label}: ", "bold").append(f"{visible(message)}\n")


def _summary(audit: Audit, read: int) -> str:
    counts = Counter(finding.severity for finding in audit.findings if finding.status is Status.OPEN)
    total = counts.total()
    hidden = len(audit.findings) - total
    suffix = f" ({hidden} suppressed)" if hidden else ""
    if not total:
        return f"{no_findings(read, suffix)}\n"
    parts = ", ".join(f"{counts[severity]} {severity}" for severity in Severity if counts[severity])
    return f"{counted(total, 'finding')}: {parts}{suffix}\n"
