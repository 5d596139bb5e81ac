"""Small helpers of these tests: cases from YAML files, and projects written to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from auditlib import compose

HERE = Path(__file__).parent


def cases(name: str) -> list[Any]:
    """The cases of `cases/<name>.yml` as pytest parameters; each has a `name` that reads as a sentence."""
    found = yaml.safe_load((HERE / "cases" / f"{name}.yml").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in found]


def write(folder: Path, files: dict[str, str]) -> Path:
    """The files in a folder."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def load(folder: Path, *files: str, **options: Any) -> compose.Project:
    """A project of a folder, with an environment that the machine has no part in."""
    options.setdefault("environ", {"HOME": "/nonexistent", "PWD": str(folder)})
    options.setdefault("project_name", "case")
    options.setdefault("profiles", ["*"])
    return compose.load([folder / name for name in files or ("compose.yaml",)], **options)


def value_at(config: Any, dotted: str) -> Any:
    """The value at a path such as `services.api.ports.0.target`."""
    for part in dotted.split("."):
        config = config[int(part)] if isinstance(config, list) else config[part]
    return config
