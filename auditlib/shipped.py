"""Where the notebooks and the example are: in the repository, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

from auditlib.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent
_HOMES = (_PACKAGE / "_shipped", _PACKAGE.parent)
"""The wheel carries both folders inside the package; a checkout has them beside it."""


def notebooks() -> Path:
    """The folder of the workbook's notebooks."""
    return _folder("notebooks")


def example() -> Path:
    """The repository that a notebook shows when no other is named."""
    return _folder("data/propertypro")


def _folder(name: str) -> Path:
    for home in _HOMES:
        if (home / name).is_dir():
            return home / name
    raise UsageError(f"auditlib's own folder {name} is missing; install auditlib again")
