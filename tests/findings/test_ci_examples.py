"""The examples of docs/ci.md and docs/nightly.md are what GitHub, pre-commit and zizmor take."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from auditlib.inventory import Inventory
from auditlib.scanners import Scan, zizmor
from auditlib.source import Source

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    text = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    workflow, hooks = re.findall(r"```yaml\n(.*?)```", text, re.S)
    (nightly,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/nightly.md").read_text(encoding="utf-8"), re.S)
    folder = tmp_path / "project/.github/workflows"
    folder.mkdir(parents=True)
    (folder / "audit.yml").write_text(workflow, encoding="utf-8")
    (folder / "nightly.yml").write_text(nightly, encoding="utf-8")
    (tmp_path / "project/.pre-commit-config.yaml").write_text(hooks, encoding="utf-8")
    return tmp_path / "project"


@pytest.mark.parametrize("name", ["audit", "nightly"])
def test_the_workflow_satisfies_the_schema_of_github(project, name):
    schema = ["--builtin-schema", "vendor.github-workflows"]
    command = [sys.executable, "-m", "check_jsonschema", *schema, project / f".github/workflows/{name}.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_zizmor_finds_only_that_actions_are_not_pinned(project):
    with Scan(Source(project), (zizmor.SCANNER,)) as running:
        findings, coverage = running.collect([], Inventory.of([], name="", root="", commit="", files=()))
    assert coverage == []
    assert {finding.rule for finding in findings} == {"zizmor/unpinned-uses"}


def test_the_hook_that_is_named_exists(project):
    config = yaml.safe_load((project / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in config["repos"][0]["hooks"]] == [hook["id"] for hook in hooks]
