"""Docker Compose projects, resolved as Docker Compose resolves them, with the origin of every value.

    from auditlib import compose
    project = compose.load(["compose.yaml", "compose.override.yaml"], profiles=["*"])
    project.config()                                   # what `docker compose config --format json` gives
    project.location("services", "api", "image")       # file, line and column of the value that won

Needs neither Docker nor a network, runs nothing, and knows nothing of the rest of auditlib but `Location`.
"""

from __future__ import annotations

from auditlib.compose.discover import Found, discover
from auditlib.compose.errors import ComposeError
from auditlib.compose.load import load
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
