"""What the command line prints, as a person sees it."""

from __future__ import annotations

import pytest
from reading import load, write

from auditlib import compose

FILES = {
    "compose.yaml": """\
services:
  web:
    image: "nginx:${TAG:-1.27}"
    ports: ["8080:80"]
    environment:
      B: "yes"
      A: 10
      PRICE: 5$$
      TEXT: |
        two
        lines
    command: echo 'a b'
    x-team: ops
    depends_on: [db]
  db:
    image: postgres
    profiles: [data]
    cpus: 0.5
x-top: {b: 1, a: [1.5, null]}
""",
    "override.yaml": "services:\n  web:\n    image: nginx:next\n    environment: [A=11]\n",
}
YAML = """\
name: case
services:
  db:
    profiles:
      - data
    cpus: 0.5
    image: postgres
    networks:
      default: null
  web:
    command:
      - echo
      - a b
    depends_on:
      db:
        condition: service_started
        required: true
    environment:
      A: "10"
      B: "yes"
      PRICE: 5$$
      TEXT: |
        two
        lines
    image: nginx:1.27
    networks:
      default: null
    ports:
      - mode: ingress
        target: 80
        published: "8080"
        protocol: tcp
    x-team: ops
networks:
  default:
    name: case_default
x-top:
  a:
    - 1.5
    - null
  b: 1
"""
PROVENANCE = """\
name: case
services:                  # compose.yaml:1
  web:                     # compose.yaml:2
    command:               # compose.yaml:12
      - echo               # compose.yaml:12
      - a b                # compose.yaml:12
    environment:           # compose.yaml:5
      A: "11"              # override.yaml:4, over compose.yaml:7 (10)
      B: "yes"             # compose.yaml:6
      PRICE: 5$$           # compose.yaml:8
      TEXT: |              # compose.yaml:9
        two
        lines
    image: nginx:next      # override.yaml:3, over compose.yaml:3 ("nginx:${TAG:-1.27}")
    networks:
      default: null
    ports:                 # compose.yaml:4
      - mode: ingress      # compose.yaml:4
        target: 80         # compose.yaml:4
        published: "8080"  # compose.yaml:4
        protocol: tcp      # compose.yaml:4
    x-team: ops            # compose.yaml:13
"""


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path, FILES)


def test_yaml_is_what_compose_prints(folder):
    assert compose.render_yaml(load(folder)) == YAML


def test_json_has_the_keys_in_the_order_of_compose(folder):
    text = compose.render_json(load(folder))
    assert [line.strip().split('"')[1] for line in text.splitlines() if line.startswith('  "')] == [
        "name", "networks", "services", "x-top",
    ]  # fmt: skip
    assert '"PRICE": "5$$"' in text
    assert '"TEXT": "two\\nlines\\n"' in text


def test_json_escapes_what_go_escapes(tmp_path):
    write(tmp_path, {"compose.yaml": "services: {a: {image: x, labels: {k: '<a&b>\\u2028ü'}}}\n"})
    assert '"k": "\\u003ca\\u0026b\\u003e' in compose.render_json(load(tmp_path))


def test_provenance_follows_each_line_with_its_origin_and_the_values_that_lost(folder):
    (folder / "compose.yaml").write_text(FILES["compose.yaml"].replace("    depends_on: [db]\n", ""))
    found = load(folder, "compose.yaml", "override.yaml", root=folder, profiles=[])
    text = compose.render_yaml(found, provenance=True)
    assert text.startswith(PROVENANCE)
    assert [line.split("#")[0].rstrip() for line in text.splitlines()] == compose.render_yaml(found).splitlines()


def test_without_interpolation_the_texts_stay(folder):
    found = load(folder, interpolate=False)
    text = compose.render_yaml(found)
    assert "image: nginx:${TAG:-1.27}" in text
    assert "PRICE: 5$$" in text
    assert '"image": "nginx:${TAG:-1.27}"' in compose.render_json(found)


def test_services_come_after_what_they_depend_on(folder):
    assert compose.render_services(load(folder)) == "db\nweb\n"


def test_variables_in_a_table(folder):
    assert compose.render_variables(load(folder)).splitlines() == [
        "NAME                REQUIRED            DEFAULT VALUE       ALTERNATE VALUE",
        "TAG                 false               1.27                ",
    ]


def test_a_key_with_a_path_has_no_json_form(tmp_path):
    write(tmp_path, {"compose.yaml": "services: {a: {build: {context: ., ssh: [k=./key]}}}\n"})
    found = load(tmp_path)
    with pytest.raises(compose.ComposeError, match="no JSON form"):
        compose.render_json(found)
    assert f"- 'k: {tmp_path}/key'" in compose.render_yaml(found)
    assert load(tmp_path, strict=False).config()["services"]["a"]["build"]["ssh"] == [f"k: {tmp_path}/key"]
