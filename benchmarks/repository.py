"""Writes a repository of any size that looks like a real one: groups of an API, a worker, a database and a cache."""

from __future__ import annotations

from pathlib import Path

GROUP = """\
  api{n}:
    build: ./api{n}
    ports: ["{port}:8000"]
    environment:
      DATABASE_URL: postgresql://app:${{DB{n}_PASSWORD:-example}}@db{n}:5432/app
      REDIS_URL: redis://cache{n}:6379/0
      LOG_LEVEL: ${{LOG_LEVEL:-info}}
    depends_on:
      db{n}: {{condition: service_healthy}}
      cache{n}: {{condition: service_started}}
    healthcheck: {{test: [CMD, curl, -f, "http://localhost:8000/health"]}}
    networks: [backend]
  worker{n}:
    build: ./api{n}
    command: celery -A app worker
    environment: {{REDIS_URL: "redis://cache{n}:6379/0", API_TOKEN: "${{API{n}_TOKEN}}"}}
    depends_on: [cache{n}]
    networks: [backend]
  db{n}:
    image: postgres:16.2
    environment: {{POSTGRES_PASSWORD: "${{DB{n}_PASSWORD:-example}}"}}
    volumes: ["data{n}:/var/lib/postgresql/data"]
    healthcheck: {{test: [CMD-SHELL, pg_isready]}}
    networks: [backend]
  cache{n}:
    image: redis:7.2
    networks: [backend]
"""
SETTINGS = """\
import os
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    database_url: str
    redis_url: str = "redis://localhost:6379/0"
    log_level: str = os.getenv("LOG_LEVEL", "info")
"""


def write(root: Path, services: int) -> Path:
    """Write a repository of about this many services (a multiple of 4) below `root`; the folder that holds it."""
    groups = max(1, services // 4)
    _put(root / "compose.yaml", _compose(groups))
    _put(
        root / ".env.example", "".join(f"DB{n}_PASSWORD=\nAPI{n}_TOKEN=\n" for n in range(groups)) + "LOG_LEVEL=info\n"
    )
    _put(root / "monitoring/prometheus.yml", _prometheus(groups))
    _put(root / ".github/workflows/ci.yml", _workflow(groups))
    _put(root / "README.md", "# Shop\n\n" + "".join(f"- `api{n}` uses `DB{n}_PASSWORD`\n" for n in range(groups)))
    for n in range(groups):
        _put(root / f"api{n}/Dockerfile", 'FROM python:3.12-slim\nCOPY . /app\nCMD ["uvicorn", "app:app"]\n')
        _put(root / f"api{n}/settings.py", SETTINGS)
        _put(root / f"api{n}/tests/test_app.py", "def test_app():\n    assert True\n")
    return root


def _compose(groups: int) -> str:
    services = "".join(GROUP.format(n=n, port=20000 + n) for n in range(groups))
    volumes = "".join(f"  data{n}:\n" for n in range(groups))
    return f"services:\n{services}networks:\n  backend:\nvolumes:\n{volumes}"


def _prometheus(groups: int) -> str:
    jobs = "".join(f"  - job_name: api{n}\n    static_configs: [{{targets: ['api{n}:8000']}}]\n" for n in range(groups))
    return f"scrape_configs:\n{jobs}"


def _workflow(groups: int) -> str:
    jobs = "".join(
        f"  api{n}:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n"
        f"      - run: pytest api{n}/tests\n"
        for n in range(min(groups, 200))
    )
    return f"name: ci\non: [push]\njobs:\n{jobs}"


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
