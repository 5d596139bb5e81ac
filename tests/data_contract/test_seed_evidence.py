"""The shipped examples are what data/seed_statements.yml and data/README.md say of them."""

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
EXAMPLE = DATA / "propertypro"
SEED = ROOT.parent / "shared" / "seed"
STATEMENTS = yaml.safe_load((DATA / "seed_statements.yml").read_text(encoding="utf-8"))["statements"]
README = (DATA / "README.md").read_text(encoding="utf-8")

PARSERS = {
    ".json": json.loads,
    ".py": ast.parse,
    ".toml": tomllib.loads,
    ".yaml": lambda text: list(yaml.safe_load_all(text)),
    ".yml": lambda text: list(yaml.safe_load_all(text)),
}
TABLES = {
    *("files", "services", "images", "ports", "mounts", "volumes", "networks", "healthchecks", "dependencies"),
    *("profiles", "environment", "env_templates", "settings", "scrape_targets", "alert_rules", "receivers"),
    *("datasources", "dashboards", "workflows", "jobs", "steps", "scripts", "documents", "findings", "coverage"),
}


def each_statement() -> list:
    return [pytest.param(item, id=item["words"][:60]) for item in STATEMENTS]


def example_lines(name: str) -> list[str]:
    """The lines of a file of the example, or of all files below a folder of it (a name that ends in `/`)."""
    paths = sorted((EXAMPLE / name).rglob("*")) if name.endswith("/") else [EXAMPLE / name]
    return [line for path in paths if path.is_file() for line in path.read_text(encoding="utf-8").splitlines()]


def several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture(scope="module")
def seed() -> str:
    texts = [path.read_text(encoding="utf-8") for path in sorted(SEED.glob("*.txt"))] if SEED.is_dir() else []
    if not texts:
        pytest.skip("the report that the statements quote is not beside this repository")
    return "\n".join(texts)


@pytest.mark.parametrize("statement", each_statement())
def test_words_stand_verbatim_in_their_section_of_the_report(statement: dict, seed: str) -> None:
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", seed, flags=re.MULTILINE | re.DOTALL))
    assert statement["words"] in sections[statement["section"]]


def test_every_line_of_the_report_has_a_statement(seed: str) -> None:
    lines = [line for line in seed.splitlines() if line.startswith("- **")]
    assert lines
    assert not [line for line in lines if not any(item["words"] in line for item in STATEMENTS)]


@pytest.mark.parametrize("statement", each_statement())
def test_evidence_stands_in_its_file(statement: dict) -> None:
    for item in statement["evidence"]:
        assert item["contains"] in (EXAMPLE / item["file"]).read_text(encoding="utf-8"), item


@pytest.mark.parametrize("statement", each_statement())
def test_what_is_said_to_be_absent_is_absent(statement: dict) -> None:
    for item in statement.get("absent", []):
        if "path" in item:
            assert not (EXAMPLE / item["path"]).exists(), item
        else:
            assert item["contains"].lower() not in (EXAMPLE / item["file"]).read_text(encoding="utf-8").lower(), item


@pytest.mark.parametrize("statement", each_statement())
def test_expectations_point_at_lines_that_exist(statement: dict) -> None:
    expect = statement["expect"]
    assert set(expect) <= {"findings", "later", "tables", "confidence"}
    assert expect.keys() - {"later"}
    for item in [*expect.get("findings", []), *expect.get("later", [])]:
        assert set(item) <= {"rule", "file", "line_contains"}, item
        for name in several(item.get("file", [])):
            lines = example_lines(name)
            assert lines, item
            if "line_contains" in item and isinstance(item["file"], str):
                assert any(text in line for line in lines for text in several(item["line_contains"])), item
    for item in expect.get("tables", []):
        assert item["table"] in TABLES, item
        assert len(set(item) & {"row", "no_row", "empty"}) == 1, item


def test_every_rule_that_a_statement_expects_is_in_the_readme() -> None:
    expected = {
        item["rule"]
        for statement in STATEMENTS
        for kind in ("findings", "later")
        for item in statement["expect"].get(kind, [])
    }
    assert not {rule for rule in expected if f"`{rule}`" not in README}


def test_files_that_the_readme_names_exist() -> None:
    rows = re.findall(r"^\| `[a-z0-9-]+` \| (.+?) \|", README, flags=re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert named
    assert not [name for name in named if not (EXAMPLE / name).exists()]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.relative_to(DATA).as_posix())
        for path in sorted(DATA.rglob("*"))
        if path.suffix in PARSERS and "node_modules" not in path.parts
    ],
)
def test_file_parses(path: Path) -> None:
    PARSERS[path.suffix](path.read_text(encoding="utf-8"))
