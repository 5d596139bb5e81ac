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

WATCHERS = """\
services:
  prometheus:
    image: prom/prometheus:v2.53.0
    volumes: ["./monitoring:/etc/prometheus:ro"]
    networks: [backend]
  proxy:
    image: nginx:1.27
    ports: ["80:80"]
    volumes: ["./nginx/nginx.conf:/etc/nginx/nginx.conf:ro"]
    networks: [backend]
"""
RULES = """\
groups:
  - name: api
    rules:
      - alert: ApiDown
        expr: up{job="api0"} == 0
        for: 5m
        labels: {severity: critical}
"""
CODE = '''
from dataclasses import dataclass


@dataclass
class Order~:
    """An order of a customer, with its price."""

    quantity: int
    price: float

    def total(self) -> float:
        """What the customer pays."""
        return round(self.quantity * self.price, 2)


def group_orders_~(orders: list[Order~], limit: int = 10) -> dict[int, list[Order~]]:
    """The orders by quantity, the dearest first."""
    groups: dict[int, list[Order~]] = {}
    for order in sorted(orders, key=lambda one: -one.total()):
        if len(groups.setdefault(order.quantity, [])) < limit:
            groups[order.quantity].append(order)
    return {quantity: members for quantity, members in groups.items() if members}
'''
ROUTES = """
from fastapi import APIRouter

router = APIRouter(prefix="/orders~")


@router.get("/{number}")
def show(number: int) -> dict[str, int]:
    return {"number": number}
"""
PANEL = """\
import { useEffect, useState } from "react";

export function Panel~({ title, url }: { title: string; url: string }) {
  const [rows, setRows] = useState<string[]>([]);
  useEffect(() => {
    fetch(`${url}/panel/~`).then((answer) => answer.json()).then(setRows);
  }, [url]);
  return (
    <section className="panel">
      <h2>{title}</h2>
      <ul>{rows.map((row) => <li key={row}>{row}</li>)}</ul>
    </section>
  );
}
"""
GUIDE = "```sh\ndocker compose up -d\ncurl http://localhost:8000/health\n```\n"
_PACKAGES = ("orders", "billing", "catalogue", "accounts", "tests")


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


def mid_sized(root: Path) -> Path:
    """Write a repository of 10 services and about 800 files, most of them an application's own code."""
    write(root, 8)
    _put(root / "compose.yaml", (root / "compose.yaml").read_text(encoding="utf-8").replace("services:\n", WATCHERS, 1))
    _put(root / "monitoring/rules.yml", RULES)
    _put(root / "nginx/nginx.conf", "http {\n  server { listen 80; location / { proxy_pass http://api0:8000; } }\n}\n")
    for n in range(500):
        _put(root / f"api{n % 2}/app/{_PACKAGES[n % 5]}/module_{n}.py", _module(n))
    for n in range(200):
        reads = "const base = import.meta.env.VITE_API_URL;\n" if n < 5 else ""
        _put(root / f"web/src/components/Panel{n}.tsx", reads + PANEL.replace("~", str(n)))
    for n in range(50):
        _put(root / f"docs/page_{n}.md", f"# Page {n}\n\n" + "What an operator does, and why.\n\n" * 20 + GUIDE)
    for n in range(8):
        _put(root / f".github/workflows/job_{n}.yml", _workflow(6))
    for n in range(20):
        _put(root / f"scripts/task_{n}.sh", '#!/bin/sh\nset -eu\ncd "$(dirname "$0")"\npg_dump app > dump.sql\n')
    return root


def _module(n: int) -> str:
    """A Python file: every 16th reads settings, every 12th has routes, every 4th is a test."""
    parts = ["import os\n" if n % 16 == 0 else "", *(CODE.replace("~", f"{n}_{part}") for part in range(4))]
    if n % 16 == 0:
        parts.append(f'TIMEOUT_{n} = int(os.environ.get("TIMEOUT_{n}", "30"))\n')
    if n % 12 == 1:
        parts.append(ROUTES.replace("~", str(n)))
    if n % 4 == 3:
        parts.append(f"\n\ndef test_order_{n}():\n    assert Order{n}_0(1, 2.0).total() == 2.0\n")
    return "".join(parts)


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
