"""What an answer of the graph looks like to a person: a table in a notebook and on a terminal."""

import html
from html.parser import HTMLParser

import pytest

from auditlib import graph, readers
from auditlib.audit import audit
from auditlib.source import Source

HOSTILE = "<script>alert(1)</script>"
STACK = """\
services:
  redis:
    image: redis:7
  api:
    image: acme/api:1
    environment:
      REDIS_PASSWORD: ${REDIS_PASSWORD:-hunter22}
    depends_on:
      redis: {condition: service_healthy}
"""


@pytest.fixture
def found(tmp_path):
    (tmp_path / "compose.yaml").write_text(STACK, encoding="utf-8")
    return audit(tmp_path, scanned=False).graph


@pytest.mark.parametrize(
    ("question", "columns"),
    [
        ("start_order", {"step", "services"}),
        ("single_points", {"name", "fails_too", "goes_on_without_it", "file", "line"}),
        ("credential_flow", {"variable", "value", "from", "reaches", "opens", "file", "line"}),
    ],
)
def test_an_answer_is_a_dataframe_too(found, question, columns):
    answer = getattr(found, question)()

    assert columns <= set(answer.table.columns)
    assert len(answer.table) == len(answer)


def test_what_dies_with_redis_is_one_line_with_its_place(found):
    (row,) = found.what_breaks("redis").table.to_dict("records")

    assert (row["name"], row["effect"], row["why"]) == ("api", "fails too", "api depends_on redis")
    assert (row["file"], row["line"]) == ("compose.yaml", 9)
    assert "api depends_on redis" in str(found.what_breaks("redis"))


def test_what_a_service_waits_for_and_what_is_undeclared_are_tables_too(tmp_path):
    (tmp_path / "compose.yaml").write_text(f"{STACK}  web:\n    image: w:1\n    command: ping api\n", encoding="utf-8")
    found = audit(tmp_path, scanned=False).graph

    assert found.waits_for("api").table.to_dict("records") == [
        {"name": "redis", "kind": "service", "file": "compose.yaml", "line": 2}
    ]
    assert str(found.waits_for("redis")) == "redis waits for nothing."
    assert list(found.undeclared().table.columns) == ["from", "verb", "to", "file", "line"]


def test_the_edges_of_a_verb_are_those_that_are_there_now(found):
    found.remove_edge("service:api", "service:redis")
    found.add_edge("service:redis", "service:api", verb="depends_on", location=None)

    assert [(edge.source, edge.target) for edge in found.edges_of("depends_on")] == [("service:redis", "service:api")]


def test_an_answer_without_records_is_a_sentence(found):
    assert str(found.what_breaks("api")) == "Nothing depends on api."
    assert found.what_breaks("api")._repr_html_() == "<p>Nothing depends on api.</p>"
    assert list(found.cycles().table.columns) == ["cycle", "file", "line"]
    assert found.cycles().table.query("file == 'x'").empty


def test_a_circle_is_shown_closed(tmp_path):
    (tmp_path / "compose.yaml").write_text(
        "services:\n  a: {image: a, depends_on: [b]}\n  b: {image: b, depends_on: [a]}\n", encoding="utf-8"
    )
    cycles = graph.build(readers.read(Source(tmp_path))).cycles()

    assert list(cycles.table["cycle"]) == ["a → b → a"]


def test_html_in_a_name_stays_text_and_no_secret_shows(found):
    found.add_node(f"script:{HOSTILE}", kind="script", name=HOSTILE, location=None)
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, _attributes: tags.append(tag)
    parser.feed(found.isolated()._repr_html_())

    assert "script" not in tags
    assert HOSTILE in html.unescape(found.isolated()._repr_html_())
    assert "hunter22" not in found.credential_flow()._repr_html_() + str(found.credential_flow())


@pytest.mark.parametrize("derive", [lambda found: found.copy(), lambda found: found.subgraph(list(found))])
def test_a_copy_and_a_part_answer_too(found, derive):
    derived = derive(found)

    assert derived.credential_flow() == found.credential_flow() != []
    assert derived.resolve("redis", near="compose.yaml") == "service:redis"
    assert derived.what_breaks("redis") == found.what_breaks("redis")


def test_a_default_of_the_tests_is_none_of_the_programs(tmp_path):
    for path in ("app/settings.py", "tests/conftest.py"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("import os\nos.environ.setdefault('API_KEY', 'hunter22')\n", encoding="utf-8")
    (flow,) = audit(tmp_path, scanned=False).graph.credential_flow()

    assert [origin.location.file for origin in flow.origins] == ["app/settings.py"]
