"""Numbers that stand on one page agree: each thing is counted in one way."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from handmade import MakeAudit, place

from auditlib import audit
from auditlib.inventory.monitoring import ScrapeJob
from auditlib.model import Coverage, Read
from auditlib.report import markdown_document, sections
from auditlib.report.blocks import PAGE_MIME
from auditlib.report.settings import Settings

STACK = """\
services:
  db:
    image: postgres:16
  api:
    build: .
  exporter:
    image: prom/node-exporter:v1.8.2
  tool:
    image: adminer:4
"""
WORKFLOW = """\
on: push
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - run: docker compose build
      - run: pytest tests
"""


def written(root: Path, files: dict[str, str]) -> audit.Audit:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return audit.audit(root, scanned=False)


def test_long_running_services_are_counted_in_one_way(tmp_path: Path) -> None:
    checked = "FROM python:3.12-slim\nHEALTHCHECK CMD true\nCMD python -m app\n"
    found = written(tmp_path, {"compose.yaml": STACK, "Dockerfile": checked})
    told = re.findall(
        r"(\d+) of (\d+) long-running services? ha(?:s|ve) (no health check|one)",
        markdown_document.render(found, Settings()),
    )

    assert sorted(told) == [("1", "3", "one"), ("2", "3", "no health check")]
    assert ">health checked</text>" in shown(found, "service_map")
    assert "1 with a health check" in shown(found, "monitoring_coverage")


def test_a_file_of_several_entries_is_one_file(make_audit: MakeAudit) -> None:
    found = make_audit()
    twice = [Coverage("compose.yaml", "compose", Read.PARTIAL, reason, 2) for reason in ("this", "that")]
    page = shown(audit.replace(found, coverage=tuple(twice)), "scope")

    assert "Files read: 1 Compose file." in page


def test_every_file_that_is_left_out_is_told(tmp_path: Path) -> None:
    found = written(tmp_path, {"compose.yaml": STACK, ".gitignore": "*.log\n", "LICENSE": "free\n", "a.xyz": "\n"})
    rows = re.findall(r"(\d+) files? of a format", " ".join(entry.reason for entry in found.coverage))

    assert f"{sum(map(int, rows))} left out" in shown(found, "coverage")


def test_jobs_of_one_name_are_said_to_share_a_box(make_audit: MakeAudit) -> None:
    found = make_audit(
        [ScrapeJob("prometheus.yml", "node", "/metrics", "http", (), (), place(line)) for line in (1, 2)]
    )

    assert "2 scrape jobs in 1 box, as some have one name" in shown(found, "monitoring_wiring")


def test_a_receiver_with_a_placeholder_is_not_drawn_as_one_that_hears(tmp_path: Path) -> None:
    alertmanager = (
        "route:\n  receiver: chat\nreceivers:\n  - name: chat\n    slack_configs:\n"
        "      - api_url: https://hooks.slack.com/services/{}\n        channel: '#alerts'\n"
    )
    files = {
        "prometheus.yml": "rule_files: [rules.yml]\nscrape_configs:\n  - job_name: node\n",
        "rules.yml": "groups:\n  - name: g\n    rules:\n      - alert: Down\n        expr: up == 0\n",
    }
    found = written(tmp_path, {**files, "alertmanager.yml": alertmanager.format("YOUR/SLACK/WEBHOOK")})
    for name in ("monitoring_wiring", "alerts"):
        assert "its address is a placeholder" in shown(found, name)

    real = written(
        tmp_path, {**files, "alertmanager.yml": alertmanager.format("T01AB2CD3/B04EF5GH6/q8Zr7Xw2Lm5Kp9Vt3Nc6Jd1F")}
    )
    for name in ("monitoring_wiring", "alerts"):
        assert "its address is a placeholder" not in shown(real, name)


def test_a_job_covers_what_it_really_does(tmp_path: Path) -> None:
    files = {"compose.yaml": "services:\n  db:\n    image: postgres:16\n", ".github/workflows/test.yml": WORKFLOW}
    page = shown(written(tmp_path, files), "ci_jobs")

    assert ">tests by pytest</text>" in page
    assert "builds images" not in page
    assert "builds images" in shown(written(tmp_path, {"compose.yaml": STACK}), "ci_jobs")


def shown(found: audit.Audit, name: str) -> str:
    return str(getattr(sections, name)(found)._repr_mimebundle_()[PAGE_MIME])


def test_none_is_said_to_have_a_check_only_where_that_is_known(tmp_path: Path) -> None:
    stack = "services: {db: {image: 'postgres:16'}, api: {image: 'acme/shop:1'}}\n"
    told = markdown_document.render(written(tmp_path, {"compose.yaml": stack}), Settings())

    assert "None in 2" not in told
    assert "Not known, as the image may bring one: `api`" in told


TOOTHLESS = """\
on: push
jobs:
  lint:
    runs-on: ubuntu-24.04
    steps:
      - run: flake8 app --exit-zero
      - run: black --check app
  deploy:
    runs-on: ubuntu-24.04
    needs: lint
    if: false
    steps:
      - run: echo "Deploying"
"""


def test_a_job_is_shown_as_the_findings_on_it_say(tmp_path: Path) -> None:
    files = {"compose.yaml": STACK, ".github/workflows/ci.yml": TOOTHLESS}
    page = unescape(shown(written(tmp_path, files), "ci_jobs"))

    for line in ("checks by black", "can't fail: flake8", "never starts", "deploys nothing"):
        assert f">{line}</text>" in page
    assert "only prepares" not in page
    assert "may fail, or runs under a condition" not in page
