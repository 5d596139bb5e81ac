"""A secret, put into every kind of file, appears in no output of any kind."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CANARY = "cNry-7f3A9b2Q"
LETTERS = "canarycanarycanarycanary"

FILES = {
    "docker-compose.canary.yml": """\
services:
  cache:
    image: redis:7.2
    command: redis-server --requirepass {0}
    healthcheck: {{test: [CMD, redis-cli, -a, {0}, ping]}}
    environment:
      - DB_PASSWORD={0}
      - DATABASE_URL=postgresql://app:{0}@db:5432/app
    labels: {{admin.password: {0}}}
  db:
    image: postgres:16
    environment: {{POSTGRES_PASSWORD: "${{DB_PASSWORD:-{0}}}", BROKER: "amqp://app:{0}@mq//"}}
    build: {{context: ., args: {{API_TOKEN: {0}}}}}
""",
    ".env": "SECRET_KEY={0}\nexport API_KEY='{0}'\n",
    ".env.example": "JWT_SECRET={0}\n# OLD_PASSWORD={0}\n",
    "backend/app/core/canary.py": """\
import os
from pydantic import Field
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    secret_key: str = "{0}"
    api_token: str = Field(default="{0}")
    other_password: str = Field(
        default="{0}",
    )
    url: str = os.getenv("REDIS_URL", "redis://:{0}@cache:6379")
    key = os.environ.get("API_KEY", "{0}")
""",
    "backend/Dockerfile": "FROM python:3.12\nENV API_TOKEN={0}\nARG DB_PASSWORD={0}\nENV SECRET_KEY {0}\n"
    'RUN curl -u admin:{0} https://example.com && pip install --token {0} x\nCMD ["run", "--password", "{0}"]\n',
    "monitoring/prometheus/canary.yml": """\
scrape_configs:
  - job_name: canary
    basic_auth: {{username: a, password: {0}}}
    authorization: {{credentials: {0}}}
    static_configs: [{{targets: ["canary:1"]}}]
""",
    "monitoring/alertmanager/canary.yml": """\
global: {{smtp_auth_password: {0}, slack_api_url: "https://hooks.slack.com/services/{0}"}}
route: {{receiver: a}}
receivers:
  - name: a
    slack_configs: [{{api_url: "https://hooks.slack.com/services/T0/B0/{0}", channel: "#a"}}]
    pagerduty_configs: [{{routing_key: {0}}}]
    telegram_configs: [{{bot_token: {0}, chat_id: 1}}]
    webhook_configs: [{{url: "https://user:{0}@example.com/"}}]
""",
    "monitoring/grafana/provisioning/datasources/canary.yml": """\
apiVersion: 1
datasources:
  - name: db
    type: postgres
    url: db:5432
    secureJsonData: {{password: {0}}}
""",
    ".github/workflows/canary.yml": """\
on: push
env: {{API_TOKEN: {0}}}
jobs:
  a:
    runs-on: ubuntu-latest
    services: {{db: {{image: "postgres:16", env: {{POSTGRES_PASSWORD: {0}}}}}}}
    steps:
      - run: curl -H "Authorization: Bearer {0}" https://example.com
        env: {{DEPLOY_PASSWORD: {0}}}
      - uses: docker/login-action@v3
        with: {{password: {0}}}
""",
    "scripts/canary.sh": "#!/bin/sh\n# Uses the token.\nexport PGPASSWORD={0}\nmysqldump -uroot -p{0} app\n"
    "psql postgresql://app:{0}@db/app\nredis-cli -a {0} ping\n",
    "Makefile": "deploy:\n\tAPI_KEY={0} ./deploy.sh --token {0}\n",
    "package.json": '{{"name": "a", "scripts": {{"deploy": "TOKEN={0} vercel --token {0}"}}}}\n',
    "pyproject.toml": '[tool.deploy]\npassword = "{0}"\n',
    "docs/canary.md": "# Access\n\nThe password is `{0}`.\n\n```sh\nexport DB_PASSWORD={0}\n```\n",
    "frontend/src/canary.ts": 'const apiKey = "{0}";\nconst key = process.env.API_KEY ?? "x";\n',
}


@pytest.fixture(scope="module", params=[CANARY, LETTERS])
def project(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("canary") / "shop"
    shutil.copytree(ROOT / "data/propertypro", root)
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(request.param), encoding="utf-8")
    return root, request.param


def run(*arguments):
    done = subprocess.run([sys.executable, "-m", "auditlib", *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode in (0, 1, 3)
    return done.stdout + done.stderr


@pytest.mark.parametrize("output_format", ["text", "json", "csv", "markdown", "sarif", "junit", "github"])
def test_check_never_shows_it(project, output_format):
    root, canary = project
    assert canary.encode() not in run("check", root, "--format", output_format)


def test_no_explanation_shows_it(project):
    from auditlib.audit import audit
    from auditlib.formats import explanation

    root, canary = project
    result = audit(root)
    assert len(result.findings) > 20
    for finding in result.findings:
        assert canary not in explanation.render(result, finding.fingerprint)


def test_explain_never_shows_it(project):
    root, canary = project
    found = json.loads(run("check", root, "--format", "json", "--rule", "credential-default"))["findings"]
    assert canary.encode() not in run("explain", found[0]["fingerprint"], root)


def test_the_report_never_shows_it(project, tmp_path):
    root, canary = project
    output = run("report", root, "-o", tmp_path / "report", "--format", "slides,markdown")
    written = [path for path in (tmp_path / "report").rglob("*") if path.is_file()]
    assert written
    assert canary.encode() not in output
    assert not [path for path in written if canary.encode() in path.read_bytes()]


def test_no_record_of_the_inventory_holds_it(project):
    from auditlib import readers
    from auditlib.source import Source

    root, canary = project
    assert canary not in repr(readers.read(Source(root)))
