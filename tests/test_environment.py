"""environment.yml, pyproject.toml and constraints.txt name the same things in the same versions."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"python-build": "build"}
"""What conda-forge calls otherwise than the package index."""


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    return {normal(re.match(r"[\w.-]+", text)[0]) for text in texts}


def constraints():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {normal(name): version for name, version in pins}


def environment():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    conda = [entry.split("=", 1) for entry in entries if isinstance(entry, str) and "=" in entry]
    pip = [entry.split("==", 1) for entry in entries[-1]["pip"] if "==" in entry]
    return {normal(CONDA_NAMES.get(name, name)): version for name, version in conda + pip}


def test_the_environment_holds_every_requirement_and_nothing_else():
    assert set(environment()) - {"python"} == requirement_names()


@pytest.mark.parametrize("name", sorted(requirement_names()))
def test_the_versions_agree(name):
    assert environment()[name] == constraints()[name]


def test_the_python_version_is_one_that_the_project_supports():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert environment()["python"] == wanted.removeprefix(">=")


def test_nothing_is_pinned_by_address():
    for name in ("constraints.txt", "environment.yml"):
        assert "://" not in (ROOT / name).read_text(encoding="utf-8")
