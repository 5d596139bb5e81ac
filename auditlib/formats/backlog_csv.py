"""The backlog as CSV, one item a row, for Jira's importer and for GitHub Projects.

Jira knows the headings by name, and leaves out a column that nobody maps to a field, so what an item does to the scores
is in the description as well; pasted into a project of GitHub, the first column becomes the titles.
https://support.atlassian.com/jira-software-cloud/docs/mapping-csv-data-to-jira-fields
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from auditlib.backlog import Item
from auditlib.formats.cells import guarded
from auditlib.model import Severity
from auditlib.verdict import Effect

COLUMNS = ("Summary", "Description", "Issue Type", "Priority", "Labels", "Effort", "Rank", "Depends on", "Score")

_PRIORITY = {
    Severity.CRITICAL: "Highest",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
    Severity.INFO: "Lowest",
}
"""Jira's own priorities."""


def render(items: Iterable[Item], effects: Mapping[str, Effect]) -> str:
    """A header line, then a row an item; `effects` has by rule what an item does to the scores."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([guarded(value) for value in _row(item, effects[item.rule])] for item in items)
    return text.getvalue()


def _row(item: Item, effect: Effect) -> tuple[object, ...]:
    places = "\n".join(f"* {place}" for place in item.places)
    label = item.theme.lower().replace(" & ", "-").replace(" ", "-")
    return (
        item.title,
        f"{item.first_step}\n\nCloses:\n{places}\n\nAlone it changes: {effect}\n\nRule: {item.rule}",
        "Task",
        _PRIORITY[item.severity],
        f"audit {label}",
        item.effort,
        item.rank,
        " ".join(map(str, item.after)),
        str(effect),
    )
