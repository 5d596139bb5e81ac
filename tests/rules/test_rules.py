"""Runs the cases of every rule: each file of this folder belongs to the rule of its name."""

import subprocess
from pathlib import Path

import pytest
import yaml

from auditlib import graph, readers, rules
from auditlib.first_steps import LENGTH
from auditlib.phrases import first_sentence
from auditlib.source import Source

HERE = Path(__file__).parent
CASES = [
    pytest.param(path.stem.replace("_", "-"), case, id=f"{path.stem.replace('_', '-')}: {name}")
    for path in sorted(HERE.glob("*.yml"))
    for name, case in yaml.safe_load(path.read_text(encoding="utf-8")).items()
]


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(("rule_id", "case"), CASES)
def test_case(rule_id, case, tmp_path):
    for name, text in case["files"].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if name in case.get("executable", ()):
            path.chmod(0o755)
    for name, target in case.get("links", {}).items():
        (tmp_path / name).symlink_to(target)
    if "committed" in case:
        git(tmp_path, "init", "--quiet")
        git(tmp_path, "add", "--force", *case["committed"])
    inventory = readers.read(Source(tmp_path))
    found = list(rules.find(rule_id).check(inventory, graph.build(inventory)))

    assert sorted(str(item.location) for item in found) == sorted(case["findings"])
    if "severity" in case:
        assert str(found[0].severity or rules.find(rule_id).severity) == case["severity"]
    if "confidence" in case:
        assert str(found[0].confidence or rules.find(rule_id).confidence) == case["confidence"]
    if "related" in case:
        assert [str(item.location) for item in found[0].related] == case["related"]
    if "message" in case:
        assert case["message"] in found[0].message
    assert not [item.recommendation for item in found if len(first_sentence(item.recommendation)) > LENGTH]
    for item, text in zip(found, case.get("recommendations", ()), strict=False):
        assert text in item.recommendation
    shown = [f"{item.example}\n{''.join(item.change)}" for item in found]
    assert all(text in shown[0] for text in case.get("shown", ()))
    assert not any(text in shown[0] for text in case.get("not_shown", ()))


@pytest.mark.parametrize("rule_id", rules.catalogue())
def test_every_rule_is_documented_and_has_cases(rule_id):
    rule = rules.find(rule_id)
    documentation = rule.documentation
    assert rule.id == rule_id
    assert documentation.title, "the docstring's first line names the fault"
    assert documentation.why, "the docstring says why it matters"
    assert documentation.anti_pattern, "the docstring shows an anti-pattern"
    assert documentation.better, "the docstring shows a better way"
    assert documentation.recommendation, "the docstring gives a recommendation"
    assert documentation.references, "the docstring gives references"
    assert all(reference.startswith("https://") for reference in documentation.references)

    cases = yaml.safe_load((HERE / f"{rule_id.replace('-', '_')}.yml").read_text(encoding="utf-8"))
    fires = [name for name, case in cases.items() if case["findings"]]
    assert len(fires) >= 2, "at least two cases that must fire"
    assert len(cases) - len(fires) >= 2, "at least two near misses that must not"


def test_every_case_file_belongs_to_a_rule():
    assert {path.stem.replace("_", "-") for path in HERE.glob("*.yml")} == set(rules.catalogue())
