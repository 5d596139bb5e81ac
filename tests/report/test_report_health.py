"""The map, the start-up table, the coverage and the Markdown agree with the findings on health checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditlib import audit as auditing
from auditlib.report import markdown_document, sections
from auditlib.report.blocks import Picture, State
from auditlib.report.settings import Settings

COMPOSE = """
services:
  db:
    image: "postgres:16"
    healthcheck: {test: ["CMD", "pg_isready"], interval: 5s, retries: 3}
  web: {image: "IMAGE", depends_on: {db: {condition: service_healthy}}, healthcheck: CHECK}
"""
NGINX = "nginx:1.27.0-alpine"
CASES: dict[str, tuple[str, str, str, str, str]] = {
    "a check that works": (NGINX, '{test: ["CMD", "wget", "http://127.0.0.1:80"]}', "health checked", "", "yes"),
    "a program that the image lacks": (
        "chromadb/chroma:1.0.0", '{test: ["CMD", "curl", "http://localhost:8000"]}',
        "check is broken", "check is broken", "check is broken",
    ),
    "no check": (NGINX, "null", "no health check", "not checked", "no"),
    "a check that is switched off": (NGINX, "{disable: true}", "check disabled", "not checked", "no"),
    "an image that is known to bring one": (
        "google/cadvisor:v0.33.0", "null", "by its image", "as its image says", "yes",
    ),
    "an image that may bring one": ("acme/web:1.2.3", "null", "not known", "not known", "not known"),
}  # fmt: skip


def cell(audit: auditing.Audit, section: str, heading: str) -> State:
    """What a section's table says of `web`."""
    picture = getattr(sections, section)(audit).blocks[0]
    assert isinstance(picture, Picture)
    assert picture.table
    headings = [column.heading for column in picture.table.columns]
    row = next(row for row in picture.table.rows if "web" in row[:2])
    found = row[headings.index(heading)]
    assert isinstance(found, State)
    return found


def audited(folder: Path, image: str, check: str) -> auditing.Audit:
    text = COMPOSE.replace("IMAGE", image).replace("CHECK", check)
    (folder / "compose.yaml").write_text(text, encoding="utf-8")
    return auditing.audit(folder, scanned=False)


@pytest.mark.parametrize("case", CASES)
def test_a_check_is_told_in_the_same_way_everywhere(tmp_path: Path, case: str) -> None:
    image, check, in_map, at_start, in_coverage = CASES[case]
    audit = audited(tmp_path, image, check)

    assert cell(audit, "service_map", "Health").text == in_map
    assert cell(audit, "start_up", "Healthy or given up after").text.endswith(at_start)
    assert cell(audit, "monitoring_coverage", "Health check").text == in_coverage


def test_a_broken_check_leads_to_its_finding_and_is_not_good(tmp_path: Path) -> None:
    audit = audited(tmp_path, *CASES["a program that the image lacks"][:2])
    (finding,) = [item for item in audit.findings if item.rule == "healthcheck-tool-missing"]
    state = cell(audit, "service_map", "Health")

    assert (state.tone, state.finding) == ("bad", finding.fingerprint)
    assert "Broken: `web`" in markdown_document.render(audit, Settings())


def test_logs_in_a_volume_are_kept_and_not_collected(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services: {web: {build: ., volumes: [logs:/app/logs]}, api: {build: .}}\nvolumes: {logs: {}}\n"
    )
    audit = auditing.audit(tmp_path, scanned=False)

    assert cell(audit, "monitoring_coverage", "Logs kept").text == "kept in a volume, not collected"
