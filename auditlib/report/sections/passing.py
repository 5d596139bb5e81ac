"""What was looked for and not found."""

from __future__ import annotations

from auditlib import rules
from auditlib.audit import Audit
from auditlib.model import Area
from auditlib.report import wording
from auditlib.report.blocks import Blocks, Column, Prose, Table
from auditlib.rules import Rule

_COLUMNS = (Column("Looked for, and not found"), Column("Rule", "code"))
_ABSENT = (Column("Nothing of the kind here"), Column("Area"), Column("Rule", "code"))


def passed(audit: Audit) -> Blocks:
    """By area, the rules that found nothing; apart from them those for which the repository holds nothing to judge."""
    if not audit.quiet:
        return Blocks(Prose("No rule was checked that found nothing."))
    quiet = [rules.catalogue()[name] for name in audit.quiet]
    absent = [rule for rule in quiet if rule.area in audit.unknown_areas or not rules.is_held(rule, audit.inventory)]
    tried = [rule for rule in quiet if rule not in absent]
    words = (
        f"{wording.count(len(tried), 'rule')} had something to judge and found nothing. "
        f"{wording.sentence(wording.count(len(absent), 'more rule'))} found nothing to judge, and so say nothing."
    )
    groups = [(area, [rule for rule in tried if rule.area is area]) for area in Area]
    return Blocks(
        Prose(words),
        *(_passed(area, members) for area, members in groups if members),
        *([_not_tried(absent)] if absent else []),
    )


def _passed(area: Area, members: list[Rule]) -> Table:
    rows = tuple((rule.title, rule.id) for rule in members)
    return Table(f"{area.title}: {wording.count(len(members), 'fault')} not found", _COLUMNS, rows, folded=True)


def _not_tried(absent: list[Rule]) -> Table:
    rows = tuple((rule.title, rule.area.title, rule.id) for rule in absent)
    caption = f"Nothing to judge: {wording.count(len(absent), 'rule')}"
    return Table(caption, _ABSENT, rows, folded=True)
