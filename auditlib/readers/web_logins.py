"""Reads which files make Prometheus, Alertmanager and exporters ask for a password.

Follows https://prometheus.io/docs/prometheus/latest/configuration/https/; the hashes of the passwords are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlib.inventory.monitoring import WebLogin
from auditlib.readers import reading, selection
from auditlib.readers.nodes import location
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

KIND = "web login"
_KEY = "basic_auth_users"


def read(source: Source) -> reading.Reading:
    """Every file that names users with their passwords' hashes."""
    files = selection.containing(source, selection.YAML, f"{_KEY}:")
    return reading.each(source, (file for file in files if _is_web_configuration(source, file)), KIND, _read)


def _is_web_configuration(source: Source, file: str) -> bool:
    try:
        return any(_users(document) for document in source.yaml(file))
    except Unreadable:
        return "web" in file.lower()


def _users(document: Node) -> Node | None:
    found = document.get(_KEY)
    return found if found and found.is_mapping and list(found.items()) else None


def _read(source: Source, file: str) -> Iterator[Any]:
    for document in source.yaml(file):
        if users := _users(document):
            yield WebLogin(file, location(users, file))
