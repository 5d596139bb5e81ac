"""The command line: what it prints, what it complains about, and how it ends."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from auditlib import workbook
from auditlib.cli import run

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "data/propertypro"
COMMANDS = [["report"], ["check"], ["rules"], ["history"], ["diff"], ["lab"], ["compose", "config"]]


def auditlib(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "auditlib", *map(str, arguments)],
        capture_output=True, text=True, check=False, encoding="utf-8", **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def document():
    return json.loads(auditlib("check", EXAMPLE, "--format", "json", "--no-scanners").stdout)


@pytest.mark.parametrize("command", [(), ("compose",)], ids=" ".join)
def test_without_a_command_there_is_help_and_nothing_else(command):
    done = auditlib(*command)
    assert (done.returncode, done.stderr) == (2, "")
    assert "Example" in done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command):
    done = auditlib(*command, "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["check", "/no/such/folder"], "is not a folder"),
        (["check", str(ROOT / "README.md")], "is not a folder"),
        (["check", "--no-such-option"], "--no-such-option"),
        (["check", "--rule", "scrape-target-unresolvd"], "scrape-target-unresolved"),
        (["check", "--format", "yaml"], "json"),
        (["check", "--fail-on", "terrible"], "critical"),
        (["check", "--area", "cooking"], "monitoring"),
        (["rules", "zzz"], "auditlib rules"),
        (["rules", "zizmor/unpinned-use"], "zizmor/unpinned-uses"),
        (["rules", "hadolint/nope"], "https://github.com/hadolint"),
        (["rules", "zizmore/unpinned-uses"], "zizmor/unpinned-uses"),
        (["check", "--rule", "zizmore/unpinned-uses"], "zizmor/unpinned-uses"),
        (["nonsense"], "nonsense"),
        (["compose", "config", "--services", "--variables"], "choose one"),
        (["compose", "config", "--format", "json", "--provenance"], "choose one"),
        (["report", "/no/such/folder"], "is not a folder"),
        (["report", str(EXAMPLE), "--config", str(ROOT)], "is no regular file"),
        (["lab", str(EXAMPLE), "--folder", os.devnull], "name another with --folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage_is_one_line_that_says_what_to_do(arguments, hint):
    done = auditlib(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert hint in done.stderr


def test_check_ends_with_1_only_for_findings_at_or_above_the_level():
    healthy = ROOT / "data/healthy"
    assert auditlib("check", EXAMPLE, "--no-scanners").returncode == 0
    assert auditlib("check", EXAMPLE, "--no-scanners", "--fail-on", "high").returncode == 1
    assert auditlib("check", healthy, "--no-scanners", "--fail-on", "low").returncode == 0


def test_json_is_the_contract(document):
    assert document["version"] == 1
    assert set(document["project"]) >= {"name", "root", "commit"}
    assert document["confidence"]["level"] in ("high", "medium", "low")
    assert document["confidence"]["reasons"]
    for finding in document["findings"]:
        assert set(finding) >= {
            "rule", "title", "message", "severity", "confidence", "area", "file", "line", "end_line", "service",
            "related", "recommendation", "references", "source", "fingerprint", "status", "change", "example",
        }  # fmt: skip
        assert (EXAMPLE / finding["file"]).exists()
        assert not finding["file"].startswith("/")
    assert len({finding["fingerprint"] for finding in document["findings"]}) == len(document["findings"])
    change = {"old": "chroma:8001", "new": "chroma:8000"}
    assert [item["change"] for item in document["findings"] if item["rule"] == "scrape-port-mismatch"] == [change]


def test_json_proposes_no_change_that_does_not_fit_the_line(tmp_path):
    (tmp_path / "compose.yaml").write_text(
        "services:\n  api:\n    image: acme/api:1.4\n    environment:\n      CORS_ORIGINS: ${CORS_ORIGINS:-*}\n",
        encoding="utf-8",
    )
    found = json.loads(auditlib("check", tmp_path, "--format", "json", "--no-scanners").stdout)["findings"]
    assert [item["change"] for item in found if item["rule"] == "cors-wildcard"] == [None]


def test_csv_and_markdown_name_the_same_findings(document):
    rows = list(csv.DictReader(io.StringIO(auditlib("check", EXAMPLE, "--format", "csv", "--no-scanners").stdout)))
    assert [row["fingerprint"] for row in rows] == [finding["fingerprint"] for finding in document["findings"]]
    markdown = auditlib("check", EXAMPLE, "--format", "markdown", "--no-scanners").stdout
    assert all(f"`{finding['rule']}`" in markdown for finding in document["findings"])


def test_text_shows_the_line_with_a_caret_under_it():
    done = auditlib("check", EXAMPLE, "--rule", "scrape-target-unresolved", "--no-scanners")
    lines = done.stdout.splitlines()
    place = next(line for line in lines if "-->" in line)
    file, line = re.search(r"--> (\S+):(\d+):\d+", place).groups()
    source = (EXAMPLE / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    shown = next(index for index, text in enumerate(lines) if text.strip().startswith(f"{line} |"))
    assert source.strip() in lines[shown]
    caret = lines[shown + 1]
    assert lines[shown][caret.index("^") : caret.rindex("^") + 1].strip()


def test_the_caret_marks_a_masked_value_to_its_end(tmp_path):
    environment = "      POSTGRES_PASSWORD: ${DB_PASSWORD:-hunter2}"
    compose = f"services:\n  db:\n    image: postgres:16\n    environment:\n{environment}\n"
    (tmp_path / "compose.yaml").write_text(compose, encoding="utf-8")
    done = auditlib("check", tmp_path, "--rule", "credential-default", "--no-scanners")
    shown, caret = next(
        (line, below)
        for line, below in pairwise(done.stdout.splitlines())
        if "POSTGRES_PASSWORD: " in line and "^" in below
    )
    marked = shown[caret.index("^") : caret.rindex("^") + 1]
    assert marked.startswith("${DB_PASSWORD:-‹secret")
    assert marked.endswith("›}")


def test_area_and_rule_choose(document):
    for area in ("monitoring", "cicd"):
        chosen = json.loads(auditlib("check", EXAMPLE, "--area", area, "--format", "json", "--no-scanners").stdout)[
            "findings"
        ]
        assert chosen == [finding for finding in document["findings"] if finding["area"] == area]


def test_the_same_input_gives_the_same_output():
    first = auditlib("check", EXAMPLE, "--format", "json", env={"PYTHONHASHSEED": "1", "PATH": "/usr/bin:/bin"})
    second = auditlib("check", EXAMPLE, "--format", "json", env={"PYTHONHASHSEED": "2", "PATH": "/usr/bin:/bin"})
    assert first.stdout == second.stdout
    assert first.stdout


def test_no_color_and_pipes_get_no_escapes():
    assert "\x1b" not in auditlib("check", EXAMPLE, "--no-scanners").stdout


def test_rules_lists_and_explains(document):
    listed = auditlib("rules").stdout
    assert all(finding["rule"] in listed for finding in document["findings"])
    one = auditlib("rules", "scrape-target-unresolved").stdout
    assert "Anti-pattern:" in one
    assert "Better:" in one


def test_rules_lists_and_explains_those_of_scanners_that_are_described():
    assert "compose-lint/CL-0003" in auditlib("rules").stdout
    one = auditlib("rules", "zizmor/artipacked").stdout
    assert "a rule of zizmor" in one
    assert "persist-credentials: false" in one


def test_a_rule_that_only_its_scanner_may_know_is_accepted_with_a_word():
    done = auditlib("check", EXAMPLE, "--rule", "zizmor/unpinned-use")
    assert done.returncode == 0
    assert "did you mean zizmor/unpinned-uses" in done.stderr
    assert not auditlib("check", EXAMPLE, "--rule", "zizmor/unpinned-uses").stderr


@pytest.mark.parametrize(
    ("arguments", "project", "passed_on"),
    [
        (["shop", "--", "--no-browser", "--port", "9999"], "shop", ["--no-browser", "--port", "9999"]),
        (["--", "--no-browser"], ".", ["--no-browser"]),
        (["shop", "--folder", "books", "--", "--", "x"], "shop", ["--", "x"]),
        (["shop"], "shop", []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_follows_two_dashes_goes_to_jupyterlab(arguments, project, passed_on, monkeypatch):
    calls = []
    monkeypatch.setattr(workbook, "lab", lambda *given: calls.append(given) or 0)
    assert run(["lab", *arguments]) == 0
    assert [(str(given[0]), list(given[2])) for given in calls] == [(project, passed_on)]


def test_jupyterlabs_options_need_the_two_dashes():
    done = auditlib("lab", EXAMPLE, "--no-browser")
    assert done.returncode == 2
    assert "--no-browser" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["check", str(EXAMPLE), "--format", "json"],
        ["check", str(EXAMPLE), "--format", "text", "--no-scanners"],
        ["check", str(EXAMPLE), "--format", "sarif", "--no-scanners", "--area", "cicd", "--fail-on", "critical"],
        ["rules"],
        ["history", str(EXAMPLE)],
        ["compose", "config", "-f", str(EXAMPLE / "docker-compose.yml")],
    ],
    ids=lambda command: " ".join(part for part in command if "/" not in part),
)
def test_a_quick_command_imports_nothing_heavy(command):
    code = (
        "import sys\nfrom auditlib.cli import run\n"
        f"run({command!r})\n"
        "heavy = {'pandas', 'matplotlib', 'papermill', 'nbconvert', 'IPython', 'networkx', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
