"""A key that stands twice in one mapping is said with its line, in every format that has mappings."""

import importlib

import pytest

from auditlib.model import Read
from auditlib.source import Source

WORKFLOW = """\
on: push
jobs:
  a:
    runs-on: x
    runs-on: y
    steps: [{run: pytest}]
"""
DASHBOARD = """\
{"title": "a", "schemaVersion": 30,
 "panels": [{"title": "title", "targets": [{"expr": "up", "refId": "A"}],
   "title": "b"}]}
"""
ALERTING = "route: {receiver: a}\nreceivers: [{name: a}]\nreceivers: []\n"
PACKAGE = '{"name": "a",\n "scripts": {"name": "b",\n  "t": "x", "t": "y"},\n "name": "c"}'
REPEATED = [
    ("prometheus", "prometheus.yml", "global: {}\nglobal: {}\nscrape_configs: [{job_name: a}]\n", [("global", 2)]),
    ("prometheus", "p.yml", "scrape_configs:\n- job_name: a\n  job_name: b\n", [("job_name", 3)]),
    ("prometheus_rules", "r.yml", "groups:\n- name: a\n  rules: [{alert: A, expr: a, expr: b}]\n", [("expr", 3)]),
    ("alertmanager", "alertmanager.yml", ALERTING, [("receivers", 3)]),
    ("grafana", "d.yml", "apiVersion: 1\ndatasources:\n- {name: a,\n   type: b, type: c}\n", [("type", 4)]),
    ("workflows", ".github/workflows/a.yml", WORKFLOW, [("runs-on", 5)]),
    ("dashboards", "d.json", DASHBOARD, [("title", 3)]),
    ("npm", "package.json", PACKAGE, [("t", 3), ("name", 4)]),
]  # fmt: skip
ONCE = [
    ("npm", "package.json", '{"name": "a", "scripts": {"name": "b", "t": "\\"t\\": "}}'),
    ("prometheus", "p.yml", "scrape_configs:\n- job_name: a\n- job_name: b\n"),
    ("workflows", ".github/workflows/a.yml", "on: push\nx: &a {k: 1}\njobs: {a: {<<: *a, <<: *a, k: 2, runs-on: x}}\n"),
]


def partly_read(reader, file, text, folder):
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    found = importlib.import_module(f"auditlib.readers.{reader}").read(Source(folder))
    return [(item.file, item.reason, item.line) for item in found.coverage if item.status is Read.PARTIAL]


@pytest.mark.parametrize(("reader", "file", "text", "keys"), REPEATED)
def test_a_repeated_key_makes_the_file_a_partly_read_one(reader, file, text, keys, tmp_path):
    expected = [(file, f"key {key} stands twice (line {line})", line) for key, line in keys]
    assert partly_read(reader, file, text, tmp_path) == expected


@pytest.mark.parametrize(("reader", "file", "text"), ONCE)
def test_the_same_key_in_different_mappings_is_none(reader, file, text, tmp_path):
    assert partly_read(reader, file, text, tmp_path) == []


def test_few_of_many_repeated_keys_are_named(tmp_path):
    text = "global: {}\n" * 1_000 + "scrape_configs: []\n"
    assert len(partly_read("prometheus", "prometheus.yml", text, tmp_path)) == 20
