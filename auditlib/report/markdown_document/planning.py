"""What is most at risk, what to do about it, and how far to trust all of this."""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import backlog as items_of
from auditlib import confidence as confidence_of
from auditlib import verdict
from auditlib.audit import Audit
from auditlib.model import Area, Severity
from auditlib.report import wording
from auditlib.report.markdown_document.writing import LIMIT, findings, opened, seen, statement, text


def gaps(audit: Audit) -> Iterator[str]:
    """The critical findings of all areas, and those of resilience."""
    critical = [item for item in opened(audit) if item.severity is Severity.CRITICAL]
    for finding in critical[:LIMIT]:
        yield statement(text(finding.title), seen(finding))
    if len(critical) > LIMIT:
        yield f"- …and {wording.count(len(critical) - LIMIT, 'more critical finding')}, in the report."
    rest = list(findings(audit, Area.RESILIENCE))
    yield from rest or ([] if critical else ["- Nothing critical, and nothing that stands in the way of recovery."])


def backlog(audit: Audit) -> Iterator[str]:
    """The work by theme, ranked by risk against effort."""
    items = items_of.derive(audit.findings)
    if not items:
        yield "- No finding asks for work."
    effects = verdict.effects(audit.findings, items, audit.unknown_areas)
    for theme in dict.fromkeys(items_of.THEMES.values()):
        members = [item for item in items if item.theme == theme]
        if members:
            yield statement(theme)
        for item in members[:LIMIT]:
            closes = wording.count(len(item.findings), "finding")
            judged = f"{item.id}, {item.effort} effort, closes {closes}, alone changes {effects[item.rule]}"
            yield f"  - [ ] {text(item.title)} ({judged}): {text(item.first_step)}"
        if len(members) > LIMIT:
            yield f"  - …and {wording.count(len(members) - LIMIT, 'more item')}, in the report."


def confidence(audit: Audit) -> Iterator[str]:
    """The level, and why it is no other."""
    assessment = confidence_of.assess(audit.inventory, audit.coverage)
    yield statement("Level", f"{str(assessment.level).capitalize()}.", *(text(reason) for reason in assessment.reasons))
