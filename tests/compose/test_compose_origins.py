"""Every scalar of the result whose text stands in a file is located at that text.

The projects of the property hold tokens that occur once, so there is one right answer for each.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import load, write

from auditlib.model import Location

TOKEN = re.compile(r"t\d+q|(?<!\d)4\d{4}(?!\d)")
FORMS: dict[str, list[Any]] = {
    "image": ["T", "${UNSET:-T}", "a/T:1"],
    "command": [["T", "T"], "T T", "run 'T T'"],
    "environment": [{"A": "T", "B": "T"}, ["A=T", "C=T"], {"A": "${UNSET:-T}"}, {"D": "two\nlines T"}],
    "labels": [{"l.a": "T"}, ["l.a=T", "l.b=T"]],
    "ports": [["P:P"], [{"target": "P", "published": "P"}], ["127.0.0.1:P:P/udp"]],
    "volumes": [["./T:/T:ro"], [{"type": "bind", "source": "/T", "target": "/T"}], ["/T"]],
    "hostname": ["T"],
    "healthcheck": [{"test": "T"}, {"test": ["CMD", "T"]}],
    "extra_hosts": [["T:1.1.1.1"], {"h.x": "T"}],
    "networks": [{"default": {"aliases": ["T", "T"]}}],
    "logging": [{"driver": "T", "options": {"o": "T"}}],
    "tmpfs": ["/T", ["/T"]],
    "dns": ["T", ["T"]],
    "deploy": [{"labels": {"d": "T"}, "placement": {"constraints": ["T"]}}],
    "build": ["./T", {"context": "./T", "args": {"X": "T"}, "target": "T", "additional_contexts": ["c=./T"]}],
    "configs": [["conf"], [{"source": "conf", "target": "/T"}]],
    "env_file": ["one.env"],
    "sysctls": [{"s.a": "T"}, ["s.a=T"]],
    "devices": [["/T:/T"]],
    "user": ["T"],
    "annotations": [{"n": "T"}],
}  # fmt: skip
service = st.dictionaries(st.sampled_from(sorted(FORMS)), st.integers(0, 3), min_size=1, max_size=5)
shape = st.fixed_dictionaries(
    {
        "base": st.dictionaries(st.sampled_from(["api", "db", "web"]), service, min_size=1),
        "override": st.dictionaries(st.sampled_from(["api", "db", "web"]), service, max_size=2),
        "extended": service,
        "included": service,
        "how": st.sampled_from(["plain", "extends", "other-file", "include", "alias", "merge-key"]),
    }
)


def tokens(value: Any, count: Iterator[int]) -> Any:
    """A form with each T a text, and each P a port, that occurs nowhere else."""
    if isinstance(value, str):
        if value == "P":
            return 40000 + next(count)
        filled = re.sub("P", lambda _: str(40000 + next(count)), value) if value.startswith(("P", "127")) else value
        return re.sub(r"T(?![A-Z])(?<!UNSET)", lambda _: f"t{next(count)}q", filled)
    if isinstance(value, list):
        return [tokens(item, count) for item in value]
    if isinstance(value, dict):
        return {tokens(k, count) if k == "T" else k: tokens(v, count) for k, v in value.items()}
    return value


def build(drawn: dict[str, int], count: Iterator[int]) -> dict[str, Any]:
    out = {key: tokens(FORMS[key][form % len(FORMS[key])], count) for key, form in drawn.items()}
    return out if "image" in out or "build" in out else {"image": f"t{next(count)}q", **out}


def project(drawn: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The files of a drawn project, and those to load."""
    count = itertools.count(1)
    main: dict[str, Any] = {"services": {name: build(s, count) for name, s in drawn["base"].items()}}
    main["configs"] = {"conf": {"content": f"t{next(count)}q"}}
    files = {"one.env": f"E1=t{next(count)}q\nE2='t{next(count)}q'\n# no\nA=t{next(count)}q\n"}
    extended, text = build(drawn["extended"], count), ""
    if drawn["how"] == "extends":
        main["services"] |= {"parent": extended, "child": {"extends": "parent", "user": f"t{next(count)}q"}}
    elif drawn["how"] == "other-file":
        files["common/base.yaml"] = dump({"services": {"parent": extended}})
        files["common/one.env"] = f"E3=t{next(count)}q\n"
        main["services"]["child"] = {"extends": {"file": "common/base.yaml", "service": "parent"}}
    elif drawn["how"] == "include":
        included = build({k: v for k, v in drawn["included"].items() if k != "configs"}, count)
        files["sub/compose.yaml"] = dump({"services": {"inner": included}})
        files["sub/one.env"] = f"E4=t{next(count)}q\n"
        main["include"] = ["sub/compose.yaml"]
    elif drawn["how"] in ("alias", "merge-key"):
        text = "x-shared: &shared\n" + indent(dump(extended)) + dump(main)
        own = "  child: *shared\n" if drawn["how"] == "alias" else "  child:\n    <<: *shared\n    user: t0q\n"
        text = text.replace("services:\n", "services:\n" + own, 1)
    files["compose.yaml"] = text or dump(main)
    override = {
        name: {k: v for k, v in build(s, count).items() if k != "build"} for name, s in drawn["override"].items()
    }
    names = ["compose.yaml"]
    if override:
        files["override.yaml"] = dump({"services": override})
        names.append("override.yaml")
    return files, names


