"""What the report says of who watches a service is what the configuration of Prometheus says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from auditlib import audit as auditing
from auditlib import log_collection, watching
from auditlib.report import sections
from auditlib.report.blocks import Picture

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = {
    "healthy": REPOSITORY / "data" / "healthy",
    "propertypro": REPOSITORY / "data" / "propertypro",
    "dockprom": REPOSITORY.parent / "shared" / "corpus" / "dockprom",
}
MATRIX = """
healthy     api               yes                 yes  yes
healthy     worker            yes                 yes  no
healthy     db                yes                 yes  yes
healthy     redis             yes                 yes  yes
healthy     nginx             yes                 yes  no
healthy     prometheus        yes                 no   no
healthy     migrate           no                  no   no
propertypro chroma            wrong_port          no   no
propertypro nginx             no                  no   no
dockprom    prometheus        yes                 reaches_nobody  its_container_only
dockprom    docker-compose.yml/nodeexporter            yes  reaches_nobody  yes
dockprom    docker-compose.exporters.yml/nodeexporter  no   no   no
dockprom    pushgateway       yes                 reaches_nobody  its_container_only
dockprom    caddy             its_container_only  no   its_container_only
"""

COMPOSE = """
services:
  prometheus: {image: "prom/prometheus:v3.4.2", volumes: ["./prometheus:/etc/prometheus"]}
  api: {build: .}
  db: {image: "postgres:16"}
  postgres-exporter:
    image: prometheuscommunity/postgres-exporter:v0.15.0
    environment: {DATA_SOURCE_URI: "db:5432/shop"}
  cadvisor: {image: "gcr.io/cadvisor/cadvisor:v0.52.1"}
"""
PROMETHEUS = """
rule_files: [alerts.yml]
scrape_configs:
  - {job_name: shop, static_configs: [{targets: ["api:8000"]}]}
  - {job_name: postgres, static_configs: [{targets: ["postgres-exporter:9187"]}]}
  - {job_name: containers, static_configs: [{targets: ["cadvisor:8080"]}]}
"""
ALERTS = {
    "up == 0": "api cadvisor postgres-exporter",
    'up{job="shop"} == 0': "api",
    'up{job!="shop"} == 0': "cadvisor postgres-exporter",
    'up{instance="api:8000"} == 0': "api",
    'up{job="other"} == 0': "",
    "pg_up == 0": "db postgres-exporter",
    'up{job="postgres"} == 0': "postgres-exporter",
    'orders_failed_total{job="shop"} > 5': "api",
    "orders_failed_total > 5": "",
    "shop:orders:rate5m > 5": "api",
}
CONTAINERS = {
    "sum by (name) (container_memory_usage_bytes) > 1e9": "api cadvisor db postgres-exporter prometheus",
    'container_memory_usage_bytes{name="jenkins"} > 1e9': "",
    'container_memory_usage_bytes{name="shop-api-1"} > 1e9': "api",
    'container_memory_usage_bytes{name=~"api|db"} > 1e9': "api db",
}


@cache
def table(name: str) -> dict[str, tuple[str, ...]]:
    """The rows of the matrix of an example, without health checks and logs."""
    if not EXAMPLES[name].is_dir():
        pytest.skip("the corpus is not here")
    (picture,) = sections.monitoring_coverage(auditing.audit(EXAMPLES[name], scanned=False)).blocks
    assert isinstance(picture, Picture)
    assert picture.table is not None
    return {str(row[0]): tuple(map(str, row[2:5])) for row in picture.table.rows}


@pytest.mark.parametrize("line", MATRIX.strip().splitlines(), ids=lambda line: " ".join(line.split()[:2]))
def test_the_matrix_tells_what_the_configuration_does(line: str) -> None:
    example, name, *expected = line.split()

    assert table(example)[name] == tuple(word.replace("_", " ") for word in expected)


def watch(folder: Path, expression: str) -> watching.Watch:
    (folder / "prometheus").mkdir()
    rules = f"""
groups:
  - name: shop
    rules:
      - {{alert: Trouble, expr: '{expression}'}}
      - {{record: "shop:orders:rate5m", expr: 'rate(orders_failed_total{{job="shop"}}[5m])'}}
"""
    files = {"compose.yaml": COMPOSE, "prometheus/prometheus.yml": PROMETHEUS, "prometheus/alerts.yml": rules}
    for path, text in files.items():
        (folder / path).write_text(text, encoding="utf-8")
    found = auditing.audit(folder, [], scanned=False)
    return watching.of(found.inventory, found.dependencies)


def names(keys: frozenset[str]) -> str:
    return " ".join(sorted(key.rpartition("/")[2] for key in keys))


@pytest.mark.parametrize("expression", ALERTS)
def test_an_alert_is_about_the_services_whose_series_it_selects(tmp_path: Path, expression: str) -> None:
    assert names(watch(tmp_path, expression).alerts.services) == ALERTS[expression]


@pytest.mark.parametrize("expression", CONTAINERS)
def test_an_alert_on_containers_is_about_those_that_it_names(tmp_path: Path, expression: str) -> None:
    assert names(watch(tmp_path, expression).alerts.containers) == CONTAINERS[expression]


def test_rules_that_no_prometheus_loads_alert_nobody(tmp_path: Path) -> None:
    watch(tmp_path, "up == 0")
    (tmp_path / "prometheus/prometheus.yml").write_text(PROMETHEUS.replace("alerts.yml", "other.yml"), encoding="utf-8")
    found = auditing.audit(tmp_path, [], scanned=False)

    assert watching.of(found.inventory, found.dependencies).alerts.services == frozenset()


LOGS = """
services:
  promtail: {image: "grafana/promtail:3.1.0", volumes: ["./promtail.yml:/etc/promtail/config.yml", "files:/logs:ro"]}
  api: {build: ., volumes: ["files:/var/log/api"]}
  worker: {build: .}
  web: {image: "nginx:1.27", logging: {driver: fluentd}}
  quiet: {image: "redis:7", logging: {driver: none}}
"""
COLLECTED = {
    "docker_sd_configs: [{host: unix:///var/run/docker.sock}]": "api promtail web worker",
    "static_configs: [{labels: {__path__: /var/lib/docker/containers/*/*.log}}]": "api promtail web worker",
    "static_configs: [{labels: {__path__: /logs/*.log}}]": "api web",
    "static_configs: [{labels: {__path__: /other/*.log}}]": "web",
}


@pytest.mark.parametrize("job", COLLECTED)
def test_logs_are_kept_of_those_whose_logs_the_shipper_reads(tmp_path: Path, job: str) -> None:
    (tmp_path / "compose.yaml").write_text(LOGS)
    (tmp_path / "promtail.yml").write_text(
        f"clients: [{{url: 'http://loki:3100'}}]\nscrape_configs:\n  - job_name: a\n    {job}\n"
    )
    found = auditing.audit(tmp_path, scanned=False).inventory

    assert names(log_collection.kept(found)) == COLLECTED[job]
    assert log_collection.is_run(found)


def test_a_store_alone_collects_nothing(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {api: {build: .}}\n")
    (tmp_path / "loki.yml").write_text("schema_config: {configs: [{object_store: filesystem}]}\n")

    assert not log_collection.kept(auditing.audit(tmp_path, scanned=False).inventory)
