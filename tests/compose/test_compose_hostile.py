"""Bad input is a `ComposeError` with a place, quickly: never another exception, never execution, never unbounded."""

from __future__ import annotations

import os
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import load, write

from auditlib import compose
from auditlib.compose import dotenv, template
from auditlib.compose.sources import Sources

BOMB = "x0: &x0 {a: 1, b: 2, c: 3}\n" + "".join(
    f"x-{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 10)}]\n" for i in range(1, 9)
)
TEXTS = {
    "nothing": "",
    "only a comment": "# nothing\n",
    "a null document": "---\n",
    "a list at the top": "- a\n",
    "a text at the top": "hello\n",
    "a tab for indentation": "services:\n\tapi: {}\n",
    "an open bracket": "services: {api: [\n",
    "control characters": "services:\n  a: \x01\n",
    "a repeated key": "services:\n  a: {image: x}\n  a: {image: y}\n",
    "a number for a key": "services:\n  a: {image: x, 5: y}\n",
    "a mapping for a key": "services:\n  ? {a: b}\n  : {image: x}\n",
    "an unknown anchor": "services: *gone\n",
    "an anchor within itself": "services: &s\n  a: *s\n",
    "a merge key that merges itself": "services:\n  a: &a\n    <<: *a\n    image: x\n",
    "a merge key with a text": "services:\n  a:\n    <<: text\n    image: x\n",
    "an alias bomb": BOMB + "services: {a: {image: x, labels: *x8}}\n",
    "20,000 nested lists": "services: " + "[" * 20_000 + "]" * 20_000 + "\n",
    "20,000 nested mappings": "services: " + "{a: " * 20_000 + "x" + "}" * 20_000 + "\n",
    "20,000 compact lists": "services:\n  " + "- " * 20_000 + "x\n",
    "20,000 complex keys": "? " * 20_000 + "x\n",
    "20,000 levels by aliases": "x-0: &x0 {}\n"
    + "".join(f"x-{i}: &x{i} {{a: *x{i - 1}}}\n" for i in range(1, 20_000))
    + "services: {a: {image: x, x-y: *x19999}}\n",
    "a service that is a text": "services: {a: text}\n",
    "services that are a list": "services: [a]\n",
    "extends of a list": "services: {a: {extends: [b]}}\n",
    "extends without a service": "services: {a: {extends: {file: 3}}}\n",
    "a service that extends itself": "services: {a: {extends: a}}\n",
    "services that extend each other": "services: {a: {extends: b}, b: {extends: a}}\n",
    "a file that includes itself": "include: [compose.yaml]\n",
    "an include of numbers": "include: [1, {path: [2]}]\n",
    "an include that is a text": "include: other.yaml\n",
    "a remote include": "include: ['git://example.org/x.git']\nservices: {a: {image: x}}\n",
    "mutual dependence": "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}\n",
    "deeply nested variables": "services: {a: {image: '" + "${A:-" * 5_000 + "}" * 5_000 + "'}}\n",
    "an integer of 5,000 digits": "services: {a: {image: x, scale: " + "9" * 5_000 + "}}\n",
    "a port of 5,000 digits": "services: {a: {image: x, ports: ['" + "9" * 5_000 + ":1']}}\n",
    "a date": "services: {a: {image: x, hostname: 2001-01-01}}\n",
    "a bad integer": "services: {a: {image: x, scale: !!int abc}}\n",
    "more values than anyone writes": "services: [" + "[]," * 300_000 + "]\n",
    "a million ports": "services:\n" + "".join(f"  a{i}: {{image: x, ports: ['1-65535']}}\n" for i in range(16)),
    "10,000 unknown keys": "services:\n  a:\n" + "".join(f"    k{i}: 1\n" for i in range(10_000)),
    "10,000 variables in a line": "services: {a: {image: '" + "${A:-x}" * 10_001 + "'}}\n",
    "services that extend each other too often": "services:\n"
    + "".join(f"  s{i}: {{extends: s{i + 1}}}\n" for i in range(500))
    + "  s500: {image: x}\n",
    "an override of another type": "services: {a: {image: x, build: [1]}}\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_is_refused_with_a_place(text, tmp_path):
    write(tmp_path, {"compose.yaml": text})
    with pytest.raises(compose.ComposeError) as refusal:
        load(tmp_path, root=tmp_path)
    assert all(error.location is not None for error in refusal.value.errors)
    tolerant = load(tmp_path, root=tmp_path, strict=False)
    assert tolerant.errors
    tolerant.config()
    assert tolerant.variables is not None


@pytest.mark.parametrize("data", [b"\x00\x01\x02", b"\xff\xfe\x00", b"a: \xff\n", b"\x80abc", os.urandom(4096)])
def test_what_is_no_text_is_refused(data, tmp_path):
    (tmp_path / "compose.yaml").write_bytes(data)
    with pytest.raises(compose.ComposeError):
        load(tmp_path)


def test_a_gigantic_file_is_refused_unread(tmp_path):
    with (tmp_path / "compose.yaml").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    tracemalloc.start()
    with pytest.raises(compose.ComposeError, match="104857600 bytes"):
        load(tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 5 * 1024 * 1024
    tracemalloc.stop()


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(compose.ComposeError, match="is a folder"):
        compose.load([tmp_path])
    with pytest.raises(compose.ComposeError, match="not found"):
        compose.load([tmp_path / "none.yaml"])
    with pytest.raises(compose.ComposeError, match="no Compose file"):
        compose.load([])


def test_python_tags_run_nothing_and_are_texts_as_in_compose(tmp_path):
    write(tmp_path, {"compose.yaml": "services: {a: {image: !!python/object/apply:os.system ['touch pwned']}}\n"})
    with pytest.raises(compose.ComposeError):
        load(tmp_path)
    write(tmp_path, {"compose.yaml": "services: {a: {image: !!python/name:os.system x}}\n"})
    assert load(tmp_path).config()["services"]["a"]["image"] == "x"
    assert not (tmp_path / "pwned").exists()


def test_every_fault_of_a_file_is_reported(tmp_path):
    text = "services:\n  a:\n    imagee: x\n    ports: 80\n    scale: many\n  b:\n    image: [1]\nvolume: {}\n"
    write(tmp_path, {"compose.yaml": text})
    with pytest.raises(compose.ComposeError) as refusal:
        load(tmp_path, root=tmp_path)
    assert str(refusal.value).splitlines() == [
        "compose.yaml:3:13: services.a.imagee: unknown key; did you mean image?",
        "compose.yaml:4:12: services.a.ports: expected a list, found 80",
        "compose.yaml:5:12: services.a.scale: expected an integer, found 'many'",
        "compose.yaml:7:5: services.b.image: expected a text, found a list",
        "compose.yaml:8:1: volume: unknown key; did you mean volumes?",
    ]
    assert [e.location.line for e in refusal.value.errors] == [3, 4, 5, 7, 8]


def test_an_error_does_not_repeat_a_secret(tmp_path):
    files = {
        "compose.yaml": """\
services:
  a: {image: x, environment: hunter2, env_file: bad.env, command: 'a (hunter2'}
""",
        "bad.env": "PASSWORD='hunter2\n",
    }
    found = load(write(tmp_path, files), strict=False)
    assert len(found.errors) >= 2
    assert "hunter2" not in " ".join(str(error) for error in found.errors)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("include: [../outside.yaml]\nservices: {a: {image: x}}\n", "include"),
        ("include: [{path: in.yaml, env_file: ../outside.env}]\nservices: {a: {image: x}}\n", "include"),
        ("services: {a: {image: x, extends: {file: ../outside.yaml, service: b}}}\n", "services.a.extends"),
        ("services: {a: {image: x, env_file: ../outside.env}}\n", "services.a.env_file"),
        ("services: {a: {image: x, env_file: link.env}}\n", "services.a.env_file"),
        ("services: {a: {image: x, label_file: [../outside.env]}}\n", "services.a.label_file"),
        ("services: {a: {image: x}}\nsecrets: {s: {file: ../outside.env}}\n", "secrets.s.file"),
        ("services: {a: {image: x}}\nconfigs: {c: {file: /etc/hostname}}\n", "configs.c.file"),
    ],
)
def test_nothing_outside_the_root_is_opened(text, path, tmp_path, monkeypatch):
    root = tmp_path / "root"
    write(root, {"compose.yaml": text, "in.yaml": "services: {i: {image: x}}\n"})
    write(tmp_path, {"outside.yaml": "services: {b: {hostname: leaked}}\n", "outside.env": "LEAKED=yes\n"})
    (root / "link.env").symlink_to(tmp_path / "outside.env")
    opened = []
    read = Sources._text

    def watched(sources, path, name):
        sources.guard(path)
        opened.append(path)
        return read(sources, path, name)

    monkeypatch.setattr(Sources, "_text", watched)
    found = load(root, root=root, strict=False)
    (error,) = found.errors
    assert (error.kind, error.location.file) == ("outside-root", "compose.yaml")
    assert error.location.line >= 1
    assert {os.path.basename(path) for path in opened} <= {"compose.yaml", "in.yaml"}
    assert path.split(".")[0] in (error.path[0] if error.path else "include")
    assert "leaked" not in str(found.config()).lower()


