"""Prometheus's configuration and rule files."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.inventory.monitoring import AlertRule, PrometheusConfig, ScrapeJob
from auditlib.model import Read
from auditlib.readers import prometheus, prometheus_rules
from auditlib.source import Source

ROOT = Path(__file__).parents[2]
DOCKPROM = ROOT.parent / "shared/corpus/dockprom"


def reading(tmp_path, files, reader=prometheus):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return reader.read(Source(tmp_path))


def of(found, kind):
    return [record for record in found.records if type(record) is kind]


def targets(found):
    return [f"{item.host}:{item.port}@{item.location.line}" for job in of(found, ScrapeJob) for item in job.targets]


CONFIG = """\
global:
  external_labels: {site: a}
rule_files:
  - rules/*.yml
scrape_config_files: [more/*.yml]
alerting:
  alertmanagers:
    - static_configs:
        - targets: [alertmanager:9093]
    - dns_sd_configs: [{names: [x]}]
remote_write: [{url: "https://x"}]
scrape_configs:
  - job_name: api
    metrics_path: /m
    scheme: https
    honor_labels: true
    static_configs:
      - targets:
          - api:8000
          - "[::1]:9100"
        labels: {env: prod}
      - targets: ['plain']
  - job_name: probe
    static_configs:
      - targets: [https://user@example.com:8443/path]
    relabel_configs:
      - {target_label: __address__, replacement: "blackbox:9115"}
  - job_name: docker
    docker_sd_configs: [{host: "unix:///x"}]
  - job_name: files
    file_sd_configs:
      - files: [targets/*.json, /etc/prometheus/targets/b.yml]
"""


def test_all_parts_of_a_configuration(tmp_path):
    found = reading(tmp_path, {
        "monitoring/prometheus.yml": CONFIG,
        "monitoring/targets/a.json": '[\n  {"targets": ["one:1"], "labels": {}}\n]\n',
        "monitoring/targets/b.yml": "- targets:\n    - two:2\n",
    })  # fmt: skip
    (config,) = of(found, PrometheusConfig)
    assert [(path.path, path.location.line) for path in config.rule_files] == [("rules/*.yml", 4)]
    assert [path.path for path in config.scrape_config_files] == ["more/*.yml"]
    assert [(item.host, item.port) for item in config.alertmanagers] == [("alertmanager", "9093")]
    assert config.alertmanager_discovery == ("dns_sd_configs",)
    assert config.remote_write
    assert config.external_labels == (("site", "a"),)
    api, probe, docker, files = of(found, ScrapeJob)
    assert (api.metrics_path, api.scheme, api.honors_labels) == ("/m", "https", True)
    assert api.labels == (("env", "prod"),)
    assert [(item.host, item.port, item.location.line) for item in api.targets] == [
        ("api", "8000", 19), ("::1", "9100", 20), ("plain", "", 22),
    ]  # fmt: skip
    assert (probe.targets[0].host, probe.targets[0].port, probe.relabels) == ("example.com", "8443", True)
    assert (probe.proxy.host, probe.proxy.port) == ("blackbox", "9115")
    assert docker.discovery == ("docker_sd_configs",)
    assert [(item.host, item.location.file, item.location.line) for item in files.targets] == [
        ("one", "monitoring/targets/a.json", 2), ("two", "monitoring/targets/b.yml", 2),
    ]  # fmt: skip
    assert [entry.status for entry in found.coverage] == [Read.PARSED]


JOBS = "scrape_configs:\n  - job_name: a\n    static_configs: [{targets: ['api:1']}]\n"
SHAPES = {
    "by any name": ({"a/b.yaml": JOBS}, ["api:1@3"]),
    "in a collector": ({"otel.yml": "receivers:\n  prometheus/x:\n    config:\n" + JOBS.replace("\n", "\n      ")
                        .replace("scrape", "      scrape", 1)}, ["api:1@6"]),
    "a template": ({"prometheus.yml.tmpl": "{{ if .x }}\n" + JOBS.replace("'api:1'", "{{ .host }}") + "{{ end }}\n"},
                   ["TEMPLATE:@4"]),
    "not Promtail": ({"promtail.yml": JOBS + "clients: [{url: 'http://loki'}]\n"}, []),
    "not something else": ({"x.yml": "a: scrape_configs\n"}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_a_configuration_is_known_by_its_shape(name, tmp_path):
    files, expected = SHAPES[name]
    assert targets(reading(tmp_path, files)) == expected


BAD = {
    "scrape_configs: [1, {job_name: [a], static_configs: {targets: 1}}]\nrule_files: {a: 1}\n": Read.PARTIAL,
    "scrape_configs: {a: 1}\n": Read.PARTIAL,
    "scrape_configs:\n  - job_name: a\n    static_configs: [{targets: {a: 1}}]\n": Read.PARTIAL,
    "scrape_configs: [\n": Read.FAILED,
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_understood_is_an_entry(text, tmp_path):
    found = reading(tmp_path, {"prometheus.yml": text})
    assert {entry.status for entry in found.coverage} == {BAD[text]}
    assert all(entry.reason for entry in found.coverage)


def test_aliases_do_not_multiply_without_bound(tmp_path):
    many = ", ".join(["*t"] * 2_000)
    jobs = ", ".join(["*s"] * 2_000)
    text = f"x: &t a:1\ny: &s {{targets: [{many}]}}\nscrape_configs:\n  - static_configs: [{jobs}]\n"
    found = reading(tmp_path, {"prometheus.yml": text})
    assert len(targets(found)) <= 100_000
    assert "more than" in found.coverage[0].reason


RULES = """\
groups:
  - name: a
    rules:
      - alert: Down
        expr: up{job="x"} == 0
        for: 5m
        labels: {severity: critical}
        annotations: {summary: "x {{ $value }}"}
      - record: job:up
        expr: |
          sum(up)
      - alert: Broken
        expr: sum((
      - alert: NoExpression
"""


@pytest.mark.parametrize("name", ["rules.yml", "alert.rules", "x/y.rule", "rules.yaml.j2"])
def test_rules_are_read_under_any_name(name, tmp_path):
    found = reading(tmp_path, {name: RULES}, prometheus_rules)
    down, recorded, broken = of(found, AlertRule)
    assert (down.kind, down.name, down.group, down.duration) == ("alert", "Down", "a", "5m")
    assert (down.labels, down.location.line, down.expression_location.line) == ((("severity", "critical"),), 4, 5)
    assert down.query.location == down.expression_location
    assert (recorded.kind, recorded.query.metrics) == ("record", ("up",))
    assert broken.query.error
    assert [(entry.status, entry.line) for entry in found.coverage] == [(Read.PARTIAL, 14), (Read.PARTIAL, 13)][::-1]


@pytest.mark.skipif(not DOCKPROM.exists(), reason="the corpus is not here")
def test_dockprom():
    source = Source(DOCKPROM)
    jobs = [job.name for job in of(prometheus.read(source), ScrapeJob) if job.file == "prometheus/prometheus.yml"]
    assert jobs == ["nodeexporter", "cadvisor", "prometheus", "pushgateway"]
    rules = of(prometheus_rules.read(source), AlertRule)
    assert len(rules) == 7
    assert not [rule for rule in rules if rule.query.error or not rule.query.metrics]


def test_the_example():
    found = prometheus.read(Source(ROOT / "data/propertypro"))
    assert "chroma:8001@25" in targets(found)


@settings(max_examples=80)
@given(text=st.text(st.sampled_from("abc:- \n[]{}\"'*&?|>#1"), max_size=80))
def test_any_text_gives_records_or_entries(text, tmp_path_factory):
    root = tmp_path_factory.mktemp("any")
    files = {"prometheus.yml": "scrape_configs:" + text, "rules.yml": "groups:" + text + "\n alert: expr:"}
    assert reading(root, files).coverage or True
    prometheus_rules.read(Source(root))
