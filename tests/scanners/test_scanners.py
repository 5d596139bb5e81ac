"""Scanners: real ones on real files, and programs that behave as badly as programs can."""

import json
import os
import stat
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from auditlib import scanners
from auditlib.audit import audit
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Location, Read, Severity
from auditlib.redaction import Vault
from auditlib.scanners import Scan, actionlint, compose_lint, zizmor
from auditlib.scanners._merging import merge
from auditlib.source import Source

NOTHING = Inventory.of([], name="", root="", commit="", files=())
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
        return running.collect([], NOTHING)


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


OUTSIDE = """\
services:
  a: {{image: "a:1", extends: {{file: "{0}/outside.yml", service: canary}}}}
  b: {{image: "b:1", extends: {{file: ../../../outside.yml, service: canary}}}}
  c: {{image: "c:1", extends: {{file: linked.yml, service: canary}}}}
"""


def test_compose_lint_reads_nothing_outside_of_its_copies(tmp_path, monkeypatch):
    """Not even where the folder for temporary files is part of a checkout, which it takes for the project's own."""
    (tmp_path / ".git").mkdir()
    text = "services: {canary: {image: canary, security_opt: ['no-new-privileges:true']}}\n"
    (tmp_path / "outside.yml").write_text(text, encoding="utf-8")
    root = repository(tmp_path / "project", compose_yml=OUTSIDE.format(tmp_path))
    (root / "linked.yml").symlink_to(tmp_path / "outside.yml")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    findings, coverage = scan(root, (compose_lint.SCANNER,))
    found = next(finding for finding in findings if finding.rule == "compose-lint/CL-0003")
    assert coverage == []
    assert [str(place.location) for place in (found, *found.related)] == [f"compose.yml:{line}" for line in (2, 3, 4)]


def test_what_a_rule_and_a_scanner_both_say_is_one_finding():
    result = audit(Path(__file__).parents[2] / "data/propertypro")
    shared = [finding for finding in result.findings if finding.source == "auditlib, compose-lint"]
    assert {finding.rule for finding in shared} >= {"credential-default"}
    assert not any(finding.rule in ("compose-lint/CL-0020",) for finding in result.findings)


def test_what_two_scanners_say_of_a_line_is_one_finding(project, tmp_path):
    untrusted = {
        "message": '"github.event.pull_request.title" is potentially untrusted. avoid using it directly',
        "filepath": ".github/workflows/ci.yml", "line": 7, "column": 24, "kind": "expression",
    }  # fmt: skip
    elsewhere = {**untrusted, "line": 6, "message": "property access of object must be type of string"}
    path = fake(tmp_path / "bin", "actionlint", f"cat <<'END'\n{json.dumps([untrusted, elsewhere])}\nEND")
    path = os.pathsep.join([path, os.path.dirname(sys.executable)])
    findings, _ = scan(project, (zizmor.SCANNER, actionlint.SCANNER), path)
    sources = {finding.rule: finding.source for finding in findings}
    assert sources["zizmor/template-injection"] == "zizmor, actionlint"
    assert sources["actionlint/expression"] == "actionlint"
    assert "actionlint/untrusted-input" not in sources


def test_what_the_scanners_print_here_is_documented(project):
    findings, _ = scan(project, [zizmor.SCANNER, compose_lint.SCANNER])
    undocumented = {item.rule for item in findings if scanners.documentation(item.rule) is None}

    assert findings
    assert not undocumented


def test_what_a_scanner_quotes_of_a_file_is_cut():
    issue = scanners.Issue(
        "x", "A title", "a " * 20_000, Severity.LOW, Confidence.LOW, Area.CICD, Location("a"), "b" * 20_000
    )
    (found,) = merge([], [("zizmor", issue)], Vault())
    assert len(found.message) < 1_100
    assert len(found.recommendation) < 1_100


def test_no_advice_looks_like_a_secret():
    result = audit(Path(__file__).parents[2] / "data/propertypro")
    kept = next(finding for finding in result.findings if finding.rule == "zizmor/artipacked")

    assert not any("‹secret" in text for text in (kept.message, *(place.message for place in kept.related)))


def test_the_healthy_example_satisfies_the_scanners_too():
    result = audit(Path(__file__).parents[2] / "data/healthy")
    assert [finding for finding in result.findings if finding.severity > Severity.INFO] == []


