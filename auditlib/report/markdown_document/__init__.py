"""The audit as Markdown for a pull request or a wiki: the outline of such reports, each statement with its files."""

from __future__ import annotations

from auditlib.audit import Audit
from auditlib.report.markdown_document import delivery, operation, planning, stack
from auditlib.report.markdown_document.writing import text
from auditlib.report.settings import Settings

CHAPTERS = (
    ("Scope", stack.scope),
    ("Container Orchestration", stack.orchestration),
    ("Configuration & Secrets", operation.configuration),
    ("Monitoring & Logging", operation.monitoring),
    ("CI/CD & Testing Automation", delivery.automation),
    ("Gaps & Risks", planning.gaps),
    ("Recommended Backlog Items", planning.backlog),
    ("Confidence", planning.confidence),
)
"""The outline; each chapter is a function from an audit to its lines."""


def render(audit: Audit, settings: Settings) -> str:
    """The document."""
    by = f" ({text(settings.organisation)})" if settings.organisation else ""
    parts = [f"# {text(settings.title) or 'DevOps & Infrastructure Audit Report'}{by}\n"]
    parts += ["\n".join((f"## {title}\n", *lines(audit), "")) for title, lines in CHAPTERS]
    return "\n".join(parts)