def test_a_linked_compose_file_and_env_file_out_of_the_root_are_not_opened(tmp_path):
    root = tmp_path / "root"
    write(root, {"ok.yaml": "services: {a: {image: 'x${LEAKED}'}}\n"})
    write(tmp_path, {"outside.env": "LEAKED=yes\n", "outside.yaml": "services: {b: {image: leaked}}\n"})
    (root / "compose.yaml").symlink_to(tmp_path / "outside.yaml")
    (root / ".env").symlink_to(tmp_path / "outside.env")
    found = load(root, "compose.yaml", "ok.yaml", root=root, strict=False)
    assert {error.kind for error in found.errors} == {"outside-root"}
    assert found.config()["services"]["a"]["image"] == "x"


def test_an_overlay_that_needs_an_undefined_service_is_one_error(tmp_path):
    files = {
        "base.yaml": "services: {a: {image: x}}\n",
        "prod.yaml": "services: {a: {depends_on: [gone], restart: always}}\n",
    }
    found = load(write(tmp_path, files), "base.yaml", "prod.yaml", root=tmp_path, strict=False)
    assert [(e.kind, e.location.file) for e in found.errors] == [("undefined-service", "prod.yaml")]
    assert found.config()["services"]["a"]["restart"] == "always"


yaml_like = st.lists(
    st.sampled_from(
        ["services:", "  a:", "    image: x", "    ports: ['80']", "- ", "{", "}", "[", "]", "&a ", "*a ", "<<: ",
         "!reset ", "!override ", "${A:-", "}", "$", "'", '"', "\n", "  ", ": ", "include:", "extends: ", "null", "1",
         "|\n", "volumes:", "environment:", "depends_on: [a]", "networks:", "#", "---\n", "build: ", "? "]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@settings(max_examples=250)
@given(text=st.one_of(st.text(max_size=80), yaml_like))
def test_arbitrary_text_raises_nothing_else(text, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "arbitrary"
    folder.mkdir(exist_ok=True)
    (folder / "compose.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
    with suppress(compose.ComposeError):
        load(folder).config()
    load(folder, strict=False).config()


@settings(max_examples=200)
@given(text=st.one_of(st.text(max_size=60), st.text("AB=\"'$\\{}:-# \n", max_size=40)))
def test_arbitrary_env_files_raise_nothing_else(text):
    for read in (dotenv.parse, dotenv.parse_raw):
        with suppress(dotenv.DotenvError):
            for item in read(text, {}, lambda _: None):
                assert 0 <= item.start <= item.end <= len(text)


@settings(max_examples=200)
@given(text=st.one_of(st.text(max_size=60), st.text("AB${}:-+?x ", max_size=30)))
def test_arbitrary_templates_raise_nothing_else(text):
    with suppress(template.InvalidTemplateError, template.MissingRequiredError):
        template.substitute(text, {"A": "1"}.get)
    for found in template.references(text):
        assert text[found.start] == "$"
        assert found.start < found.end <= len(text)
