"""A Compose file that says of itself that it is for development weighs as little as one that is called so."""

import pytest

from auditlib import graph, readers, rules
from auditlib.source import Source

SERVICES = """services:
  db:
    image: postgres:16
    environment: {POSTGRES_PASSWORD: postgres}
    ports: ["5432:5432"]
"""
CASES = {
    "# The shop's local development stack\n": "low",
    "version: '3.8'\n\n# ---\n# For development only\n\n": "low",
    "# 用于快速启动开发环境所需的服务\n": "low",
    "# What local development needs\n# For the full production stack see deploy/compose.yml.\n": "low",
    "# The shop\n": "critical",
    "# For development and production\n": "critical",
    "# Local development, and in production with the secrets set; see docs/secrets.md\n": "critical",
    "x-note: 1\n# The shop's local development stack\n": "critical",
}


def severity(root):
    inventory = readers.read(Source(root))
    found, _ = rules.check(inventory, graph.build(inventory), [rules.find("credential-default")])
    return str(found[0].severity)


@pytest.mark.parametrize(("header", "expected"), CASES.items())
def test_the_first_comment_counts(tmp_path, header, expected):
    (tmp_path / "compose.yaml").write_text(header + SERVICES, encoding="utf-8")

    assert severity(tmp_path) == expected


def test_what_is_started_for_production_is_no_file_for_development(tmp_path):
    (tmp_path / "compose.yaml").write_text("# The local development stack\n" + SERVICES, encoding="utf-8")
    path = tmp_path / ".github/workflows/release.yml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "on: workflow_dispatch\njobs:\n  deploy:\n    runs-on: self-hosted\n    steps:\n"
        "      - run: docker compose -f compose.yaml up -d\n",
        encoding="utf-8",
    )

    assert severity(tmp_path) == "critical"


def test_what_production_starts_weighs_in_full_whatever_it_is_called(tmp_path):
    (tmp_path / "compose.yaml").write_text("services:\n  api: {image: 'example/api:1'}\n", encoding="utf-8")
    override = "services:\n  files:\n    image: minio/minio:latest\n"
    (tmp_path / "compose.override.yaml").write_text(override, encoding="utf-8")

    def weight():
        inventory = readers.read(Source(tmp_path))
        found, _ = rules.check(inventory, graph.build(inventory), [rules.find("image-withdrawn")])
        return str(found[0].severity)

    assert weight() == "low"
    (tmp_path / "deploy.sh").write_text("#!/bin/sh\ndocker compose up -d\n", encoding="utf-8")
    assert weight() == "medium"
