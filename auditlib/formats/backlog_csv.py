"""The backlog as CSV, one item a row, for Jira's importer and for GitHub Projects.

The headings are those of Jira's own export, so that its importer proposes the right fields: an item's id for `Issue
Id`, and by it the items that block it, a column for each, as an importer takes one value from a column. Whoever may
only create issues can't import links, and GitHub has none for drafts, so the description says the same in words. It
says as well what an item does to the scores, as Jira leaves out a column that nobody maps to a field. The rule is
among the labels: it names the same work in the next report, whose ranks may differ. Pasted into a project of GitHub,
the first column becomes the titles.
https://support.atlassian.com/jira-software-cloud/docs/mapping-csv-data-to-jira-fields
https://support.atlassian.com/jira-cloud-administration/docs/import-data-from-a-csv-file/
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from auditlib.backlog import Item
from auditlib.formats.cells import guarded
from auditlib.model import Severity
from auditlib.verdict import Effect

COLUMNS = ("Summary", "Description", "Issue Id", "Issue Type", "Priority", "Labels", "Effort", "Rank", "Score")
BLOCKED_BY = "Inward issue link (Blocks)"

_PRIORITY = {
    Severity.CRITICAL: "Highest",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
    Severity.INFO: "Lowest",
}
"""Jira's own priorities."""


def render(items: Sequence[Item], effects: Mapping[str, Effect]) -> str:
    """A header line, then a row an item; `effects` has by rule what an item does to the scores."""
    links = max((len(item.after) for item in items), default=0)
    titles = {item.id: item.title for item in items}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *[BLOCKED_BY] * links])
    for item in items:
        row = (*_row(item, effects[item.rule], titles), *item.waits_for)
        writer.writerow([guarded(value) for value in row] + [""] * (links - len(item.after)))
    return text.getvalue()


def _row(item: Item, effect: Effect, titles: Mapping[str, str]) -> tuple[object, ...]:
    label = item.theme.lower().replace(" & ", "-").replace(" ", "-")
    return (
        item.title,
        "\n\n".join(_description(item, effect, titles)),
        item.id,
        "Task",
        _PRIORITY[item.severity],
        f"audit {label} {item.rule}",
        item.effort,
        item.rank,
        str(effect),
    )


def _description(item: Item, effect: Effect, titles: Mapping[str, str]) -> Iterator[str]:
    yield item.first_step
    yield "\n".join(["Closes:", *(f"* {place}: {step}" for place, step in zip(item.places, item.steps, strict=True))])
    if item.after:
        yield "To be done before:\n" + "\n".join(f"* {other}: {titles[other]}" for other in item.waits_for)
    yield f"Alone it changes: {effect}"
    yield f"Rule: {item.rule}"
