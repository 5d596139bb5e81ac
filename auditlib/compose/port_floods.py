"""Ranges of ports that would be written out one by one to more than any project has.

Compose itself writes out whatever it is given; here the memory that a file can ask for is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from auditlib.compose.errors import Path
from auditlib.compose.places import prune_all
from auditlib.compose.tree import Map, Mark, Seq
from auditlib.patterns import regex

Fault = Callable[[str, Mark, Path], None]
LIMIT = 200_000
"""Ports of all services together."""

_RANGE = regex(r"(?:.*:)?(\d{1,5})-(\d{1,5})(?:/\w+)?\Z", re.DOTALL)


def without_port_floods(project: Map, fault: Fault) -> Map:
    """The project without the ports of those services that go beyond the limit."""
    services = project.get("services")
    total, flooded = 0, list[Path]()
    for name, service in services.items() if isinstance(services, Map) else ():
        ports = service.get("ports") if isinstance(service, Map) else None
        width = sum(map(_width, ports)) if isinstance(ports, Seq) else 0
        total += width
        if total > LIMIT and width > 1000:
            total -= width
            path: Path = ("services", name, "ports")
            fault(f"these ranges bring the project beyond {LIMIT} ports", service.marks.get("ports"), path)
            flooded.append(path)
    return prune_all(project, flooded) if flooded else project


def _width(port: Any) -> int:
    found = _RANGE.match(port) if isinstance(port, str) and "-" in port else None
    return max(int(found[2]) - int(found[1]) + 1, 1) if found else 1
