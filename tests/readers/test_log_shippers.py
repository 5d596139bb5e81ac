"""Log shippers of every kind: where they read from and where they send to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.inventory.logs import LogShipper, LokiSettings
from auditlib.model import Read
from auditlib.readers import log_pipelines, log_shippers
from auditlib.source import Source

CASES = {
    "loki": ("loki.yml", "schema_config:\n  configs:\n    - object_store: s3\n", [], ["s3"]),
    "promtail": (
        "promtail.yml",
        "clients:\n  - url: http://u:pa55word1@loki:3100/push\nscrape_configs:\n  - job_name: a\n    static_configs:\n"
        "      - labels: {__path__: /var/log/*.log}\n  - docker_sd_configs: []\n",
        [("/var/log/*.log", 6), ("docker_sd_configs", 7)],
        ["http://u:‹secret, 9 characters, #"],
    ),
    "fluent-bit": (
        "fluent-bit.yaml",
        "pipeline:\n  inputs:\n    - name: tail\n      path: /l/*.log\n  outputs:\n    - {name: loki, host: loki}\n",
        [("/l/*.log", 4)],
        ["loki loki"],
    ),
    "fluent-bit ": (
        "fluent-bit.conf",
        "[SERVICE]\n  Flush 1\n[INPUT]\n  Name tail\n  Path /l/*.log\n[OUTPUT]\n  Name loki\n  Host loki\n",
        [("/l/*.log", 5)],
        ["loki", "loki"],
    ),
    "fluentd": (
        "fluent.conf",
        "<source>\n  @type tail\n  path /l/a.log\n</source>\n<match **>\n  @type elasticsearch\n  host es\n</match>\n",
        [("/l/a.log", 3)],
        ["elasticsearch", "es"],
    ),
    "logstash": (
        "pipeline.conf",
        'input {\n  file {\n    path => "/l/a.log"\n  }\n}\n'
        'output {\n  elasticsearch {\n    hosts => ["http://es:9200"]\n  }\n}\n',
        [("/l/a.log", 3)],
        ["elasticsearch", "http://es:9200"],
    ),
    "logstash ": (
        "one-line.conf",
        'input { beats { port => 5044 } file { path => "/l/%{+YYYY}.log" } }\nfilter { grok { match => "a" } }\n'
        'output { if [a] { elasticsearch { hosts => ["es:9200"] } } s3 { codec => rubydebug { a => 1 } } }\n',
        [("beats", 1), ("/l/%{+YYYY}.log", 1)],
        ["elasticsearch", "es:9200", "s3"],
    ),
    "alloy": (
        "config.alloy",
        'local.file_match "a" {\n  path_targets = [{"__path__" = "/l/*.log"}]\n}\nloki.write "b" {\n  endpoint {\n'
        '    url = "http://loki:3100/push"\n  }\n}\n',
        [("/l/*.log", 2)],
        ["http://loki:3100/push"],
    ),
    "vector": (
        "vector.yaml",
        "sources:\n  a: {type: file, include: [/l/*.log]}\n  b: {type: docker_logs}\nsinks:\n"
        "  c: {type: loki, endpoint: 'http://loki'}\n",
        [("/l/*.log", 2), ("docker_logs", 3)],
        ["http://loki"],
    ),
    "vector ": (
        "vector.toml",
        '[sources.a]\ntype = "file"\ninclude = ["/l/*.log"]\n[sinks.c]\ntype = "loki"\nendpoint = "http://loki"\n',
        [("/l/*.log", 3)],
        ["http://loki"],
    ),
    "filebeat": (
        "filebeat.yml",
        "filebeat.inputs:\n  - type: log\n    paths: [/l/*.log]\noutput.elasticsearch:\n  hosts: [es:9200]\n",
        [("/l/*.log", 3)],
        ["elasticsearch es:9200"],
    ),
    "otel-collector": (
        "otel.yaml",
        "receivers:\n  filelog: {include: [/l/*.log]}\nexporters:\n  loki: {endpoint: http://loki}\n  debug: {}\n"
        "service: {pipelines: {logs: {exporters: [loki]}}}\n",
        [("/l/*.log", 2)],
        ["http://loki"],
    ),
}


def read(root):
    source = Source(root)
    found, other = log_shippers.read(source), log_pipelines.read(source)
    return found.records + other.records, found.coverage + other.coverage


@pytest.mark.parametrize("kind", CASES)
def test_sources_and_sinks(kind, tmp_path):
    name, text, sources, sinks = CASES[kind]
    (tmp_path / name).write_text(text, encoding="utf-8")
    records, (entry,) = read(tmp_path)
    (record,) = (item for item in records if isinstance(item, LogShipper))
    assert (record.kind, record.file, entry.status) == (kind.strip(), name, Read.PARSED)
    assert [(item.path, item.location.line) for item in record.sources] == sources
    assert len(record.sinks) == len(set(sinks))
    assert all(shown.startswith(sink) for shown, sink in zip(record.sinks, dict.fromkeys(sinks), strict=True))


def test_settings_of_loki_and_promtail(tmp_path):
    (tmp_path / "loki.yml").write_text(
        "schema_config: {configs: [{object_store: filesystem}]}\nlimits_config: {retention_period: 7d}\n"
    )
    (tmp_path / "promtail.yml").write_text(
        "positions: {filename: /tmp/p.yaml}\nclients: [{url: 'http://loki:3100', tenant_id: a}]\nscrape_configs: [{}]\n"
    )
    records, _ = read(tmp_path)
    (settings,) = (item for item in records if isinstance(item, LokiSettings))
    assert settings.asks_for_tenant
    assert (settings.in_files, settings.has_schema, settings.deletes) == (True, True, False)
    assert settings.period.path == "7d"
    (promtail,) = (item for item in records if getattr(item, "kind", "") == "promtail")
    assert promtail.positions.path.endswith("p.yaml")
    assert promtail.names_tenant


OTHERS = {
    "traces.yaml": "receivers: {otlp: {}}\nexporters: {x: {}}\nservice: {pipelines: {traces: {exporters: [x]}}}\n",
    "dbt.yml": "sources:\n  - name: a\nsinks: []\n",
    "nginx.conf": "server { listen 80; }\n",
    "x.yml": "pipeline: build\n",
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_programs_have_these_words_too(name, tmp_path):
    (tmp_path / name).write_text(OTHERS[name], encoding="utf-8")
    assert read(tmp_path) == ([], [])


@pytest.mark.parametrize(("name", "text"), [("vector.toml", "[sinks.\n"), ("loki.yml", "schema_config: [\n")])
def test_what_is_broken_is_an_entry(name, text, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    records, (entry,) = read(tmp_path)
    assert (records, entry.status) == ([], Read.FAILED)


@settings(max_examples=50)
@given(text=st.text(st.sampled_from("ab:- \n[]{}\"'*&<>/=1"), max_size=60))
def test_any_text_gives_records_or_entries(text, tmp_path_factory):
    root = tmp_path_factory.mktemp("any")
    for name, start in {"a.yml": "sinks:", "b.yml": "filebeat", "c.conf": "[INPUT]\n", "d.conf": "<source>\n"}.items():
        (root / name).write_text(start + text, encoding="utf-8")
    read(root)