def test_a_folder_without_a_workflow_that_zizmor_can_read_is_no_failure(tmp_path):
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/ci.yml").write_text("hello\n", encoding="utf-8")
    assert not scanners.failures(audit(tmp_path).coverage)


@pytest.mark.parametrize(
    ("fix", "words", "example"),
    [
        ("Add to your service:\n  security_opt:\n    - no-new-privileges:true\nBlocks privilege gain.",
         "Add to your service: `security_opt`.", "a:\n  security_opt:\n    - no-new-privileges:true"),
        ("Drop all:\n  cap_drop:\n    - ALL\n  cap_add:\n    - <CAP>", "Drop all: `cap_drop`, `cap_add`.",
         "a:\n  cap_drop:\n    - ALL\n  cap_add:\n    - <CAP>"),
        ("Bind to localhost: 127.0.0.1:80:80\nUse a proxy.", "Bind to localhost: 127.0.0.1:80:80", ""),
    ],
)  # fmt: skip
def test_lines_of_yaml_in_an_advice_stay_lines(fix, words, example):
    item = {"rule_id": "CL-0002", "severity": "medium", "message": "m", "file": "compose.yaml", "line": 1, "fix": fix,
            "references": [], "service": "a", "suppressed": False}  # fmt: skip
    output = json.dumps({"tool": {"name": "compose-lint"}, "findings": [item]})
    (issue,) = compose_lint.SCANNER.parse(output)

    assert (issue.recommendation, issue.example) == (words, example)


@pytest.mark.parametrize(
    ("rule", "fix", "change"),
    [
        ("CL-0005", "Bind to localhost: 127.0.0.1:8000:8000\nIf others need it, use a proxy.",
         ("8000:8000", "127.0.0.1:8000:8000")),
        ("CL-0005", "Bind to localhost: 127.0.0.1:443:443\nIf others need it, use a proxy.", ("", "")),
        ("CL-0010", "Remove 'ipc: host' to restore namespace isolation.", ("ipc: host", "")),
        ("CL-0002", "Remove 'privileged: true' and grant only what is needed:\n  cap_drop:\n    - ALL", ("", "")),
    ],
)  # fmt: skip
def test_an_advice_becomes_an_edit_where_it_can_be_no_other(rule, fix, change):
    item = {"rule_id": rule, "severity": "medium", "file": "compose.yaml", "line": 3, "message": "m", "fix": fix,
            "references": [], "service": "a", "suppressed": False}  # fmt: skip
    output = json.dumps({"tool": {"name": "compose-lint"}, "findings": [item]})
    (issue,) = compose_lint.SCANNER.parse(output)

    assert issue.change == change


def lint(*found):
    """What compose-lint's findings, each a rule, a service, a message and a fix, come to."""
    usual = {"severity": "medium", "file": "compose.yaml", "line": 3, "references": [], "suppressed": False}
    items = [
        {**usual, "rule_id": rule, "service": name, "message": text, "fix": fix} for rule, name, text, fix in found
    ]
    output = json.dumps({"tool": {"name": "compose-lint"}, "findings": items})
    return list(compose_lint.SCANNER.parse(output))


HOST_NETWORK = """without network_mode; services of the same network ask it as {}, and only others need
  ports:
    - """
