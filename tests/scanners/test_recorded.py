"""The scanners that are used where they are installed, by what the real programs printed.

Recorded with hadolint 2.15.1, promtool 2.42.0, amtool 0.25.0 and detect-secrets 1.5.0 on the files below; the lists of
plugins and filters are taken out of the last one's answer. actionlint's answer is that of an old build of its linter,
of before GitHub had `vars`, in the form that its documentation gives.
"""

import json
import stat
from pathlib import Path

import pytest

from auditlib import readers
from auditlib.model import Severity
from auditlib.scanners import Scan, actionlint, amtool, compose_lint, detect_secrets, hadolint, promtool
from auditlib.source import Source

RULES = "groups:\n- name: x\n  rules:\n  - alert: A\n    expr: up == 0\n"
ROUTES = "route:\n  receiver: a\nreceivers:\n- name: a\n"
WORKFLOW = ".github/workflows/ci.yml"
CASES = [
    (hadolint.SCANNER, {"Dockerfile": "FROM debian\n", "Dockerfile.bad": "RUNN x\n"}, [
        "hadolint/DL1000 Dockerfile.bad:2 medium", "hadolint/DL3000 Dockerfile:3 low",
        "hadolint/DL3003 Dockerfile:4 low", "hadolint/DL3006 Dockerfile:1 low", "hadolint/DL3008 Dockerfile:2 low",
        "hadolint/DL3014 Dockerfile:2 low", "hadolint/DL3025 Dockerfile:5 low", "hadolint/DL4006 Dockerfile:4 low",
    ]),
    (promtool.SCANNER, dict.fromkeys(("rules.yml", "rules2.yml", "dup.yml", "good.yml"), RULES), [
        "promtool/invalid-rules rules.yml:1 high",
        "promtool/invalid-rules rules2.yml:1 high", "promtool/invalid-rules rules2.yml:4 high",
    ]),
    (amtool.SCANNER, dict.fromkeys(("am1.yml", "am2.yml", "am3.yml"), ROUTES), [
        "amtool/invalid-configuration am1.yml:2 high", "amtool/invalid-configuration am2.yml:1 high",
    ]),
    (detect_secrets.SCANNER, {"s.py": "x = 1\n", "s.yml": "x: 1\n"}, [
        "detect-secrets/aws-access-key s.py:1 high", "detect-secrets/github-token s.py:2 high",
        "detect-secrets/private-key s.yml:3 high", "detect-secrets/slack-token s.py:3 high",
    ]),
    (actionlint.SCANNER, {WORKFLOW: "on: push\n"}, [
        f"actionlint/expression {WORKFLOW}:8 medium", f"actionlint/job-needs {WORKFLOW}:9 medium",
        f"actionlint/runner-label {WORKFLOW}:4 medium", f"actionlint/untrusted-input {WORKFLOW}:7 medium",
    ]),
]  # fmt: skip


def scan(root, scanner, script):
    """What the scanner reports if its program is this script."""
    program = root.parent / "bin" / scanner.name
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    source = Source(root)
    with Scan(source, (scanner,), f"{program.parent}:/usr/bin:/bin") as running:
        return running.collect([], readers.read(source))


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(("scanner", "files", "expected"), CASES, ids=[case[0].name for case in CASES])
def test_what_the_program_prints_is_understood(tmp_path, scanner, files, expected):
    (recorded,) = Path(__file__).with_name("recorded").glob(f"{scanner.name}.*")
    findings, coverage = scan(write(tmp_path / "project", files), scanner, f"cat {recorded}")
    places = [
        f"{finding.rule} {place} {finding.severity}"
        for finding in findings
        for place in (finding.location, *(related.location for related in finding.related))
    ]
    assert coverage == []
    assert sorted(places) == expected
    assert all(finding.severity < Severity.CRITICAL for finding in findings)


@pytest.mark.parametrize(("scanner", "files"), [case[:2] for case in CASES], ids=[case[0].name for case in CASES])
def test_a_title_names_the_fault_and_an_advice_says_what_to_do(tmp_path, scanner, files):
    (recorded,) = Path(__file__).with_name("recorded").glob(f"{scanner.name}.*")
    findings, _ = scan(write(tmp_path / "project", files), scanner, f"cat {recorded}")

    assert not [item.title for item in findings if item.title.startswith(scanner.name) or item.title.endswith(")")]
    assert not [item.title for item in findings if item.recommendation.startswith(item.message)]


