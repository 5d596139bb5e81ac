"""A secret, put into every kind of file in every way that people write one, appears in no output of any kind.

The files and their secrets are data: `planted/*.yml`, where each `§` is a secret of its own. What only looks like one
is in `readable.yml`. A failure names every context that leaks.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from planting import FILES, MARK, letters, plant, with_digits

from auditlib import cli, excerpts, readers, rules
from auditlib.audit import audit
from auditlib.execution.shell import Shell
from auditlib.formats import explanation
from auditlib.model import Location
from auditlib.redaction import Vault
from auditlib.source import Source, syntax

ROOT = Path(__file__).parents[1]
READABLE = yaml.safe_load((Path(__file__).parent / "readable.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=[with_digits, letters], ids=lambda word: word.__name__)
def project(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("canary") / "shop"
    shutil.copytree(ROOT / "data/propertypro", root)
    return root, plant(root, request.param)


def run(*arguments):
    done = subprocess.run([sys.executable, "-m", "auditlib", *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode in (0, 1, 3)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


@pytest.mark.parametrize("output_format", ["text", "json", "csv", "markdown", "sarif", "junit", "github"])
def test_check_never_shows_it(project, output_format):
    root, planted = project
    output = run("check", root, "--format", output_format)
    assert len(output) > 10_000
    assert not planted.shown_in(output)


def test_no_explanation_shows_it(project):
    root, planted = project
    result = audit(root)
    assert len(result.findings) > 20
    assert not planted.shown_in("".join(explanation.render(result, item.fingerprint) for item in result.findings))


def test_explain_never_shows_it(project):
    root, planted = project
    found = json.loads(run("check", root, "--format", "json", "--rule", "credential-default"))["findings"]
    assert not planted.shown_in(run("explain", found[0]["fingerprint"], root))


def test_the_report_never_shows_it(project, tmp_path):
    root, planted = project
    output = run("report", root, "-o", tmp_path / "report", "--format", "slides,markdown")
    written = [path for path in (tmp_path / "report").rglob("*") if path.is_file()]
    assert written
    assert not planted.shown_in(output)
    assert not {place for path in written for place in planted.shown_in(path.read_text("utf-8", "replace"))}


def test_no_record_of_the_inventory_holds_it(project):
    root, planted = project
    assert not planted.shown_in(repr(readers.read(Source(root))))


def test_no_line_that_could_be_evidence_shows_it(project):
    root, planted = project
    source = Source(root)
    assert not planted.shown_in("\n".join(line for file in FILES for line in source.masked_lines(file)))


@pytest.mark.parametrize("file", READABLE)
def test_what_only_looks_like_a_secret_stays_readable(tmp_path, file):
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(READABLE[file], encoding="utf-8")
    source = Source(tmp_path)
    pairs = zip(source.lines(file), source.masked_lines(file), strict=True)
    assert not [(line, shown) for line, shown in pairs if line != shown]


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"[a-z][a-z0-9_]{4,8}[a-z0-9]{3,6}", fullmatch=True), st.sampled_from(sorted(FILES)))
def test_whatever_the_secret_no_masked_text_holds_it(secret, file):
    text = FILES[file]
    if secret not in text.lower() and Vault().mask(f"PASSWORD={secret}") != f"PASSWORD={secret}":
        shown = Vault().mask_lines(text.replace(MARK, secret), **syntax(file))
        assert not [line for line, masked in zip(text.split("\n"), shown, strict=True) if secret in masked]


def test_the_excerpt_of_a_line_knows_the_lines_around_it(tmp_path):
    (tmp_path / "a.yml").write_text("password:\n  sunflower\n")
    source = Source(tmp_path)
    assert "sunflower" not in repr(excerpts.collect(source, [_Finding(Location("a.yml", 2))]))


class _Finding:
    related = ()

    def __init__(self, location):
        self.location = location


SAID = "could not convert 'sunflowerpancake'"


def broken(*_, **__):
    raise ValueError(SAID)


def test_a_rule_that_fails_tells_no_secret(tmp_path):
    rule = replace(rules.find("volume-unused"), check=broken)
    coverage = audit(tmp_path, [rule], scanned=False).coverage
    assert "ValueError in the rule" in [entry.reason for entry in coverage]
    assert "sunflower" not in repr(coverage)


def test_a_reader_that_fails_tells_no_secret_and_the_others_go_on(tmp_path, monkeypatch):
    (tmp_path / "compose.yaml").write_text("services: {api: {image: nginx}}\n")
    monkeypatch.setattr("auditlib.readers.makefiles.read", broken)
    inventory = readers.read(Source(tmp_path))
    assert ("reader makefiles", "ValueError in the reader") in [(item.kind, item.reason) for item in inventory.coverage]
    assert inventory.services
    assert "sunflower" not in repr(inventory)


def test_a_defect_shows_its_place_and_not_its_message(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("auditlib.audit.audit", broken)
    assert cli.run(["check", str(tmp_path)]) == 3
    said = capsys.readouterr().err
    assert "in broken" in said
    assert "auditlib: ValueError; this is a defect" in said
    assert "sunflower" not in said


def test_a_cell_that_fails_tells_no_secret():
    outputs, failed = Shell(config=Shell.settings()).outputs_of("int('sunflower' + 'pancake')")
    assert failed
    assert "ValueError" in repr(outputs)
    assert "pancake" not in repr(outputs)
