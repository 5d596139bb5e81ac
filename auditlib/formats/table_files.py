"""Every table of an audit as a CSV file, and the backlog for trackers of work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from auditlib import backlog, verdict
from auditlib.audit import Audit
from auditlib.formats import backlog_csv
from auditlib.formats.cells import guarded

if TYPE_CHECKING:
    import pandas as pd


def write(audit: Audit, folder: Path) -> None:
    """Write `<table>.csv` for every table, and `backlog.csv`, into the new folder `folder`."""
    folder.mkdir()
    for name in audit.tables:
        _safe(audit.tables[name]).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    items = backlog.derive(audit.findings)
    table = backlog_csv.render(items, verdict.effects(audit.findings, items, audit.unknown_areas))
    (folder / "backlog.csv").write_text(table, encoding="utf-8")


def _safe(frame: pd.DataFrame) -> pd.DataFrame:
    texts = [str(column) for column in frame.select_dtypes(["object", "string"]).columns]
    return frame.assign(**{column: frame[column].map(guarded, na_action="ignore") for column in texts})
