"""What no reader may do with whatever it is given: raise, hang, or stay silent about a file that it could not read."""

import importlib
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditlib.model import Read
from auditlib.readers.env_files import assignments
from auditlib.source import Source

FILES = {
    "env_files": [".env", ".env.example"],
    "settings": ["app.py", "app.ts"],
    "redis_files": ["redis.conf"],
    "dockerfiles": ["Dockerfile", ".dockerignore"],
    "npm": ["package.json"],
    "python_packages": ["pyproject.toml", "Pipfile"],
    "requirements": ["requirements.txt"],
    "runtimes": [".nvmrc", ".tool-versions", ".pre-commit-config.yaml", "setup.cfg", "tox.ini"],
    "web_routes": ["urls.py", "server.js"],
    "documents": ["README.md", "guide.rst"],
    "makefiles": ["Makefile"],
    "scripts": ["run.sh", "scripts/job.py", "bin/tool"],
    "test_suites": ["test_app.py", "app.test.ts", "package.json"],
    "migrators": ["migrations/one.py"],
    "local_imports": ["Dockerfile", "Dockerfile.py", "app.py", "app.js", "package.json"],
    "callers": ["crontab", "main.tf"],
    "absent_paths": ["README.md"],
    "seeded_users": ["app.py", "app.ts"],
    "told_logins": ["README.md", "setup.sh"],
    "request_logs": ["main.py", "nginx.conf", "Caddyfile"],
    "django_reads": ["app.py"],
}
HOSTILE = {
    "empty": b"",
    "binary": b"\x00\x01\xff" * 1000,
    "not UTF-8": b"A=\xff\xfe os.environ FastAPI express\n",
    "nested brackets": b"import os # environ FastAPI express\n" + b"[" * 20_000,
    "nested operators": b"import os # environ FastAPI\nx = " + b"-" * 20_000 + b"1\n",
    "nested calls": b"from fastapi import x\nx = os.getenv(" + b"f(" * 150 + b")" * 150 + b")\n",
    "attributes": b"import os, fastapi\nx = os.environ" + b".a" * 20_000 + b"\n",
    "sum": b"import os, fastapi\nx = os.getenv('X', " + b"'a' + " * 900 + b"'b')\n",
    "one long line": b"A=" + b"x " * 1_000_000,
    "quotes": b"A=\"x\\\"\n" * 50_000,
    "braces": b"{" * 20_000,
    "json": b'{"a":' * 20_000,
    "many lines": b"process.env.A = FastAPI environ express\n" * 20_000,
    "comment": b"/* express process.env.X " * 20_000,
    "destructuring": b"express process.env {" * 20_000,
    "here-documents": b"FROM a\n" + b"RUN <<E\n" * 5_000,
    "continued": b"FROM a\nRUN a \\\n" * 20_000,
    "doubling": b"from dotenv import load_dotenv\n"
    + b"".join(b"A%d = A%d + A%d\n" % (i, i + 1, i + 1) for i in range(300))
    + b"load_dotenv(A0)\n",
    "backticks": (b"`" * 4_000 + b"\n") * 200,
    "marks of headings": (b"# " + b"#" * 4_000 + b"a\n") * 200,
    "spaces": (b"# a" + b" " * 4_000 + b"b:\n") * 200,
    "fences": b"```sh\n" * 20_000,
    "links": b"[a](" * 50_000,
    "paths": (b"`" + b"a/" * 140 + b"`\n") * 2_000,
    "targets": b"".join(b"t%d: t%d\n\tmake t%d\n" % (i, i + 1, i + 1) for i in range(5_000)),
    "brackets of tests": b"test(`" * 50_000,
    "includes itself": b"-r requirements.txt\n" * 100,
}  # fmt: skip


@pytest.mark.parametrize("reader", FILES)
@pytest.mark.parametrize("name", HOSTILE)
def test_bad_input_costs_that_file_only(reader, name, tmp_path):
    for file in FILES[reader]:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(HOSTILE[name])
    start = time.process_time()
    reading = importlib.import_module(f"auditlib.readers.{reader}").read(Source(tmp_path))
    assert time.process_time() - start < 15
    assert all(entry.reason for entry in reading.coverage if entry.status is not Read.PARSED)


@pytest.mark.parametrize("reader", FILES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8"), max_size=400))
def test_any_text_is_read_or_reported(reader, text, tmp_path):
    for file in FILES[reader]:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(f"{text}\n# environ process.env express FastAPI", encoding="utf-8")
    importlib.import_module(f"auditlib.readers.{reader}").read(Source(tmp_path))


def quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,10}", fullmatch=True), st.text(st.characters(codec="utf-8"))))
def test_quoted_values_of_environment_files_come_back(values):
    text = "\n".join(f"{name}={quoted(value)}" for name, value in values.items())
    assert {item.name: item.value for item in assignments(text)} == values


ROOTS = [Path(__file__).parents[2] / "data", Path(__file__).parents[2].parent / "shared" / "corpus"]
REPOSITORIES = [folder for root in ROOTS if root.is_dir() for folder in sorted(root.iterdir()) if folder.is_dir()]


@pytest.mark.parametrize("reader", FILES)
@pytest.mark.parametrize("root", REPOSITORIES, ids=lambda root: root.name)
def test_real_repositories_are_read_in_full(reader, root):
    reading = importlib.import_module(f"auditlib.readers.{reader}").read(Source(root))
    assert [entry for entry in reading.coverage if entry.status is not Read.PARSED] == []
    lines = {}
    for record in reading.records:
        place = record.location
        count = lines.setdefault(place.file, (root / place.file).read_text(encoding="utf-8").count("\n") + 1)
        assert 1 <= place.line <= place.last_line <= count
