"""Small turns of phrase that sentences and captions share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from auditlib.phrases import counted, listed


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 service`, `3 services`, `no services`."""
    return counted(number, noun, plural) if number else f"no {plural or noun + 's'}"


def listing(names: Iterable[str], limit: int = 5) -> str:
    """`a, b and c`; beyond the limit `a, b and 7 more`."""
    return listed(names, limit) or "none"


def day(moment: date) -> str:
    """`3 February 2026`."""
    return f"{moment.day} {moment:%B %Y}"


def sentence(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]


_KINDS = {
    "alertmanager": "Alertmanager", "caddy": "Caddy", "caller of scripts": "configuration that calls scripts",
    "compose": "Compose file", "grafana": "Grafana provisioning",
    "grafana-dashboard": "Grafana dashboard", "logs": "log collection", "makefile": "Makefile", "nginx": "Nginx",
    "prometheus": "Prometheus", "prometheus-rules": "Prometheus rules", "requirements": "Python requirements",
    "settings code": "code that reads settings", "test": "tests", "web routes": "code with web routes",
}  # fmt: skip
"""What people call the kinds of files whose names in a findings document programs rely on."""


def kind(name: str) -> str:
    """A kind of file of the coverage, in words."""
    return _KINDS.get(name, name)
