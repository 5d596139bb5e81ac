"""YAML with positions, read by the core schema of YAML 1.2, bounded whatever the input."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.yamltree import YamlError, parse

VALUES = {
    "on": "on", "yes": "yes", "22:22": "22:22", "true": True, "False": False, "null": None, "~": None, "": None,
    "12": 12, "-3": -3, "0x1F": 31, "0o17": 15, "017": 17, "1_000": "1_000", "1.5": 1.5, "1e3": 1000.0, ".5": 0.5,
    "'12'": "12", '"true"': "true", "2024-01-01": "2024-01-01", "1.2.3": "1.2.3", "9" * 40: "9" * 40,
}  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_scalars_follow_the_core_schema(text):
    assert parse(f"a: {text}\n")[0].get("a").value == VALUES[text]


def plain(node):
    if node.is_mapping:
        return {key.text: plain(value) for key, value in node.items()}
    if node.is_sequence:
        return [plain(item) for item in node.elements()]
    return node.value


MERGES = {
    "own keys win": "x: &x {a: 1, b: 2}\ny: {<<: *x, a: 3}",
    "earlier sources win": "x: &x {a: 1}\nz: &z {a: 2, c: 3}\ny: {<<: [*x, *z]}",
    "merges of merges": "x: &x {a: 1}\nz: &z {<<: *x, b: 2}\ny: {<<: *z, c: 3}",
    "shared values": "x: &x [1, 2]\ny: *x",
    "several documents": "x: 1",
}


@pytest.mark.parametrize("name", MERGES)
def test_anchors_and_merge_keys_mean_what_they_mean_elsewhere(name):
    assert plain(parse(MERGES[name])[0])["y" if "y" in MERGES[name] else "x"] == (
        yaml.safe_load(MERGES[name]).get("y", 1)
    )


def test_positions_count_from_one_and_end_with_the_last_child():
    text = 'a:\n  - b: 1\n    c: |\n      x\n      y\n  - "d"\ne: {f: [1,\n  2]}\n'
    root = parse(text)[0]
    first = root.get("a").elements()[0]
    assert (first.line, first.column, first.end_line) == (2, 5, 5)
    assert (first.get("c").line, first.get("c").end_line) == (3, 5)
    assert root.get("a").end_line == 6
    assert (root.get("e", "f").line, root.get("e", "f").end_line) == (7, 8)


def test_an_alias_stands_where_its_anchor_does():
    root = parse("x: &x {a: 1}\ny:\n  z: *x\n")[0]
    assert root.get("y", "z") is root.get("x")


BROKEN = {
    "a: [": 2, "a: b: c": 1, "a: *x": 1, "a: 'x": 1, "\ta: 1": 1, "a: 1\n  b: 2": 2, "%YAML 9": 1, "\x00": 1,
    "a: !<": 1, "[" * 20_000: 1,
}  # fmt: skip


@pytest.mark.parametrize("text", BROKEN, ids=[repr(text[:12]) for text in BROKEN])
def test_what_is_no_yaml_has_a_reason_and_a_line(text):
    with pytest.raises(YamlError) as caught:
        parse(text)
    assert caught.value.reason
    assert caught.value.line in (BROKEN[text], BROKEN[text] - 1, BROKEN[text] + 1)


def test_an_alias_bomb_stays_as_small_as_its_text():
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 30)]
    root = parse("\n".join(lines))[0]
    assert sum(1 for _ in root.walk()) < 100


def test_a_bomb_of_merge_keys_is_refused():
    big = ", ".join(f"k{n}: 1" for n in range(3_000))
    many = ", ".join(["*x"] * 3_000)
    with pytest.raises(YamlError, match="merge keys"):
        parse(f"x: &x {{{big}}}\ny: {{<<: [{many}]}}\n")


def test_an_anchor_may_hold_itself():
    root = parse("a: &a\n  <<: *a\n  b: *a\n")[0]
    assert [key.text for key, _ in root.get("a").items()] == ["b"]
    assert sum(1 for _ in root.walk()) < 10


def test_python_tags_are_text():
    assert parse("a: !!python/object/apply:os.system ['x']\n")[0].get("a").is_sequence


@settings(max_examples=200)
@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"%#?,~<\n\t 1"), max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        documents = parse(text)
    except YamlError:
        return
    for document in documents:
        for node in document.walk():
            assert node.line >= 1
            assert node.end_line >= 1
            assert node.items() is node.items()
            assert isinstance(node.texts(), list)
            assert node.value is None or node.kind == "scalar"


json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(st.sampled_from("abn:-#'\" {}[]*&!|>%@`,?~")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.from_regex("[a-z]{1,5}", fullmatch=True), inner),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=100)
@given(json_like)
def test_what_another_writer_wrote_is_read_the_same(value):
    assert plain(parse(yaml.safe_dump({"v": value}))[0]) == {"v": value}
