"""Parts of the monitoring's files that single rules ask for: inhibitions, probes, foreign fields, labels, log files."""

from auditlib.inventory.alerting import InhibitRule, Route
from auditlib.inventory.configuration import UnrotatedLog
from auditlib.inventory.dashboards import Datasource
from auditlib.inventory.logs import LogHabit
from auditlib.inventory.monitoring import ProbeModule, RawPathLabel, ScrapeJob, WebLogin
from auditlib.inventory.telemetry import CollectorPart
from auditlib.readers import (
    alertmanager,
    collector_parts,
    documents,
    grafana,
    instrumentation,
    log_files,
    log_habits,
    probe_modules,
    prometheus,
    promql,
    telemetry_stages,
    web_logins,
)  # fmt: skip
from auditlib.source import Source


def records(reader, kind, tmp_path, **files):
    for name, text in files.items():
        (tmp_path / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return [item for item in reader.read(Source(tmp_path)).records if isinstance(item, kind)]


ALERTMANAGER = """\
route:
  receiver: a
  routes:
    - receiver: b
      match_re:
    - receiver: c
      matchers: []
    - receiver: d
      match: {x: y}
receivers: [{name: a}]
inhibit_rules:
  - source_matchers: ['severity="critical"']
    target_match: {severity: warning}
    equal: [alertname, job]
"""


def test_blank_matchers_and_inhibitions(tmp_path):
    routes = records(alertmanager, Route, tmp_path, alertmanager__yml=ALERTMANAGER)
    assert [route.blank for route in routes] == ["", "match_re", "", ""]  # `[]` is meant
    (rule,) = records(alertmanager, InhibitRule, tmp_path)
    assert [(item.name, item.operator, item.value) for item in (*rule.source, *rule.target)] == [
        ("severity", "=", "critical"), ("severity", "=", "warning"),
    ]  # fmt: skip
    assert (rule.equal, rule.location.line) == (("alertname", "job"), 12)


def test_modules_of_probes_and_schemes_of_targets(tmp_path):
    text = "modules:\n  web: {prober: http}\n  odd: {timeout: 5s}\n"
    (module,) = records(probe_modules, ProbeModule, tmp_path, blackbox__yml=text)
    assert (module.name, module.prober, module.location.line) == ("web", "http", 2)
    text = "scrape_configs:\n- params: {module: [web]}\n  static_configs: [{targets: ['https://a:1/b', 'c:2']}]\n"
    (job,) = records(prometheus, ScrapeJob, tmp_path, prometheus__yml=text)
    assert [item.path for item in job.modules] == ["web"]
    assert [(item.scheme, item.address) for item in job.targets] == [("https", "a:1"), ("", "c:2")]


def test_components_of_a_collector(tmp_path):
    text = "receivers: {otlp: {}}\nexporters:\n  logging/a: {}\nservice: {pipelines: {traces: {}}}\n"
    found = records(collector_parts, CollectorPart, tmp_path, otel__yml=text, other__yml="pipelines: {a: 1}\n")
    assert [(item.section, item.kind, item.location.line) for item in found] == [
        ("receivers", "otlp", 1), ("exporters", "logging", 3), ("pipelines", "traces", 4),
    ]  # fmt: skip


def test_who_asks_for_a_password_and_who_gives_one(tmp_path):
    text = "tls_server_config: {cert_file: a}\nbasic_auth_users:\n  admin: hash\n"
    (login,) = records(web_logins, WebLogin, tmp_path, web__yml=text, empty__yml="basic_auth_users: {}\n")
    assert (login.file, login.location.line) == ("web.yml", 3)
    text = "scrape_configs:\n- {job_name: a, basic_auth: {username: b}}\n- {job_name: c, tls_config: {ca_file: d}}\n"
    jobs = records(prometheus, ScrapeJob, tmp_path, prometheus__yml=text)
    assert [item.authenticates for item in jobs] == [True, False]


def test_what_grows_and_what_is_held_against_a_number():
    query = promql.parse("increase(a[5m]) > 1 or max by (x) (b{y='z'}) > 0 or count(c) > 2 or d offset 5m > 3 or e > f")
    assert (query.grown, query.exceeded) == (("a",), ("b",))


def test_fields_of_the_other_version(tmp_path):
    source = "datasources: [{name: a, type: prometheus, orgId: 2, isDefault: true, is_default: true}]\n"
    (older,) = records(grafana, Datasource, tmp_path, sources__yml=source)
    assert [name for name, _ in older.foreign_fields] == ["orgId", "isDefault"]
    (newer,) = records(grafana, Datasource, tmp_path, sources__yml=f"apiVersion: 1\n{source}")
    assert [name for name, _ in newer.foreign_fields] == ["is_default"]
    assert newer.organisation == "2"


def test_labels_with_raw_paths(tmp_path):
    code = "from prometheus_client import Counter\npath = request.url.path\nC.labels(path).inc()\n"
    (label,) = records(instrumentation, RawPathLabel, tmp_path, requirements__txt="prometheus-client\n", app__py=code)
    assert (label.source, label.location.line) == ("request.url.path", 2)
    limited = code.replace("\nC.", '\npath = "x"\nC.')
    assert not records(instrumentation, RawPathLabel, tmp_path, app__py=limited)


def test_log_files_that_grow_for_ever(tmp_path):
    code = "const winston = 1;\nnew transports.File({ filename: 'a' });\nnew transports.File({ maxsize: 1 });\n"
    appender = '<a class="ch.qos.logback.core.FileAppender"/>\n'
    found = records(log_files, UnrotatedLog, tmp_path, log__js=code, logback__xml=appender)
    assert [(item.handler, item.location.line) for item in found] == [
        ("winston.transports.File", 2), ("FileAppender", 1),
    ]  # fmt: skip


def test_metrics_that_documents_name(tmp_path):
    (tmp_path / "a.md").write_text("Ask for `node_filesystem_avail_bytes`, not node_modules_bytes_x.\n")
    (document,) = documents.read(Source(tmp_path)).records
    assert [item.text for item in document.mentions if item.kind == "metric"] == ["node_filesystem_avail_bytes"]


def test_stages_that_are_missing_or_idle(tmp_path):
    text = "receivers: {otlp: {protocols: {grpc: {endpoint: 'localhost:1'}}}, zipkin: {}}\nexporters: {debug: {}}\n"
    text += "service: {pipelines: {traces: {receivers: [otlp, odd], exporters: [debug]}}}\n"
    missing, idle, listener = records(telemetry_stages, object, tmp_path, otel__yml=text, broken__yml="sinks: [")
    assert (missing.name, missing.asked_by, missing.location.line) == ("odd", "The pipeline traces", 3)
    assert (idle.kind, idle.name) == ("receiver", "zipkin")
    assert (listener.protocol, listener.endpoint) == ("grpc", "localhost:1")


def test_how_programs_log(tmp_path):
    code = "engine = create_engine(url,\n    echo=True)\nif x:\n    e = create_engine(url, echo=True)\n"
    (habit,) = records(log_habits, LogHabit, tmp_path, app__py=code, web__ts="pino({ level: 1 })\n")
    assert (habit.kind, habit.product, habit.location.line) == ("sql", "SQLAlchemy", 2)
