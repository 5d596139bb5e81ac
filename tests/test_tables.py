"""The tables: documented columns and dtypes, a place in every row, nothing that must not be shown."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from auditlib import audit, graph, tables
from auditlib.errors import UsageError
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Coverage, Effort, Finding, Location, Read, Severity
from auditlib.tables import SCHEMAS, Tables

REPOSITORY = Path(__file__).parents[1]
CORPUS = REPOSITORY.parent / "shared" / "corpus"
DESIGNED = [
    "files", "services", "images", "ports", "mounts", "volumes", "networks", "healthchecks", "dependencies", "profiles",
    "environment", "env_templates", "settings", "scrape_targets", "alert_rules", "receivers", "datasources",
    "dashboards", "workflows", "jobs", "steps", "scripts", "documents", "findings", "coverage",
]  # fmt: skip


@pytest.fixture(scope="module")
def example():
    return audit.audit(REPOSITORY / "data" / "propertypro").tables


@pytest.fixture
def tables_of(tmp_path):
    def tables_of(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return audit.audit(tmp_path, []).tables

    return tables_of


@pytest.fixture
def empty():
    inventory = Inventory("", "", "")
    return Tables(inventory, graph.build(inventory), (), ())


def assert_as_declared(name, frame):
    columns = SCHEMAS[name].columns
    assert list(frame.columns) == list(columns)
    assert [str(dtype) for dtype in frame.dtypes] == [dtype for dtype, _ in columns.values()]
    assert frame.attrs["description"] == SCHEMAS[name].description
    assert frame.attrs["columns"] == {column: meaning for column, (_, meaning) in columns.items()}
    assert not frame[["file", "line"]].isna().any().any()


def test_the_tables_are_those_of_the_design(empty):
    assert sorted(empty) == sorted(DESIGNED)
    assert all(name in dir(empty) for name in DESIGNED)


@pytest.mark.parametrize("name", DESIGNED)
def test_an_empty_table_keeps_its_columns_and_dtypes(empty, name):
    assert_as_declared(name, empty[name])
    assert len(empty[name]) == 0


@pytest.mark.parametrize("name", DESIGNED)
def test_a_table_is_as_declared(example, name):
    assert_as_declared(name, example[name])


@pytest.mark.parametrize("name", DESIGNED)
def test_every_builder_gives_the_declared_columns_and_no_other(example, name):
    rows = list(tables._BUILDERS[name](example._facts))

    assert {column for row in rows for column in row} <= set(SCHEMAS[name].columns)


@pytest.mark.parametrize("repository", ["dockprom", "full-stack-fastapi-template", "saleor-platform"])
def test_real_repositories_have_tables(repository):
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here")
    found = audit.audit(CORPUS / repository, []).tables

    for name in found:
        assert_as_declared(name, found[name])
    files = set(found.files.file)
    assert {file for name in found for file in found[name].file if name != "coverage"} <= files


def test_a_table_is_made_once(example):
    assert example.services is example.services
    assert example.services is example["services"]


def test_an_unknown_table_says_which_are_near(example):
    with pytest.raises(AttributeError, match="did you mean services"):
        _ = example.servces
    with pytest.raises(UsageError, match="did you mean services"):
        example["servces"]
    assert not hasattr(example, "_anything")


def test_the_overview_escapes_and_names_every_table(example):
    html = example._repr_html_()

    assert all(f"<code>{name}</code>" in html for name in DESIGNED)
    assert "services" in repr(example)


def test_the_columns_are_documented():
    text = tables.document()

    for name, schema in SCHEMAS.items():
        assert f"## {name}" in text
        assert all(f"| `{column}` | {dtype} |" in text for column, (dtype, _) in schema.columns.items())
        assert all(meaning for _, meaning in schema.columns.values())


def test_the_example_is_in_the_tables(example):
    services = example.services.set_index("service")

    assert list(services.index) == ["db", "redis", "chroma", "api", "worker", "scheduler", "frontend", "nginx", "e2e"]
    assert services.build["api"] == "backend/Dockerfile"
    assert services.profiles["frontend"] == "frontend"
    assert services.layer["db"] == 0
    assert services.layer["nginx"] > services.layer["api"] > services.layer["db"]
    assert services.breaks["db"] >= 4
    assert set(example.volumes.query("writers > 1").volume) >= {"backend_logs"}
    assert example.ports.public.all()
    targets = example.scrape_targets.set_index("job")
    assert targets.service["propertypro-api"] == "api"
    assert not targets.resolved["postgres"]


def test_services_of_an_overlay_stand_at_the_overlay(tables_of):
    found = tables_of({
        "compose.yaml": "services:\n  same: {image: a}\n  changed: {image: b}\n",
        "compose.prod.yaml": "services:\n  changed: {restart: always}\n  added: {image: c}\n",
    })  # fmt: skip
    rows = found.services[["project", "service", "changed", "file", "line"]].values.tolist()

    assert rows == [
        ["compose.yaml", "same", False, "compose.yaml", 2],
        ["compose.yaml", "changed", False, "compose.yaml", 3],
        ["compose.prod.yaml", "changed", True, "compose.prod.yaml", 2],
        ["compose.prod.yaml", "added", False, "compose.prod.yaml", 3],
    ]


def test_dependencies_show_what_nobody_declared(tables_of):
    found = tables_of({
        "compose.yaml": "services:\n  a:\n    image: i\n    environment:\n      CACHE: redis://redis:6379\n"
        "  redis: {image: redis}\n"
    }).dependencies  # fmt: skip

    (row,) = found.to_dict("records")
    assert (row["service"], row["needs"], row["line"]) == ("a", "redis", 5)
    assert (row["declared"], row["inferred"], row["variable"]) == (False, True, "CACHE")


@pytest.mark.parametrize(
    ("reference", "repository", "tag", "digest", "pinned"),
    [
        ("redis", "redis", "", "", False),
        ("redis:latest", "redis", "latest", "", False),
        ("redis:7", "redis", "7", "", True),
        ("localhost:5000/team/api", "localhost:5000/team/api", "", "", False),
        ("localhost:5000/team/api:1.2", "localhost:5000/team/api", "1.2", "", True),
        ("redis@sha256:aa", "redis", "", "sha256:aa", True),
        ("redis:7@sha256:aa", "redis", "7", "sha256:aa", True),
        ("api:$${TAG}", "api", "${TAG}", "", True),
    ],
)
def test_an_image_is_taken_apart(tables_of, reference, repository, tag, digest, pinned):
    (row,) = tables_of({"compose.yaml": f"services:\n  a: {{image: '{reference}'}}\n"}).images.to_dict("records")

    assert (row["repository"], row["tag"], row["digest"], row["pinned"]) == (repository, tag, digest, pinned)
    assert (row["used_by"], row["kind"], row["line"]) == ("a", "service", 2)


def test_findings_and_coverage_are_tables_too():
    finding = Finding(
        "a-rule", "Title", "message", Severity.HIGH, Confidence.LOW, Area.CICD, Effort.SMALL, Location("a.yml", 3), "do"
    )
    inventory = Inventory("", "", "", files=("a.yml", "b/c.txt"))
    coverage = (Coverage("a.yml", "workflow", Read.PARTIAL, "odd", 7),)
    found = Tables(inventory, graph.build(inventory), (finding,), coverage)

    (row,) = found.findings.to_dict("records")
    assert (row["severity"], row["confidence"], row["area"]) == ("high", "low", "cicd")
    assert (row["file"], row["line"]) == ("a.yml", 3)
    assert found.coverage[["file", "kind", "status", "reason", "line"]].values.tolist() == [
        ["a.yml", "workflow", "partial", "odd", 7]
    ]
    assert found.files[["file", "folder", "extension", "kind", "status"]].values.tolist() == [
        ["a.yml", ".", ".yml", "workflow", "partial"],
        ["b/c.txt", "b", ".txt", "", ""],
    ]


def test_no_table_holds_a_secret(tables_of):
    found = tables_of({
        "compose.yaml": "services:\n  a:\n    image: i\n    command: run --password c4n4ry-S3cret1\n"
        "    environment: {API_TOKEN: c4n4ry-S3cret2, URL: 'redis://u:c4n4ry-S3cret3@r:1'}\n",
        ".env": "SECRET_KEY=c4n4ry-S3cret4\n",
    })  # fmt: skip

    assert len(found.environment) == 2
    assert not any("c4n4ry" in found[name].to_csv() for name in found)


def test_a_table_that_nobody_asks_for_costs_no_pandas():
    script = (
        "import sys; from pathlib import Path; from auditlib.audit import audit; a = audit(Path(sys.argv[1]), []); "
        "a.tables; print('pandas' in sys.modules)"
    )
    place = str(REPOSITORY / "data" / "propertypro")
    done = subprocess.run([sys.executable, "-c", script, place], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_missing_values_are_missing(tables_of):
    found = tables_of({"compose.yaml": "services:\n  a: {image: i, environment: [FROM_HOST]}\n"})

    assert found.environment.value.isna().all()
    assert found.services.replicas.isna().all()
    assert pd.api.types.is_integer_dtype(found.services.replicas)
