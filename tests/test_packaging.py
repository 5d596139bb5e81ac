"""The wheel, installed into an empty environment elsewhere, gives the same report."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
"""The scanners are programs; the empty environment finds those of this one."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The Python of an environment that holds the wheel, and the dependencies of this one, but not this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv/bin/python"
    (wheel,) = folder.glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel]
    subprocess.run(install, check=True, capture_output=True)
    packages = next((folder / "venv").glob("lib/python*/site-packages"))
    # A plain path: the editable install of this checkout, a .pth file itself, is not followed from there.
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", encoding="utf-8")
    return python


def run(python, *arguments, cwd):
    done = subprocess.run(
        [python, "-m", "auditlib", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=cwd, env=os.environ | {"PATH": PATH},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_the_wheel_that_runs(installed, tmp_path):
    code = "import auditlib; print(auditlib.__file__)"
    place = subprocess.run([installed, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert Path(place.strip()).is_relative_to(installed.parents[1])


def test_the_report_is_the_same(installed, tmp_path):
    example = ROOT / "data/propertypro"
    run(installed, "report", example, "-o", tmp_path / "theirs", cwd=tmp_path)
    run(sys.executable, "report", example, "-o", tmp_path / "ours", cwd=ROOT)
    assert page(tmp_path / "theirs") == page(tmp_path / "ours")
    names = [
        sorted(path.relative_to(tmp_path / side) for path in (tmp_path / side).rglob("*"))
        for side in ("theirs", "ours")
    ]
    assert names[0] == names[1]


def page(folder):
    """The page without its dates and durations."""
    text = (folder / "index.html").read_text(encoding="utf-8")
    return re.sub(r"<time[^>]*>[^<]*</time>", "<time>", text)