ADAPTED = {
    "the port of a well-known exporter": (
        "redis-exporter:\n    image: oliver006/redis_exporter:v1.62.0\n    network_mode: host",
        HOST_NETWORK.format("redis-exporter") + '"<the address that Prometheus scrapes>:9121:9121"',
    ),
    "ports that the service exposes": (
        "api:\n    image: acme/api:1\n    network_mode: host\n    expose: [9000, 8000-8002/udp]",
        HOST_NETWORK.format("api") + '"127.0.0.1:9000:9000"\n    - "127.0.0.1:8000-8002:8000-8002/udp"',
    ),
    "the port of the command": (
        "api:\n    image: acme/api:1\n    network_mode: host\n    command: uvicorn app:app --port 8123",
        HOST_NETWORK.format("api") + '"127.0.0.1:8123:8123"',
    ),
    "no port that anything tells": (
        "agent:\n    image: acme/agent:1\n    network_mode: host", "and for others its port\n  # goes under `ports`",
    ),
    "the place of a mount": (
        "node:\n    image: acme/node:1\n    volumes: ['/etc:/host/etc:ro']",
        "- /etc/<the file>:/host/etc/<the same>:ro",
    ),
    "a device that is the only one": (
        "cam:\n    image: acme/cam:1\n    devices: [/dev/sda]",
        "cam:\n  # without devices, as nothing else stands there",
    ),
    "devices that stay": (
        "cam:\n    image: acme/cam:1\n    devices:\n      - /dev/snd\n      - /dev/sda:/dev/xvda:r\n"
        "      - {source: /dev/video0, target: /dev/video1, permissions: r}\n      - /dev/sdb",
        'cam:\n  devices:\n    - "/dev/snd:/dev/snd"\n    - "/dev/video0:/dev/video1:r"',
    ),
    "rules that stay": (
        "cam:\n    image: acme/cam:1\n    device_cgroup_rules: ['b 8:* r', 'c 81:* rmw']",
        'cam:\n  device_cgroup_rules:\n    - "c 81:* rmw"',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("service", "lines"), ADAPTED.values(), ids=ADAPTED)
def test_advice_on_hardening_looks_at_what_else_the_service_has(tmp_path, service, lines):
    (tmp_path / "compose.yaml").write_text(f"services:\n  {service}\n", encoding="utf-8")
    examples = [
        item.example for item in audit(tmp_path).findings if item.rule.endswith(("CL-0008", "CL-0013", "CL-0016"))
    ]

    assert [lines in example for example in examples] == [True]
    assert not [example for example in examples if example.endswith(("sda", "sdb"))]


LITERALS = {
    "a default": ("docker-compose.yml", "redis-server --requirepass ${WORD:-longsecret}", "high", "default that"),
    "a literal": ("docker-compose.yml", "redis-server --requirepass longsecret", "high", "literal value"),
    "development": ("docker-compose.dev.yml", "redis-server --requirepass longsecret", "low", "literal value"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "command", "severity", "told"), LITERALS.values(), ids=LITERALS)
def test_a_credential_among_words_is_weighed_and_told_as_it_stands(tmp_path, name, command, severity, told):
    text = f"services:\n  cache:\n    image: redis:7\n    command: >\n      {command}\n"
    (tmp_path / name).write_text(text, encoding="utf-8")
    findings, _ = scan(tmp_path, (compose_lint.SCANNER,))
    (found,) = (item for item in findings if item.rule == "compose-lint/CL-0020")

    assert told in found.message
    assert found.severity.value == severity
    assert "reads /run/secrets/<name> and hands it on as --requirepass>" in found.example


def test_a_message_does_not_begin_with_its_title_again():
    issue = replace(lint(("CL-0007", None, "It is  bad. See there.", "Mend it"))[0], title="It is  bad")
    (finding,) = merge((), [("compose-lint", issue)], Vault())

    assert finding.message == "See there."


def test_an_action_that_is_not_pinned_is_named(project):
    found, _ = scan(project, (zizmor.SCANNER,))

    assert "`foo/bar@main` is named by a tag or branch, not by a commit." in {item.message for item in found}


def test_the_lines_to_write_are_those_of_every_service():
    fix = "Set the option:\n  read_only: true"
    few, many = (lint(*(("CL-0007", f"s{n}", "Writable.", fix) for n in range(number))) for number in (2, 9))
    (two,), (nine,) = (merge((), [("compose-lint", issue) for issue in found], Vault()) for found in (few, many))

    assert two.example == "s0:\n  read_only: true\ns1:\n  read_only: true"
    assert nine.example.endswith("s3:\n  read_only: true\n# likewise in 5 more places")


def test_the_ports_of_a_proxy_stay_out_of_the_advice_to_close_ports():
    found = lint(
        ("CL-0005", "proxy", "Port '80:80' is bound.", "Bind to localhost: 127.0.0.1:80:80\nUse a proxy."),
        ("CL-0005", "web", "Port '3000:3000' is bound.", "Bind to localhost: 127.0.0.1:3000:3000\nUse a proxy."),
    )
    (finding,) = merge((), [("compose-lint", issue) for issue in found], Vault())

    assert "3000:3000" in finding.example
    assert finding.subjects == ("web",)
    assert found[0].example == ""
    assert found[0].recommendation.startswith("Leave the port to other hosts")


def test_what_zizmor_finds_in_a_step_is_shown_as_that_step(tmp_path):
    path = tmp_path / ".github/workflows/ci.yml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: acme/build@v2\n"
        "      - uses: actions/checkout@v4\n",
        encoding="utf-8",
    )
    found = {item.rule: item for item in audit(tmp_path).findings}

    pinned = found["zizmor/unpinned-uses"]

    assert pinned.change == ("acme/build@v2", "acme/build@<full commit hash>  # v2")
    assert found["zizmor/artipacked"].example.startswith("- uses: actions/checkout@v4\n  with:")
    assert "  test:\n    permissions:\n      contents: read" in found["zizmor/excessive-permissions"].example


