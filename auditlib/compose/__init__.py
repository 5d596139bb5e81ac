"""Docker Compose projects, resolved as Docker Compose resolves them, with the origin of every value.

    from auditlib import compose
    project = compose.load(["compose.yaml", "compose.override.yaml"], profiles=["*"])
    project.config()                                   # what `docker compose config --format json` gives
    project.location("services", "api", "image")       # file, line and column of the value that won

Needs neither Docker nor a network, runs nothing, and knows nothing of the rest of auditlib but `Location`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditlib.compose.discovery import Found, discover
    from auditlib.compose.errors import ComposeError
    from auditlib.compose.loading import load
    from auditlib.compose.origins import Interpolated, Variable
    from auditlib.compose.project import Project
    from auditlib.compose.render import render_json, render_services, render_variables, render_yaml
    from auditlib.compose.session import Notice
    from auditlib.model import Location

__all__ = [
    "ComposeError",
    "Found",
    "Interpolated",
    "Location",
    "Notice",
    "Project",
    "Variable",
    "discover",
    "load",
    "render_json",
    "render_services",
    "render_variables",
    "render_yaml",
]
_HOMES = {
    "ComposeError": "errors", "Found": "discovery", "Interpolated": "origins", "Notice": "session",
    "Project": "project", "Variable": "origins", "discover": "discovery", "load": "loading", "render_json": "render",
    "render_services": "render", "render_variables": "render", "render_yaml": "render",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Bring a public name when it is first asked for, so that importing this package costs next to nothing."""
    if name == "Location":
        from auditlib.model import Location

        found: Any = Location
    elif name in _HOMES:
        found = getattr(import_module(f"auditlib.compose.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
