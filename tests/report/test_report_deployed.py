"""What is deployed is what the pictures show; what it leaves out is named."""

from __future__ import annotations

import pytest

from auditlib.audit import Audit
from auditlib.audit import audit as audit_repository
from auditlib.report import sections
from auditlib.report.blocks import Blocks, Picture, Prose, Table

BASE = """\
services:
  proxy:
    image: traefik:3.6
    command:
      - --providers.docker.exposedbydefault=false
      - --entrypoints.web.address=:80
      - --entrypoints.inner.address=:81
  db:
    image: postgres:18
    healthcheck: {test: [CMD, pg_isready]}
    volumes: ["data:/var/lib/postgresql"]
  console:
    image: adminer:5
    labels: [traefik.enable=true, "traefik.http.routers.console.rule=Host(`console.${DOMAIN:?}`)"]
  api:
    image: acme/api:1
    depends_on: {db: {condition: service_healthy}}
    labels:
      traefik.enable: "true"
      traefik.http.routers.api.rule: Host(`inside`)
      traefik.http.routers.api.entrypoints: inner
volumes: {data: {}}
"""
OVERRIDE = """\
services:
  db: {ports: ["5432:5432"]}
  mailpit: {image: "axllent/mailpit:v1", ports: ["8025:8025"]}
  api: {depends_on: [mailpit]}
"""
DEPLOY = """\
services:
  proxy: {restart: always, ports: ["80:80"], volumes: ["certificates:/certificates"]}
  console: {restart: always}
volumes: {certificates: {}}
"""
WORKFLOW = """\
on: workflow_dispatch
jobs:
  deploy:
    steps: [{run: docker compose -f compose.yml -f compose.deploy.yml up -d}]
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    root = tmp_path_factory.mktemp("deployed")
    workflow = root / ".github" / "workflows" / "cd.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(WORKFLOW)
    for name, text in (("compose.yml", BASE), ("compose.override.yml", OVERRIDE), ("compose.deploy.yml", DEPLOY)):
        (root / name).write_text(text)
    return audit_repository(root, scanned=False)


def table(blocks: Blocks) -> Table:
    found = next(block.table for block in blocks.blocks if isinstance(block, Picture))
    assert found is not None
    return found


def prose(blocks: Blocks) -> list[str]:
    return [block.text for block in blocks.blocks if isinstance(block, Prose)]


def column(blocks: Blocks, heading: str) -> list[str]:
    """The distinct words of a column, in their order."""
    shown = table(blocks)
    index = [item.heading for item in shown.columns].index(heading)
    return list(dict.fromkeys(str(row[index]) for row in shown.rows))


def test_the_map_shows_what_a_command_starts_and_names_what_it_leaves_out(found: Audit) -> None:
    drawn = sections.service_map(found)
    assert column(drawn, "Service") == ["console", "db", "proxy", "api"]
    assert prose(drawn) == [
        "Production: `compose.yml` + `compose.deploy.yml`, started by `.github/workflows/cd.yml:4`. For development, "
        "and not shown: `compose.override.yml` with `mailpit`."
    ]


def test_ports_are_those_of_production_and_what_a_proxy_leads_to_is_told(found: Audit) -> None:
    drawn = sections.exposure(found)
    assert [row[0] for row in table(drawn).rows] == ["proxy", "console"]
    assert [str(row[5]) for row in table(drawn).rows] == ["compose.deploy.yml:2", "compose.yml:14"]
    assert "console.${DOMAIN} → console" in next(block.svg for block in drawn.blocks if isinstance(block, Picture))


def test_volumes_starts_and_failures_are_those_of_production(found: Audit) -> None:
    assert column(sections.volumes(found), "Volume") == ["certificates", "data"]
    start = sections.start_up(found)
    assert sorted(column(start, "Service")) == ["api", "console", "db", "proxy"]
    assert prose(start) == ["Left out, as they are for development: mailpit."]
    assert column(sections.blast_radius(found), "If this dies") == ["db", "proxy", "api", "console"]


def test_a_console_that_is_kept_up_in_production_counts(found: Audit) -> None:
    messages = "\n".join(finding.message for finding in found.findings)
    assert "2 of 4 long-running services have no health check: proxy and console." in messages
    assert "4 of 4 long-running services have no memory limit: proxy, db, console and api." in messages
