"""The SARIF log against the official schema.

`sarif-schema-2.1.0.json` is the schema of the standard (https://github.com/oasis-tcs/sarif-spec), byte for byte as the
source distribution of cfn-lint 1.20.0 carries it among its own tests.
"""

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from auditlib.audit import audit
from auditlib.formats import sarif

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(Path(__file__).with_name("sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
AWKWARD = """\
services:
  # auditlib: ignore[healthcheck-missing] until=2099-01-31 the image has one
  a.b:
    image: example/x:1
    privileged: true
    environment: {PASSWORD: "${P:-changeme}"}
"""


def problems(log):
    validator = jsonschema.Draft7Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    return [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(log)]


@pytest.fixture
def awkward(tmp_path):
    folder = tmp_path / "a folder [1] 100% ü"
    folder.mkdir()
    (folder / "compose.yml").write_text(AWKWARD, encoding="utf-8")
    return json.loads(sarif.render(audit(tmp_path, today=date(2026, 1, 1))))


@pytest.mark.parametrize("example", ["propertypro", "healthy"])
def test_the_log_of_an_example_is_valid(example):
    log = json.loads(sarif.render(audit(ROOT / "data" / example)))
    assert problems(log) == []


def test_names_of_all_kinds_and_suppressions_are_valid(awkward):
    assert problems(awkward) == []
    results = awkward["runs"][0]["results"]
    assert any(result["suppressions"] for result in results)
    places = [place["physicalLocation"]["artifactLocation"]["uri"] for item in results for place in item["locations"]]
    assert "a%20folder%20%5B1%5D%20100%25%20%C3%BC/compose.yml" in places


def test_the_schema_does_judge(awkward):
    awkward["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    awkward["runs"][0]["tool"]["driver"].pop("name")
    assert len(problems(awkward)) == 2
