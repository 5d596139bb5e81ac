"""Each small stage by itself; the cases are in `cases/stages.yml`."""

from __future__ import annotations

import pytest
from reading import cases

from auditlib.compose.dotenv import parse, parse_raw
from auditlib.compose.floats import go_text, json_text, sprint, yaml_text
from auditlib.compose.gopath import clean, join
from auditlib.compose.ports import parse_ports
from auditlib.compose.shellwords import split
from auditlib.compose.template import references, substitute
from auditlib.compose.units import duration_text, parse_bytes, parse_duration
from auditlib.compose.volumes import parse_volume
from auditlib.compose.yaml_scalars import plain

KNOWN = {"A": "1", "EMPTY": ""}
STAGES = {
    "template": lambda text: substitute(text, KNOWN.get),
    "dotenv": lambda text: {item.name: item.value for item in parse(text, {}, KNOWN.get)},
    "raw": lambda text: {item.name: item.value for item in parse_raw(text, {}, KNOWN.get)},
    "port": parse_ports,
    "volume": parse_volume,
    "duration": lambda text: duration_text(parse_duration(text)),
    "bytes": parse_bytes,
    "words": split,
    "plain": plain,
}


@pytest.mark.parametrize("case", cases("stages"))
def test_stage(case):
    stage = STAGES[case["stage"]]
    if "fails" in case:
        with pytest.raises(Exception) as failure:  # noqa: PT011 - the message is compared in full
            stage(case["of"])
        assert str(failure.value).startswith(case["fails"])
    else:
        found = stage(case["of"])
        assert found == case["gives"]
        assert type(found) is type(case["gives"])


def test_references_of_a_text_are_found_with_their_places():
    text = "a ${X:-${Y-1}} $Z $$N ${W:?needed}"
    found = [(r.name, r.operator, r.argument, text[r.start : r.end]) for r in references(text)]
    assert found == [
        ("X", ":-", "${Y-1}", "${X:-${Y-1}}"),
        ("Y", "-", "1", "${Y-1}"),
        ("Z", "", "", "$Z"),
        ("W", ":?", "needed", "${W:?needed}"),
    ]


@pytest.mark.parametrize(
    ("number", "go", "json", "yaml"),
    [
        (1.0, "1", "1", "1"),
        (0.1, "0.1", "0.1", "0.1"),
        (1e21, "1e+21", "1e+21", "1e+21"),
        (1234567.0, "1.234567e+06", "1234567", "1.234567e+06"),
        (0.00001, "1e-05", "0.00001", "1e-05"),
        (-2.5, "-2.5", "-2.5", "-2.5"),
    ],
)
def test_numbers_are_written_as_go_writes_them(number, go, json, yaml):
    assert go_text(number) == go
    assert json_text(number) == json
    assert yaml_text(number) == yaml


def test_values_are_printed_as_go_prints_them():
    assert sprint({"b": [1, None, True], "a": 1.5}) == "map[a:1.5 b:[1 <nil> true]]"


@pytest.mark.parametrize(
    ("path", "cleaned"), [("a/../b", "b"), ("./", "."), ("/..//x/", "/x"), ("../../a", "../../a"), ("", ".")]
)
def test_paths_are_cleaned_as_go_cleans_them(path, cleaned):
    assert clean(path) == cleaned


def test_paths_join_without_starting_anew():
    assert join("/a", "/b", "../c") == "/a/c"
    assert join("", "") == ""
