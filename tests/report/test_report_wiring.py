"""The way from a service to a person is drawn, told and tabled as the findings on it say."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditlib import audit as auditing
from auditlib.report import sections
from auditlib.report.blocks import PAGE_MIME, Picture, State, Table

COMPOSE = """
services:
  prometheus: {image: "prom/prometheus:v3.4.2", volumes: ["./prometheus:/etc/prometheus"]}
  alertmanager: {image: "prom/alertmanager:v0.28.1", volumes: ["./alertmanager:/etc/alertmanager"]}
  node: {image: "prom/node-exporter:v1.9.1"}
  web: {image: "nginx:1.27.0", ports: ["8001:8000"]}
"""
PROMETHEUS = """
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ["alertmanager:9093"]}]}]}
scrape_configs:
  - {job_name: node, static_configs: [{targets: ["node:9100"]}]}
"""
RULES = """
groups:
  - name: hosts
    rules: [{alert: Down, expr: 'up{job="node"} == 0'}]
"""
ALERTMANAGER = """
route: {receiver: team}
receivers:
  - name: team
    webhook_configs: [{url: "http://relay.acme.net:5001/"}]
"""
FILES = {
    "compose.yaml": COMPOSE,
    "prometheus/prometheus.yml": PROMETHEUS,
    "prometheus/rules.yml": RULES,
    "alertmanager/alertmanager.yml": ALERTMANAGER,
}
LOST = {
    "nothing": ("compose.yaml", "", "", "", "team"),
    "a target that is no service": ("prometheus/prometheus.yml", "node:9100", "nodes:9100", "node (no such", "team"),
    "a target at its port on the host": ("prometheus/prometheus.yml", "node:9100", "web:8001", "(wrong port)", "team"),
    "a receiver at the loopback address": (
        "alertmanager/alertmanager.yml", "relay.acme.net", "127.0.0.1", "team (tells", "nobody (team: "
    ),
    "rules that nothing loads": (
        "prometheus/prometheus.yml", "[rules.yml]", "[others.yml]", "hosts (no Prometheus", "nobody (no Prometheus"
    ),
    "an alert on a job that isn't there": (
        "prometheus/rules.yml", 'job="node"', 'job="nodes"', "hosts (1 of them", "nobody (selects what nothing has)"
    ),
    "an alert on a file system that Docker has given up": (
        "prometheus/rules.yml", 'up{job="node"} == 0', 'node_filesystem_free_bytes{fstype="aufs"} < 9',
        "hosts (1 of them may never", "team, if it ever fires",
    ),
    "an Alertmanager that is no service": (
        "prometheus/prometheus.yml", "alertmanager:9093", "manager:9093", "finds no Alertmanager", "nobody (Prometheus"
    ),
}  # fmt: skip


def audited(folder: Path, file: str, old: str, new: str) -> auditing.Audit:
    for path, text in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text.replace(old, new) if path == file else text, encoding="utf-8")
    return auditing.audit(folder, scanned=False)


@pytest.mark.parametrize("case", LOST)
def test_what_a_finding_calls_broken_is_not_shown_as_connected(tmp_path: Path, case: str) -> None:
    file, old, new, said, reaches = LOST[case]
    audit = audited(tmp_path, file, old, new)
    picture, table = sections.monitoring_wiring(audit).blocks[0], sections.alerts(audit).blocks[0]
    assert isinstance(picture, Picture)
    assert isinstance(table, Table)

    assert said in picture.caption
    assert ("nowhere" in picture.caption or "leaves it" in picture.caption) == bool(said)
    assert str(table.rows[0][3]).startswith(reaches)


@pytest.mark.parametrize("case", [case for case, (*_, said, _) in LOST.items() if "port" in said])
def test_a_cell_leads_to_the_finding_that_it_rests_on(tmp_path: Path, case: str) -> None:
    audit = audited(tmp_path, *LOST[case][:3])
    picture = sections.monitoring_wiring(audit).blocks[0]
    assert isinstance(picture, Picture)
    assert picture.table
    (state,) = [cell for row in picture.table.rows for cell in row if isinstance(cell, State) and cell.finding]

    assert state.text == "web: wrong port"
    assert f'href="#finding-{state.finding}"' in sections.monitoring_wiring(audit)._repr_mimebundle_()[PAGE_MIME]
