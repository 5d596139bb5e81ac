"""What was read against what: the lines that no single file shows."""

from __future__ import annotations

from pathlib import Path

from handmade import MakeAudit

from auditlib.audit import audit
from auditlib.report import sections


def test_references_into_other_files_are_counted(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services:\n  api: {image: i, depends_on: [db], environment: {LEVEL: info}}\n  db: {image: postgres:16}\n"
        "  prometheus: {image: prom/prometheus}\n",
        encoding="utf-8",
    )
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs: [{job_name: api, static_configs: [{targets: ['api:80']}]}]\n", encoding="utf-8"
    )
    (tmp_path / "settings.py").write_text('import os\nLEVEL = os.environ["LEVEL"]\n', encoding="utf-8")

    (picture,) = sections.joined(audit(tmp_path, scanned=False)).blocks
    rows = {row[:3]: row[3:] for row in picture.table.rows}

    assert rows["scrape job", "scrapes", "service"] == (1, "prometheus.yml:1")
    assert rows["setting", "reads_env", "variable"] == (1, "settings.py:2")
    assert rows["service", "depends_on", "service"] == (1, "compose.yaml:2")
    followed = sum(row[3] for row in picture.table.rows)
    # the scrape job's service, and the variable that a service sets and a setting reads
    assert picture.caption == f"{followed} references followed, 3 of them to what another file names too."


def test_where_nothing_refers_to_anything_a_sentence_says_so(make_audit: MakeAudit) -> None:
    assert "refers to anything else" in str(sections.joined(make_audit()))
