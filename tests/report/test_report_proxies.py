"""What stands behind a proxy is drawn and told as such: in the map, the exposure and the blast radius."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditlib import audit as auditing
from auditlib.report import sections
from auditlib.report.blocks import PAGE_MIME, Picture

COMPOSE = """
services:
  caddy: {image: "caddy:2.10.0", ports: ["8300:3000"], volumes: ["./caddy:/etc/caddy"]}
  grafana: {image: "grafana/grafana:12.0.2"}
  node: {image: "prom/node-exporter:v1.9.1", network_mode: host}
"""


@pytest.fixture
def audit(tmp_path: Path) -> auditing.Audit:
    (tmp_path / "caddy").mkdir()
    (tmp_path / "caddy/Caddyfile").write_text(":3000 {\n    reverse_proxy grafana:3000\n}\n", encoding="utf-8")
    (tmp_path / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    return auditing.audit(tmp_path, [], scanned=False)


def picture(audit: auditing.Audit, section: str) -> Picture:
    found = getattr(sections, section)(audit).blocks[0]
    assert isinstance(found, Picture)
    assert found.table
    return found


def test_the_map_joins_a_proxy_to_what_it_passes_requests_to(audit: auditing.Audit) -> None:
    page = sections.service_map(audit)._repr_mimebundle_()[PAGE_MIME]

    assert "passes requests, or asks" in page
    assert "A grey line leads to a proxy" in picture(audit, "service_map").caption


def test_the_exposure_names_the_proxy_and_its_port_on_the_host(audit: auditing.Audit) -> None:
    shown = picture(audit, "exposure")

    assert "caddy :8300 → grafana" in shown.svg
    assert "no services inside the networks only; grafana reached through a proxy" in shown.caption


def test_a_service_in_the_hosts_network_is_told_apart_from_ports_and_has_a_row(audit: auditing.Audit) -> None:
    shown = picture(audit, "exposure")
    assert shown.table

    assert shown.caption.startswith(
        "1 port on every interface, none on the host alone; 1 service in the host's network"
    )
    assert [row[:2] for row in shown.table.rows] == [("caddy", "8300"), ("node", "what it opens"), ("grafana", "")]


def test_the_blast_radius_says_who_is_out_of_reach(audit: auditing.Audit) -> None:
    shown = picture(audit, "blast_radius")
    assert shown.table
    headings = [column.heading for column in shown.table.columns]

    assert "without caddy nobody outside gets to grafana" in shown.caption
    assert shown.table.rows[0][headings.index("Out of reach from outside")] == "grafana"
