"""A hostile or broken repository costs the audit that file and nothing else: no traceback, no execution, bounded."""

import json
import os
import re
import subprocess
import sys

import pytest

from auditlib import cli

MEMORY = 1 << 30
SECONDS = 20
"""Of processor time: a machine that does other things beside the tests must not decide."""
HANGING = 180
BOUNDED = ("sh", "-c", f'ulimit -t {SECONDS} && exec "$@"', "sh", sys.executable)
GOOD = "services:\n  api:\n    image: nginx:1.27.3\n"
STACK = """services:
  web: {image: nginx, ports: ["80"], depends_on: [api]}
  api:
    build: .
    command: celery -A shop worker
    environment: {DATABASE_URL: "postgres://app:secret%d@db/app", CELERY_BROKER_URL: "redis://queue/0"}
    depends_on: [db, queue]
  db: {image: "postgres:16", volumes: ["data:/var/lib/postgresql/data"]}
  queue: {image: "redis:7"}
volumes: {data: }
"""


def aliases(depth):
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, depth)]
    return "\n".join([*lines, "services:", "  api:", f"    image: x\n    labels: *x{depth - 1}\n"])


CASES = {
    "an empty Compose file": {"compose.yaml": ""},
    "a Compose file that is a list": {"compose.yaml": "- a\n- b\n"},
    "a Compose file that is binary": {"compose.yaml": b"\x00\x01\x02" * 1000},
    "a Compose file that is not UTF-8": {"compose.yaml": b"services:\n  api:\n    image: caf\xe9\n"},
    "a Compose file that is no YAML": {"compose.yaml": "services:\n  api: [\n"},
    "a Compose file of 100 MB": {"compose.yaml": b"# " + b"x" * 100_000_000},
    "sequences nested 20,000 deep": {"compose.yaml": "services: " + "[" * 20_000},
    "mappings nested 20,000 deep": {"compose.yaml": "\n".join(" " * n + "a:" for n in range(2_000)) + "\n"},
    "an alias bomb": {"compose.yaml": aliases(30)},
    "a key that stands twice": {"compose.yaml": "services:\n  api:\n    image: a\n    image: b\n"},
    "YAML that names Python objects": {
        "compose.yaml": "services:\n  api:\n    image: !!python/object/apply:os.system ['touch executed']\n"
    },
    "settings with a syntax error": {"settings.py": "import os\nclass Settings(:\n    X = os.getenv('X')\n"},
    "settings that would run": {"settings.py": "import os\nos.system('touch executed')\nX = os.getenv('X')\n"},
    "Python nested 20,000 deep": {"settings.py": "import os\nX = os.getenv('X')\ny = " + "(" * 20_000},
    "Python of one endless expression": {"settings.py": "import os\nX = os.getenv('X')\ny = " + "-" * 100_000 + "1"},
    "a Dockerfile of 250,000 instructions": {"Dockerfile": "FROM python:3.12\n" + "RUN echo hello\n" * 250_000},
    "a project of 40,000 services": {
        "compose.yaml": "services:\n" + "".join(f"  s{n}: {{image: a, ports: ['80']}}\n" for n in range(40_000))
    },
    "a job of 10,000 steps": {
        ".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n" + "      - run: pytest tests && docker build .\n" * 10_000
    },
    "a script of 20,000 downloads": {
        "scripts/a.sh": "".join(f"wget https://example.org/releases/{n}.sh\nsh {n}x.sh\n" for n in range(20_000))
    },
    "a profile of many parts": {
        "compose.yaml": f"{GOOD}    profiles: [{'a_' * 60}, {'seed-' * 9000}]\n", ".env": "A=1\n",
    },
    "an include out of the root": {"compose.yaml": f"include: [../../../etc/passwd, ../outside.yaml]\n{GOOD}"},
    "an extends out of the root": {
        "compose.yaml": "services:\n  api:\n    image: a\n    extends: {file: ../outside.yaml, service: x}\n"
    },
    "an env_file out of the root": {"compose.yaml": f"{GOOD}    env_file: [../../../../../etc/passwd, /etc/shadow]\n"},
    "an include of itself": {"compose.yaml": f"include: [compose.yaml]\n{GOOD}"},
    "service names that are HTML": {
        "compose.yaml": "services:\n  \"<script>alert(1)</script>\":\n    image: a\n  'a\"b''c':\n    image: b\n"
    },
    "paths with spaces and umlauts": {
        "Größe und Maß/docker-compose.yml": GOOD,
        "Größe und Maß/.env.example": "NAME=Wert\n",
        "a b/.github/workflows/c d.yml": "on: push\njobs: {}\n",
    },
    "an environment file of nonsense": {".env.example": "===\n'\nexport\nA='unclosed\nB\n\u2028=x\n"},
    "a workflow that is a string": {".github/workflows/ci.yml": "hello"},
    "a workflow with jobs of the wrong type": {
        ".github/workflows/ci.yml": "on: [push]\njobs:\n  a: [1]\n  b: {steps: {x: 1}}\n  c: {steps: [1, {run: [a]}]}\n"
    },
    "a Dockerfile of nonsense": {"Dockerfile": "FRUM x\n\\\n\\\nRUN \nCMD [\n" + "A" * 100_000},
    "Prometheus with the wrong types": {
        "prometheus.yml": "scrape_configs: [1, {job_name: [a], static_configs: {targets: 1}}]\nrule_files: {a: 1}\n"
    },
    "rules whose PromQL is broken": {
        "rules.yml": "groups:\n  - name: a\n    rules:\n      - alert: A\n        expr: 'sum(((('\n      - 7\n"
    },
    "Alertmanager with the wrong types": {"alertmanager.yml": "route: [1]\nreceivers: {a: 1}\n"},
    "a dashboard nested 20,000 deep": {"dashboards/a.json": '{"panels":' + "[" * 20_000},
    "a package.json that is a number": {"package.json": "7"},
    "a pyproject.toml that is no TOML": {"pyproject.toml": "[project\n"},
    "a Makefile of nonsense": {"Makefile": "\t\t\n:::\n" + "a" * 100_000 + ":\n\t@$(shell touch executed)\n"},
    "a document nested 20,000 deep": {"README.md": ">" * 20_000 + " a\n" + "- " * 20_000},
    "a shell script nested 20,000 deep": {"scripts/a.sh": "#!/bin/sh\n" + "(" * 20_000 + "\n" + "if a; then " * 5_000},
    "a line of 4 MB": {".env": "A=" + "x" * 4_000_000, "scripts/b.sh": "echo " + "y" * 4_000_000},
    "an environment file of 200,000 secrets": {
        ".env": "".join(f"V{n}_PASSWORD=abcsecret{n}\n" for n in range(200_000)),
        "compose.yaml": f"{GOOD}    env_file: .env\n",
    },
    "folders where files are expected": {
        f"{name}/keep.txt": ""
        for name in (".gitignore", ".env", "compose.yaml", "package.json", ".dockerignore",
                     "Dockerfile", "Makefile", "prometheus.yml", "README.md", ".github/workflows/ci.yml")
    },
    "a .gitignore of nonsense": {".gitignore": "[\n\\\n!\n" + "*" * 1000 + "a\n", "compose.yaml": GOOD},
    "1,000 Compose files": {f"stack{n}/docker-compose.yml": GOOD for n in range(1_000)},
    "1,000 Compose files with secrets and workers": {f"stack{n}/docker-compose.yml": STACK % n for n in range(1_000)},
    "1,000 Compose files in one folder": {f"compose.{n}.yaml": STACK % n for n in range(1_000)},
}  # fmt: skip
UNREAD = b"auditlib: none of the project's files could be read, so nothing is known of it\n"