def test_what_an_old_actionlint_does_not_know_yet_is_less_sure(tmp_path):
    root = write(tmp_path / "project", {WORKFLOW: "on: push\n"})
    findings, _ = scan(root, actionlint.SCANNER, f"cat {Path(__file__).with_name('recorded') / 'actionlint.json'}")

    assert {item.rule.partition("/")[2]: str(item.confidence) for item in findings} == {
        "expression": "medium", "runner-label": "medium", "job-needs": "high", "untrusted-input": "high",
    }  # fmt: skip


def test_the_shell_form_of_a_health_check_is_no_fault(tmp_path):
    items = [
        {"code": "DL3025", "level": "warning", "file": "Dockerfile", "line": line, "column": 1, "message": "Use JSON"}
        for line in (2, 3)
    ]
    root = write(tmp_path / "project", {"Dockerfile": "FROM debian:12\nHEALTHCHECK CMD true\nCMD app\n"})
    findings, _ = scan(root, hadolint.SCANNER, f"echo '{json.dumps(items)}'")

    assert [(item.rule, item.location.line, len(item.related)) for item in findings] == [("hadolint/DL3025", 3, 0)]


LOCATED = [
    (promtool.SCANNER, "rules.yml", f"{RULES}    for: 5x\n", "Checking rules.yml\n  FAILED:\nrules.yml: {}",
     'not a valid duration string: "5x"', 4),
    (promtool.SCANNER, "rules.yml", RULES, "Checking rules.yml\n  FAILED:\nrules.yml: {}",
     'group "x", rule 1, "A": label "severity": template: undefined variable', 4),
    (amtool.SCANNER, "am.yml", ROUTES.replace("name: a", "name: b"), "Checking 'am.yml'  FAILED: {}",
     'undefined receiver "a" used in route', 2),
    (amtool.SCANNER, "am.yml", ROUTES.replace("receiver: a", "receiver: a\n  group_wait: soon"),
     "Checking 'am.yml'  FAILED: {}", 'not a valid duration string: "soon"', 3),
    (amtool.SCANNER, "am.yml", f"{ROUTES}  webhook_configs:\n  - url: htp://a\n", "Checking 'am.yml'  FAILED: {}",
     'unsupported scheme "htp" for URL', 6),
    (amtool.SCANNER, "am.yml", ROUTES, "Checking 'am.yml'  FAILED: {}", "missing host for URL", 1),
]  # fmt: skip


@pytest.mark.parametrize(("scanner", "file", "text", "output", "problem", "line"), LOCATED)
def test_a_problem_without_a_line_stands_at_what_it_quotes(tmp_path, scanner, file, text, output, problem, line):
    printed = output.format(problem).replace("'", "'\\''")
    findings, _ = scan(write(tmp_path / "project", {file: text}), scanner, f"echo '{printed}'")

    assert [(item.message, item.location.line) for item in findings] == [(problem, line)]


TEMPLATES = [
    "templates: [/etc/passwd]\n",
    "templates:\n- /etc/passwd\n\n- '../*.tmpl'\n",
    "templates: [\n  /etc/passwd\n]\n",
]


@pytest.mark.parametrize("templates", TEMPLATES)
def test_amtool_is_not_told_of_templates(tmp_path, templates):
    text = f"global: {{}}\n{templates}{ROUTES}"
    root = write(tmp_path / "project", {"am.yml": text})
    findings, coverage = scan(
        root, amtool.SCANNER, f"cat am.yml > {tmp_path}/seen; echo \"Checking 'am.yml'  SUCCESS\""
    )
    assert (findings, coverage) == ([], [])
    seen = (tmp_path / "seen").read_text(encoding="utf-8")
    assert "passwd" not in seen
    assert seen.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "hidden", ['"templates": [/etc/passwd]\n', '"\\x74emplates": [/etc/passwd]\n', "<<: {templates: [/etc/passwd]}\n"]
)
def test_a_configuration_that_hides_its_templates_is_not_given_to_amtool(tmp_path, hidden):
    root = write(tmp_path / "project", {"am.yml": ROUTES + hidden})
    assert amtool.SCANNER.wanted(Source(root)) == []


@pytest.mark.parametrize("scanner", [compose_lint.SCANNER, hadolint.SCANNER], ids=lambda scanner: scanner.name)
def test_retired_files_are_not_scanned(tmp_path, scanner):
    root = write(tmp_path / "project", {"_archived/compose.yaml": "services: {}\n", "_archived/Dockerfile": "FROM a\n"})
    assert scanner.wanted(Source(root)) == []
