"""Scanners: real ones on real files, and programs that behave as badly as programs can."""

import os
import stat
import time
from pathlib import Path

import pytest

from auditlib import scanners
from auditlib.audit import audit
from auditlib.model import Read, Severity
from auditlib.scanners import Scan, actionlint, amtool, compose_lint, detect_secrets, hadolint, promtool, zizmor
from auditlib.source import Source

COMPOSE = """\
services:
  a: {image: foo, privileged: true, volumes: ["/var/run/docker.sock:/var/run/docker.sock"]}
  b: {image: "foo:1"}
"""
WORKFLOW = """\
on: pull_request_target
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: foo/bar@main
      - run: echo ${{ github.event.pull_request.title }}
"""


def repository(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_yml", ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    return repository(root, **{"compose_yml": COMPOSE, ".github__workflows__ci_yml": WORKFLOW})


def scan(root, only, path=None, time_limit=30.0):
    with Scan(Source(root), only, path, time_limit) as running:
        return running.collect([])


def fake(folder, name, script):
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return os.pathsep.join([str(folder), "/usr/bin", "/bin"])


def test_the_real_scanners_find_what_is_there(project):
    findings, coverage = scan(project, (zizmor.SCANNER, compose_lint.SCANNER))
    found = {finding.rule: finding for finding in findings}
    assert coverage == []
    assert str(found["zizmor/template-injection"].location) == ".github/workflows/ci.yml:7"
    assert found["zizmor/dangerous-triggers"].severity is Severity.HIGH
    assert found["compose-lint/CL-0002"].service == "a"
    assert [str(item.location) for item in found["compose-lint/CL-0003"].related] == ["compose.yml:3"]
    assert {finding.source for finding in findings} == {"zizmor", "compose-lint"}


def test_the_repository_cannot_switch_the_scanners_off(project):
    before = scan(project, (zizmor.SCANNER, compose_lint.SCANNER))
    off = {"zizmor_yml": "rules:\n  template-injection: {disable: true}\n",
           ".compose-lint_yml": "rules:\n  CL-0002: {enabled: false, reason: hidden}\n"}  # fmt: skip
    repository(project, **off)
    assert scan(project, (zizmor.SCANNER, compose_lint.SCANNER)) == before


def test_one_broken_file_does_not_cost_the_others(project):
    repository(project, **{"x__compose_yml": "services: [", ".github__workflows__bad_yml": "jobs: ["})
    findings, coverage = scan(project, (zizmor.SCANNER, compose_lint.SCANNER))
    assert coverage == []
    assert {"zizmor/template-injection", "compose-lint/CL-0002"} <= {finding.rule for finding in findings}


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 70", "ended with status 70"),
        ("kill -SEGV $$", "ended with status"),
        ("echo nonsense", "could not be understood"),
        ("echo '[{\"ident\": 1}]'", "could not be understood"),
        ("sleep 100", "did not end in time"),
    ],
)
def test_a_scanner_that_fails_is_a_coverage_entry(project, tmp_path, script, reason):
    started = time.monotonic()
    findings, coverage = scan(project, (zizmor.SCANNER,), fake(tmp_path / "bin", "zizmor", script), time_limit=1)
    assert findings == []
    assert [(entry.kind, entry.status) for entry in coverage] == [("scanner zizmor", Read.FAILED)]
    assert reason in coverage[0].reason
    assert scanners.failures(coverage) == coverage
    assert time.monotonic() - started < 10


def test_a_scanner_that_is_missing_is_a_coverage_entry_and_no_failure(project):
    findings, coverage = scan(project, (zizmor.SCANNER,), path="/nowhere")
    assert (findings, coverage[0].status, scanners.failures(coverage)) == ([], Read.SKIPPED, [])


def test_no_token_reaches_a_scanner(project, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "canary-token")
    path = fake(tmp_path / "bin", "zizmor", f"env > {tmp_path}/seen; echo '[]'")
    scan(project, (zizmor.SCANNER,), path)
    assert "canary-token" not in (tmp_path / "seen").read_text()


# What these programs print is written after their documentation; they themselves are not part of the test environment.
RECORDED = [
    (hadolint.SCANNER, "Dockerfile", "FROM debian\n",
     '[{"code":"DL3006","column":1,"file":"Dockerfile","level":"warning","line":1,"message":"Always tag the version"}]',
     "hadolint/DL3006", 1),
    (actionlint.SCANNER, ".github/workflows/ci.yml", WORKFLOW,
     '[{"message":"no job b","filepath":".github/workflows/ci.yml","line":3,"column":3,"kind":"job-needs"}]',
     "actionlint/job-needs", 3),
    (promtool.SCANNER, "rules.yml", "groups:\n- name: x\n  rules:\n  - alert: A\n    expr: up ==\n",
     "Checking rules.yml\n  FAILED:\nrules.yml: 4:5: group \"x\", rule 1, \"A\": could not parse expression",
     "promtool/invalid-rules", 4),
    (amtool.SCANNER, "alerts.yml", "route: {receiver: a}\nreceivers: []\n",
     "Checking 'alerts.yml'  FAILED: yaml: unmarshal errors:\n  line 2: undefined receiver a",
     "amtool/invalid-configuration", 2),
    (detect_secrets.SCANNER, "a.yml", "key: x\n",
     '{"results": {"a.yml": [{"type": "AWS Access Key", "line_number": 1},'
     ' {"type": "Secret Keyword", "line_number": 1}]}}',
     "detect-secrets/aws-access-key", 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("scanner", "file", "text", "output", "rule", "line"), RECORDED, ids=lambda v: getattr(v, "name", None)
)
def test_an_optional_scanner_is_understood(tmp_path, scanner, file, text, output, rule, line):
    root = tmp_path / "project"
    (root / file).parent.mkdir(parents=True)
    (root / file).write_text(text, encoding="utf-8")
    (tmp_path / "answer").write_text(output, encoding="utf-8")
    path = fake(tmp_path / "bin", scanner.name, f"cat {tmp_path}/answer")
    findings, coverage = scan(root, (scanner,), path)
    assert coverage == []
    assert [(finding.rule, finding.location.line) for finding in findings] == [(rule, line)]


def test_what_a_rule_and_a_scanner_both_say_is_one_finding():
    result = audit(Path(__file__).parents[2] / "data/propertypro")
    shared = [finding for finding in result.findings if finding.source == "auditlib, compose-lint"]
    assert {finding.rule for finding in shared} >= {"credential-default"}
    assert not any(finding.rule in ("compose-lint/CL-0020",) for finding in result.findings)


def test_the_healthy_example_satisfies_the_scanners_too():
    result = audit(Path(__file__).parents[2] / "data/healthy")
    assert [finding for finding in result.findings if finding.severity > Severity.INFO] == []
