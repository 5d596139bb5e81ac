"""Grafana: provisioning, and dashboards with the place of each query."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.inventory.dashboards import DashboardProvider, Datasource
from auditlib.model import Read
from auditlib.readers import dashboards, grafana
from auditlib.readers.json_positions import Document, objects
from auditlib.source import Source

ROOT = Path(__file__).parents[2]
DOCKPROM = ROOT.parent / "shared/corpus/dockprom"


def write(root, name, text):
    (root / name).write_text(text, encoding="utf-8")
    return Source(root)


def test_provisioning(tmp_path):
    text = """\
apiVersion: 1
datasources:
  - name: P
    type: prometheus
    uid: p1
    url: http://user:h4nter2x@prometheus:9090
    isDefault: true
providers:
  - name: D
    options: {path: /var/lib/grafana/dashboards}
"""
    source, provider = grafana.read(write(tmp_path, "a.yml", text)).records
    assert isinstance(source, Datasource)
    assert isinstance(provider, DashboardProvider)
    assert (source.name, source.type, source.uid) == ("P", "prometheus", "p1")
    assert (source.default, source.location.line) == (True, 3)
    assert "h4nter2x" not in source.url
    assert source.url.endswith("@prometheus:9090")
    assert (provider.path, provider.location.line) == ("/var/lib/grafana/dashboards", 9)


@pytest.mark.parametrize("text", ["providers: {docker: {}}\n", "datasources: [a]\n", "providers: [{name: x}]\n"])
def test_other_programs_have_these_words_too(text, tmp_path):
    assert not grafana.read(write(tmp_path, "a.yml", text)).coverage


def test_alerting_is_named_as_not_read(tmp_path):
    (entry,) = grafana.read(write(tmp_path, "a.yml", "policies:\n  - receiver: x\n")).coverage
    assert entry.status is Read.PARTIAL


DASHBOARD = """\
{
  "title": "T", "uid": "u", "schemaVersion": 39,
  "__inputs": [{"name": "DS", "type": "datasource", "pluginId": "prometheus"}],
  "templating": {"list": [
    {"name": "job", "type": "query", "datasource": {"type": "prometheus", "uid": "p"},
     "query": "label_values(up{a=\\"b\\"}, job)"},
    {"name": "ds", "type": "datasource", "query": "prometheus"}
  ]},
  "panels": [
    {"type": "row", "title": "R", "panels": [
      {"title": "nested", "type": "graph", "datasource": "${DS}",
       "targets": [{"legendFormat": "\\"expr\\": 1", "expr": "rate(a_total[$__interval])"}]}
    ]},
    {"title": "mixed", "type": "graph", "datasource": {"type": "datasource", "uid": "-- Mixed --"},
     "targets": [
      {"datasource": {"type": "prometheus", "uid": "p"},
       "expr": "b"},
      {"datasource": {"type": "loki", "uid": "l"},
       "expr": "{app=\\"x\\"} |= \\"error\\""}
    ]},
    {"title": "text", "type": "text"}
  ],
  "rows": [{"panels": [{"title": "legacy", "datasource": null, "targets": [{"expr": "sum(("}]}]}]
}
"""


def test_panels_queries_and_places(tmp_path):
    found = dashboards.read(write(tmp_path, "d.json", DASHBOARD))
    (dashboard,) = found.records
    shown = [
        (panel.title, panel.datasource, panel.datasource_type, panel.location.line,
         [(query.metrics, query.location.line) for query in panel.queries])
        for panel in dashboard.panels
    ]  # fmt: skip
    assert shown == [
        ("nested", "${DS}", "", 11, [(("a_total",), 12)]),
        ("mixed", "p", "prometheus", 14, [(("b",), 17)]),
        ("mixed", "l", "loki", 14, [((), 19)]),
        ("text", "", "", 21, []),
        ("legacy", "", "", 23, [((), 23)]),
    ]
    assert [(item.name, item.kind, item.datasource_type) for item in dashboard.variables] == [
        ("job", "query", "prometheus"), ("ds", "datasource", "prometheus"), ("DS", "input", "prometheus"),
    ]  # fmt: skip
    assert dashboard.variables[0].query.metrics == ("up",)
    assert [(entry.status, entry.line) for entry in found.coverage] == [(Read.PARTIAL, 23)]
    assert found.coverage[0].reason.startswith("1 query could not be parsed: ")


def test_a_dashboard_as_the_api_gives_it(tmp_path):
    text = json.dumps({"meta": {}, "dashboard": {"title": "x", "schemaVersion": 1, "panels": []}})
    assert dashboards.read(write(tmp_path, "d.json", text)).records[0].title == "x"


BAD = {
    '{"panels":' + "[" * 20_000: Read.FAILED,
    '{"panels": [1, {"targets": [2, {"expr": 3}]}], "schemaVersion": 1}': Read.PARSED,
    '{"panels": {"a": 1}, "schemaVersion": 1}': Read.FAILED,
    '["panels", "schemaVersion"]': None,
    '{"panels": [], "schemaVersion": 1': Read.FAILED,
    '{"panels": "not a dashboard"}': None,
}


@pytest.mark.parametrize("text", BAD, ids=[text[:30] for text in BAD])
def test_dashboards_of_the_wrong_shape(text, tmp_path):
    found = dashboards.read(write(tmp_path, "d.json", text))
    statuses = {entry.status for entry in found.coverage}
    assert statuses <= {BAD[text], Read.FAILED}
    assert BAD[text] is None or BAD[text] in statuses


@pytest.mark.skipif(not DOCKPROM.exists(), reason="the corpus is not here")
def test_every_expression_of_dockprom_stands_where_it_is_said_to(tmp_path):
    source = Source(DOCKPROM)
    found = dashboards.read(source)
    assert [len(record.panels) for record in found.records] == [14, 15, 4]
    for record in found.records:
        lines = source.lines(record.file)
        for query in (query for panel in record.panels for query in panel.queries):
            assert not query.error
            assert json.dumps(query.expression)[1:-1] in lines[query.location.line - 1]


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=120)
@given(value=values, indent=st.sampled_from([None, 1]))
def test_every_object_knows_where_it_begins_and_ends(value, indent, tmp_path_factory):
    text = json.dumps([value], indent=indent)
    root = tmp_path_factory.mktemp("any")
    document = Document(write(root, "a.json", text), "a.json")
    assert document.value == [value]
    for item in objects(document.value):
        assert json.loads(text[item.start : item.end]) == item
        assert document.location(item).line == text.count("\n", 0, item.start) + 1
