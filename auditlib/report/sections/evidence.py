"""The findings with their evidence, and the tables as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from auditlib import edits, rule_texts, web_host
from auditlib.audit import Audit
from auditlib.errors import UsageError
from auditlib.model import Area, Finding, Related
from auditlib.report import wording
from auditlib.report.blocks import Blocks, Column, Fault, Findings, Instance, Panel, Prose, Table
from auditlib.report.sections import progress

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 200
"""Rows of a table that a notebook shows; the report has all of them as CSV."""


def findings(audit: Audit, area: str | None = None) -> Blocks:
    """The findings of an area, or all; each opens to its lines, what else is involved, and what to do."""
    wanted = None if area is None else _area(area)
    by_rule: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in audit.findings:
        if wanted in (None, finding.area):
            by_rule[finding.rule].append(finding)
    if not by_rule:
        return Blocks(Prose("No rule found anything to report here."))
    news = progress.news(audit)
    return Blocks(Findings(tuple(_fault(audit, members, news) for members in by_rule.values())))


def explorer(audit: Audit) -> Blocks:
    """All findings in one list, to search and to filter; in a notebook as a table."""
    if not audit.findings:
        return Blocks(Prose("No rule found anything to report."))
    columns = (Column("Severity", "severity"), Column("Area"), Column("Finding"), Column("Rule", "code"),
               Column("Place", "code"))  # fmt: skip
    shown = audit.findings[:_ROWS]
    rows = tuple((item.severity, str(item.area), item.message, item.rule, str(item.location)) for item in shown)
    rest = f", of which {_ROWS} are shown" if len(audit.findings) > _ROWS else ""
    caption = f"{wording.count(len(audit.findings), 'finding')}{rest}"
    return Blocks(Panel("explorer", Table(caption, columns, rows)))


def _area(name: str) -> Area:
    try:
        return Area(name)
    except ValueError:
        raise UsageError(f"there is no area {name!r}; the areas are {', '.join(map(str, Area))}") from None


def _fault(audit: Audit, members: list[Finding], news: Mapping[str, str]) -> Fault:
    first = members[0]
    instances = tuple(_instance(audit, finding, news.get(finding.fingerprint, "")) for finding in members)
    text = rule_texts.of(first.rule)
    if text is None:
        return Fault(first.rule, first.title, first.severity, instances, references=first.references)
    return Fault(
        first.rule, first.title, first.severity, instances, text.why, text.anti_pattern, text.better, first.references
    )


def _instance(audit: Audit, finding: Finding, news: str) -> Instance:
    related = tuple((_shortened(finding, item), audit.excerpts.get(item.location)) for item in finding.related)
    link = web_host.link(audit.inventory.origin, audit.inventory.commit, finding.location)
    excerpt = audit.excerpts.get(finding.location)
    return Instance(finding, excerpt, related, link, news, edits.everywhere(finding, audit.excerpts))


def _shortened(finding: Finding, related: Related) -> Related:
    """A further place without the sentence that the finding itself ends with: its service alone is news."""
    if finding.message.endswith(related.message):
        return replace(related, message="the same here")
    who, _, said = related.message.partition(": ")
    return replace(related, message=who) if said and finding.message.endswith(said) else related


def table(audit: Audit, name: str) -> Blocks:
    """One of the audit's tables, folded."""
    frame = audit.tables[name]
    if frame.empty:
        return Blocks(Prose(f"The table `{name}` is empty."))
    rows = tuple(tuple(_shown(value) for value in row) for row in frame.head(_ROWS).itertuples(index=False))
    rest = f", of which {_ROWS} are shown" if len(frame) > _ROWS else ""
    caption = f"`{name}`: {wording.count(len(frame), 'row')}{rest}"
    columns = tuple(_column(frame, str(name)) for name in frame.columns)
    return Blocks(Table(caption, columns, rows, folded=True, file=f"tables/{name}.csv"))


def _column(frame: pd.DataFrame, name: str) -> Column:
    if frame[name].dtype.kind in "iuf":
        return Column(name, "number")
    return Column(name, "code" if name == "file" else "text")


def _shown(value: Any) -> str:
    import pandas as pd  # half a second that findings don't cost

    if isinstance(value, tuple | list | frozenset):
        return ", ".join(map(str, value))
    return "" if pd.isna(value) else str(value)