def test_a_workflow_without_permissions_is_told_once_and_keeps_what_its_jobs_declare(tmp_path):
    path = tmp_path / ".github/workflows/ci.yml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "on: push\njobs:\n"
        "  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make test\n"
        "  lint:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make lint\n"
        "  image:\n    runs-on: ubuntu-latest\n    permissions: {packages: write}\n"
        "    steps:\n      - run: make image\n",
        encoding="utf-8",
    )
    (found,) = (item for item in audit(tmp_path).findings if item.rule == "zizmor/excessive-permissions")

    assert found.example.startswith("# .github/workflows/ci.yml\npermissions: {}\njobs:\n  test:")
    assert found.example.count("permissions: {}") == 1
    assert "image:" not in found.example


def test_a_variable_is_no_tag_and_the_port_of_a_web_server_in_front_an_entry(tmp_path):
    (tmp_path / "nginx.conf").write_text("server { listen 8080; location / { proxy_pass http://api:8000; } }\n")
    (tmp_path / "compose.yml").write_text(
        "services:\n"
        "  nginx:\n    image: nginx:1.27\n    ports: ['8080:8080']\n"
        "    volumes: ['./nginx.conf:/etc/nginx/conf.d/default.conf:ro']\n"
        "  api:\n    image: ${API_IMAGE:?set it}\n    ports: ['8000:8000']\n"
        "  worker:\n    image: ${REGISTRY}/shop-worker:${TAG:-latest}\n",
        encoding="utf-8",
    )
    found = {item.rule: item for item in audit(tmp_path).findings}

    assert "compose-lint/CL-0005" not in found  # the way past the proxy is told by a rule of our own
    assert "API_IMAGE" not in found["compose-lint/CL-0019"].example
    assert "shop-worker" not in found["compose-lint/CL-0019"].example  # a digest would win over each deployment's tag


SCRIPT = """on: push
env:
  NAME: ${{{{ {value} }}}}/api
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo {first}
          docker pull "${{{{ env.NAME }}}}:${{{{ github.sha }}}}"
"""


@pytest.mark.parametrize(
    ("value", "first", "found"),
    [
        ("github.repository", "on", False),
        ("github.head_ref", "on", True),
        ("github.repository", "${{ github.actor }} ${{ github.base_ref }}", False),
        ("github.repository", "${{ github.head_ref }}", True),
        ("github.repository", '"NAME=$1" >> "$GITHUB_ENV"', True),
    ],
)
def test_a_variable_that_only_the_workflow_writes_is_no_way_in(tmp_path, value, first, found):
    path = tmp_path / ".github/workflows/ci.yml"
    path.parent.mkdir(parents=True)
    path.write_text(SCRIPT.format(value=value, first=first), encoding="utf-8")

    assert ("zizmor/template-injection" in {item.rule for item in audit(tmp_path).findings}) is found


@pytest.mark.parametrize(("ref", "severity"), [("main", "low"), ("${{ github.event.workflow_run.head_sha }}", "high")])
def test_a_trigger_with_rights_is_low_without_code_of_others(tmp_path, ref, severity):
    path = tmp_path / ".github/workflows/deploy.yml"
    path.parent.mkdir(parents=True)
    path.write_text(
        f"on: {{workflow_run: {{workflows: [CI], types: [completed]}}}}\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n"
        f"    steps:\n      - uses: actions/checkout@v4\n        with: {{ref: '{ref}'}}\n",
        encoding="utf-8",
    )
    (finding,) = (item for item in audit(tmp_path).findings if item.rule == "zizmor/dangerous-triggers")

    assert str(finding.severity) == severity
