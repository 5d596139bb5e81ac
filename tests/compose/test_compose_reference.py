"""Random projects compared with the real Docker Compose, whose path is in the variable DOCKER_COMPOSE."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from random_projects import Case, project
from reading import write

from auditlib import compose

PROGRAM = os.environ.get("DOCKER_COMPOSE", "")
ENVIRONMENT = {"HOME": "/nonexistent"}
pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(not PROGRAM, reason="DOCKER_COMPOSE does not name the real program"),
]


@pytest.mark.parametrize("seed", range(0, 5000, 50))
@pytest.mark.parametrize("wild", [0.004, 0.03], ids=["tame", "wild"])
def test_agrees_with_the_real_program(seed, wild, tmp_path, monkeypatch):
    wrong = []
    for number in range(seed, seed + 50):
        folder = tmp_path / str(number)
        case = project(number, wild)
        write(folder, case.texts)
        monkeypatch.chdir(folder)
        if reference(case, folder) != ours(case, folder):
            wrong.append(number)
    assert wrong == []


def reference(case: Case, folder: Path) -> str | None:
    """The real program's answer; `None` if it refuses."""
    options = [word for p in case.profiles for word in ("--profile", p)] + [w for f in case.files for w in ("-f", f)]
    command = [PROGRAM, "-p", "case", *options, "config", "--format", "json"]
    answer = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60
    )
    return exact(json.loads(answer.stdout)) if answer.returncode == 0 else None


def ours(case: Case, folder: Path) -> str | None:
    """Our answer; `None` if we refuse."""
    files = [folder / name for name in case.files]
    try:
        found = compose.load(files, profiles=case.profiles, project_name="case", environ=ENVIRONMENT)
        return exact(found.config())
    except compose.ComposeError:
        return None


def exact(value: object) -> str:
    """A form in which 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)