def write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


MEASURED = """
import re, sys
from pathlib import Path
from auditlib.__main__ import main

note = Path(sys.argv.pop(1))
try:
    main()
finally:
    note.write_text(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""
"""The command with the kilobytes that it took at its peak; not ru_maxrss, which is inherited from who starts it."""


def check(root):
    """The JSON document of `auditlib check`, run in a process of its own within the bounds, and its peak in bytes."""
    note = root.parent / "peak"
    process = subprocess.Popen(
        [*BOUNDED, "-c", MEASURED, note, "check", root, "--format", "json", "--no-scanners"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        output, complaints = process.communicate(timeout=HANGING)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert (process.returncode, complaints) in ((0, b""), (2, UNREAD))
    return json.loads(output), int(note.read_text()) * 1024


@pytest.mark.parametrize("name", CASES)
def test_the_audit_goes_on(name, tmp_path):
    root = tmp_path / "repository"
    write(root, CASES[name] | {"other/compose.yaml": "services:\n  witness:\n    image: nginx:latest\n"})
    (tmp_path / "outside.yaml").write_text("services:\n  x:\n    image: canary-outside\n", encoding="utf-8")

    document, peak = check(root)

    assert {entry["file"] for entry in document["coverage"]} >= {"other/compose.yaml"}
    assert not list(tmp_path.rglob("executed"))
    assert "canary-outside" not in json.dumps(document)
    assert peak < MEMORY


@pytest.mark.parametrize(
    ("name", "file", "line"),
    [
        ("a Compose file that is binary", "compose.yaml", 1),
        ("a Compose file that is not UTF-8", "compose.yaml", 3),
        ("a Compose file that is no YAML", "compose.yaml", 3),
        ("a Compose file of 100 MB", "compose.yaml", 1),
        ("sequences nested 20,000 deep", "compose.yaml", 1),
        ("a key that stands twice", "compose.yaml", 4),
        ("settings with a syntax error", "settings.py", 2),
        ("an include out of the root", "compose.yaml", 1),
        ("an extends out of the root", "compose.yaml", 4),
        ("an env_file out of the root", "compose.yaml", 4),
        ("a pyproject.toml that is no TOML", "pyproject.toml", 1),
        ("a workflow that is a string", ".github/workflows/ci.yml", 1),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(name, file, line, tmp_path):
    write(tmp_path, CASES[name])
    document, _ = check(tmp_path)
    entries = [entry for entry in document["coverage"] if entry["file"] == file and entry["status"] != "parsed"]
    findings = [finding for finding in document["findings"] if finding["file"] == file]
    assert line in {entry.get("line") for entry in entries} | {finding["line"] for finding in findings}
    assert all(entry["reason"] for entry in entries)


def test_links_out_of_the_root_are_not_followed(tmp_path):
    root = tmp_path / "repository"
    root.mkdir()
    (tmp_path / "secret.yaml").write_text("services:\n  canary-outside:\n    image: a\n", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/compose.yaml").write_text("services:\n  canary-outside:\n    image: a\n", encoding="utf-8")
    (root / "compose.yaml").symlink_to("../secret.yaml")
    (root / "below").symlink_to("../folder")
    (root / "loop").symlink_to(".")
    os.mkfifo(root / "docker-compose.yml")

    document, _ = check(root)

    assert "canary-outside" not in json.dumps(document)
    assert {"compose.yaml", "below", "loop"} <= {entry["file"] for entry in document["coverage"]}


@pytest.mark.parametrize(
    ("files", "status", "said"),
    [
        ({}, 0, "No findings, as no file was read.\n"),
        ({"notes.xyz": "a"}, 0, "No findings, as no file was read.\n"),
        ({"compose.yaml": b"\x00"}, 2, "1 file not readable: compose.yaml:1 (is binary; it was not read as text)."),
        ({"compose.yaml": b"\x00"}, 2, "\nNo findings, as no file was read.\n"),
        ({"compose.yaml": b"\x00", ".env.example": "A=1\n"}, 0, "\nNo findings in the one file that was read.\n"),
        ({"compose.yaml": b"\x00", "a.env": "A=1\n", "Makefile": "a:\n\tls\n"}, 0, "in the 2 files that were read."),
        ({"compose.yaml": "services: [\n"}, 0, "1 file not readable: compose.yaml:2 (not valid YAML"),
        ({f"s{n}/compose.yaml": b"\x00" for n in range(9)}, 2, "9 files not readable: s0/compose.yaml:1 (is binary"),
        ({f"s{n}/compose.yaml": b"\x00" for n in range(9)}, 2, ") and 6 more.\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["text", "markdown"])
def test_it_is_said_how_much_was_read(files, status, said, form, tmp_path, capsys):
    write(tmp_path, files)
    arguments = ["check", str(tmp_path), "--format", form, "--no-scanners", "--rule", "compose-invalid"]
    assert cli.run(arguments) == status
    shown = "\n" + re.sub(r"\\(?=\W)", "", capsys.readouterr().out) + "\n"
    assert said.strip() in shown


def test_a_report_of_an_unread_project_is_written_and_says_so(tmp_path):
    write(tmp_path / "project", {"compose.yaml": b"\x00"})
    command = [sys.executable, "-m", "auditlib", "report", tmp_path / "project", "-o", tmp_path / "out", "--no-history"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, UNREAD)
    assert (tmp_path / "out/index.html").is_file()


def test_a_home_that_cannot_be_written_costs_no_line(tmp_path):
    (tmp_path / "home").write_text("is no folder")
    write(tmp_path / "project", {".env.example": "A=1\n"})
    known = {name: os.environ[name] for name in ("PATH",)}
    command = [sys.executable, "-m", "auditlib", "report", tmp_path / "project", "-o", tmp_path / "out", "--no-history"]
    done = subprocess.run(
        command, capture_output=True, check=False, env=known | {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert not list(tmp_path.glob("auditlib-*"))