def dump(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False)


def indent(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def scalars(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from scalars(item, (*path, key))
    else:
        yield path, str(value)


def text_from(place: Location, files: dict[str, str]) -> str:
    """The lines of a place, from its column on."""
    lines = files[place.file].split("\n")[place.line - 1 : place.last_line]
    return "\n".join([lines[0][place.column - 1 :], *lines[1:]])


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=shape)
def test_every_scalar_is_located_at_its_text(drawn, tmp_path_factory):
    files, names = project(drawn)
    folder = write(tmp_path_factory.mktemp("origins"), files)
    found = load(folder, *names, root=folder, strict=False)
    checked = 0
    for path, text in scalars(found.config(escaped=False)):
        for token in TOKEN.findall(text):
            place = found.location(*path)
            assert place is not None, path
            assert token in text_from(place, files), (path, place)
            checked += 1
    assert checked or found.errors


PROJECT = {
    "compose.yaml": """\
services:
  api:
    image: "acme/${NAME:-api}:${TAG}"
    environment:
      - DB=postgres://${USER:-admin}@db
      - PLAIN=1
    ports: ["${PORT:-8080}:80"]
    env_file: app.env
""",
    "override.yaml": "services:\n  api:\n    image: acme/other\n    environment:\n      PLAIN: '2'\n",
    "last.yaml": "services:\n  api:\n    image: acme/last\n    environment: ['PLAIN=3']\n",
    "app.env": "# comment\nFROM_FILE=x\nPLAIN=0\n",
    ".env": "TAG=v1\n",
}


@pytest.fixture
def example(tmp_path):
    return write(tmp_path, PROJECT)


def at(place: Location | None) -> str:
    return f"{place.file}:{place.line}:{place.column}" if place else "nowhere"


def test_losers_are_named_oldest_first(example):
    found = load(example, "compose.yaml", "override.yaml", "last.yaml", root=example)
    image = ("services", "api", "image")
    assert at(found.location(*image)) == "last.yaml:3:12"
    assert [at(place) for place in found.overridden(*image)] == ["compose.yaml:3:12", "override.yaml:3:12"]


def test_a_variable_of_a_service_remembers_the_env_file_that_it_wins_over(example):
    found = load(example, "compose.yaml", "override.yaml", root=example)
    plain = ("services", "api", "environment", "PLAIN")
    assert at(found.location(*plain)) == "override.yaml:5:14"
    assert [at(place) for place in found.overridden(*plain)] == ["app.env:3:7", "compose.yaml:6:9"]


def test_a_variable_from_an_env_file_is_located_there(example):
    found = load(example, root=example)
    assert at(found.location("services", "api", "environment", "FROM_FILE")) == "app.env:2:11"


def test_each_piece_of_a_text_is_located_at_its_dollar(example):
    found = load(example, root=example)
    image = found.interpolations("services", "api", "image")
    assert [(i.name, i.operator, i.default, at(i.location)) for i in image] == [
        ("NAME", ":-", "api", "compose.yaml:3:18"),
        ("TAG", "", None, "compose.yaml:3:31"),
    ]
    (user,) = found.interpolations("services", "api", "environment", "DB")
    assert at(user.location) == "compose.yaml:5:23"
    (port,) = found.interpolations("services", "api", "ports", 0, "published")
    assert (port.name, at(port.location)) == ("PORT", "compose.yaml:7:14")


def test_what_compose_made_up_stands_nowhere(example):
    found = load(example, root=example)
    assert found.location("networks", "default", "name") is None
    assert found.location("services", "nobody") is None
    assert found.interpolations("services", "api", "env_file") == ()


def test_variables_know_where_their_value_comes_from(example):
    found = load(example, root=example, environ={"USER": "me", "HOME": "/x"})
    known = {v.name: (v.value, v.source, at(v.source_location)) for v in found.variables}
    assert known == {
        "NAME": (None, "default", "compose.yaml:3:18"),
        "PORT": (None, "default", "compose.yaml:7:14"),
        "TAG": ("v1", "env-file", ".env:1:5"),
        "USER": ("me", "environment", "nowhere"),
    }


def test_an_unset_variable_is_a_warning_at_its_place(tmp_path):
    write(tmp_path, {"compose.yaml": "services:\n  a:\n    image: x${GONE}\n"})
    found = load(tmp_path, root=tmp_path)
    assert [(w.kind, w.variable, at(w.location)) for w in found.warnings] == [("unset", "GONE", "compose.yaml:3:12")]
    assert [v.source for v in found.variables] == ["unset"]


def test_files_bear_the_names_that_the_caller_gave_them(tmp_path, monkeypatch):
    write(tmp_path, {"d/compose.yaml": "include: [sub/c.yaml]\n", "d/sub/c.yaml": "services: {a: {image: x}}\n"})
    monkeypatch.chdir(tmp_path)
    from auditlib import compose

    found = compose.load(["d/compose.yaml"], environ={})
    assert found.files == ("d/compose.yaml", "d/sub/c.yaml")
    assert at(found.location("services", "a", "image")) == "d/sub/c.yaml:1:23"
