"""Small projects resolved; the cases are in `cases/resolve.yml`."""

from __future__ import annotations

import json

import pytest
from reading import cases, load, value_at, write

from auditlib import compose
from auditlib.compose.errors import dotted


@pytest.mark.parametrize("case", cases("resolve"))
def test_project(case, tmp_path):
    write(tmp_path, case["files"])
    files = [name for name in case["files"] if name.endswith(".yaml") and "/" not in name]
    included = "include" in case["files"]["compose.yaml"]
    found = load(
        tmp_path,
        *(files[:1] if included else files),
        root=tmp_path,
        strict=False,
        profiles=case.get("profiles", ["*"]),
    )
    assert [f"{e.kind} {e.location}:{e.location.column} {dotted(e.path)}" for e in found.errors] == case.get(
        "errors", []
    )
    assert [f"{w.kind} {w.location}:{w.location.column}" for w in found.warnings] == case.get("warnings", [])
    config = json.loads(json.dumps(found.config(escaped=False)).replace(str(tmp_path), "$DIR"))
    for path, value in case.get("values", {}).items():
        assert value_at(config, path) == value
    for path in case.get("absent", ()):
        with pytest.raises(KeyError):
            value_at(config, path)
    assert list(found.disabled) == case.get("disabled", [])


def test_a_refusal_is_raised_when_strict(tmp_path):
    write(tmp_path, {"compose.yaml": "services:\n  a:\n    depends_on: [b]\n    image: x\n"})
    with pytest.raises(compose.ComposeError) as refusal:
        load(tmp_path, root=tmp_path)
    assert str(refusal.value) == "compose.yaml:3:18: services.a.depends_on.b: service b is not defined"
    assert refusal.value.path == ("services", "a", "depends_on", "b")


@pytest.mark.parametrize(
    ("files", "environ", "given", "name"),
    [
        ({"My App/compose.yaml": "services: {}"}, {}, None, "myapp"),
        ({"d/compose.yaml": "name: 'P-${X:-y}'\nservices: {}"}, {}, None, "p-y"),
        ({"d/compose.yaml": "name: other\nservices: {}"}, {"COMPOSE_PROJECT_NAME": "env"}, None, "env"),
        ({"d/compose.yaml": "name: other\nservices: {}", "d/.env": "COMPOSE_PROJECT_NAME=dotenv"}, {}, None, "dotenv"),
        ({"d/compose.yaml": "name: other\nservices: {}"}, {"COMPOSE_PROJECT_NAME": "env"}, "given", "given"),
    ],
)
def test_the_project_is_named(files, environ, given, name, tmp_path):
    write(tmp_path, files)
    assert load(tmp_path, next(iter(files)), environ=environ, project_name=given).name == name


def test_a_bad_name_is_refused(tmp_path):
    write(tmp_path, {"compose.yaml": "services: {}"})
    with pytest.raises(compose.ComposeError, match="invalid project name 'Bad'"):
        load(tmp_path, project_name="Bad")


def test_profiles_come_from_the_environment_when_none_are_given(tmp_path):
    write(tmp_path, {"compose.yaml": "services: {a: {image: x, profiles: [p]}}", ".env": "COMPOSE_PROFILES=q,p"})
    assert list(load(tmp_path, profiles=()).services) == ["a"]


def test_env_files_replace_the_one_beside_the_project(tmp_path):
    files = {
        "compose.yaml": "services: {a: {image: 'x${A}${B}${C}'}}",
        ".env": "A=0",
        "1.env": "A=1\nB=1",
        "2.env": "B=2\nC=$A",
    }
    write(tmp_path, files)
    found = load(tmp_path, env_files=[tmp_path / "1.env", tmp_path / "2.env"])
    assert found.config()["services"]["a"]["image"] == "x121"
    assert load(tmp_path, env_files=()).config()["services"]["a"]["image"] == "x"


def test_disabled_services_can_be_asked_about(tmp_path):
    text = "services:\n  a: {image: x}\n  b:\n    image: y\n    profiles: [p]\n    env_file: e.env\n"
    write(tmp_path, {"compose.yaml": text, "e.env": "K=v"})
    found = load(tmp_path, profiles=(), root=tmp_path)
    assert found.disabled == ("b",)
    assert found.full_config()["services"]["b"]["environment"] == {"K": "v"}
    assert str(found.location("services", "b", "image")) == "compose.yaml:4"


def test_a_secret_from_the_environment_is_not_in_the_result(tmp_path):
    write(
        tmp_path, {"compose.yaml": "services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {environment: PASSWORD}}\n"}
    )
    found = load(tmp_path, environ={"PASSWORD": "hunter2"})
    assert "hunter2" not in json.dumps(found.config()) + json.dumps(found.full_config()) + compose.render_yaml(found)
