"""Lines that a finding advises to write, in the names of the repository that they are for."""

import pytest

from auditlib import graph, readers, rules
from auditlib.source import Source

API = """services:
  api:
    build: ./api
    restart: always
"""
DOCKERFILE = 'FROM python:3.12-slim\nEXPOSE 8000\nCMD ["uvicorn", "main:app"]\n'
HEALTH = 'from fastapi import FastAPI\napp = FastAPI()\n@app.get("/health")\ndef health(): return {}\n'
PROMETHEUS = "scrape_configs:\n  - job_name: db\n    static_configs: [{targets: ['postgres-exporter:9187']}]\n"
CASES = {
    "a probe asks the route of the code with what the image holds": (
        "healthcheck-missing",
        {"compose.yaml": API, "api/Dockerfile": DOCKERFILE, "api/main.py": HEALTH},
        """r.urlopen('http://127.0.0.1:8000/health')""",
    ),
    "a service that runs another command than its image gets no port of the image": (
        "healthcheck-missing",
        {"compose.yaml": f"{API}    command: python beat.py\n", "api/Dockerfile": DOCKERFILE, "api/main.py": HEALTH},
        '["CMD", "<a command of its image that fails when it no longer works>"]',
    ),
    "a worker of Celery is asked by Celery": (
        "healthcheck-missing",
        {"compose.yaml": f"{API}    command: celery -A shop.tasks worker\n", "api/Dockerfile": DOCKERFILE},
        "celery -A shop.tasks inspect ping",
    ),
    "Prometheus is asked at the end that it has for that": (
        "healthcheck-missing",
        {"compose.yaml": "services:\n  watch:\n    image: prom/prometheus:v3.4.2\n  db:\n    image: postgres:16\n"
                         "    healthcheck: {test: [CMD, pg_isready]}\n"},
        "http://127.0.0.1:9090/-/healthy",
    ),
    "an exporter is told of the database that the project has": (
        "scrape-target-unresolved",
        {"compose.yaml": "services:\n  store:\n    image: postgres:16\n", "prometheus.yml": PROMETHEUS},
        'DATA_SOURCE_URI: "store:5432/postgres?sslmode=disable"',
    ),
    "a secret is read in the way of each file": (
        "secret-not-rotatable",
        {
            "compose.yaml": "services:\n  db:\n    image: postgres:16\n    environment:\n"
                            "      POSTGRES_PASSWORD: hunter2-of-ours\n",
            "app/settings.py": 'import os\nPOSTGRES_PASSWORD = "hunter2-of-ours"\n',
        },
        'os.environ["POSTGRES_PASSWORD"]',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_lines_to_write_are_in_the_names_of_the_repository(name, tmp_path):
    rule, files, expected = CASES[name]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    inventory = readers.read(Source(tmp_path))
    findings, _ = rules.check(inventory, graph.build(inventory), [rules.find(rule)])

    assert any(expected in f"{item.example}{item.change[1]}" for item in findings)
    assert not any("hunter2" in f"{item.example}{item.change}" for item in findings)
