"""Where documents, scripts and Makefiles say how to log in to Grafana as `admin`, the name that its image makes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.inventory.configuration import ToldLogin
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.reading import Reading
from auditlib.source import Source

_ENDINGS = (".md", ".sh")
_LINE = 500
_TOLD = regex(r"[(（`|,:：*]\s{0,3}admin\s?[/:]\s?(?P<password>\w[^\s()（）`|/*\"']{2,60})\s?(?=[)）`|*\"']|\s*$)")
"""A login behind the product's name: `Grafana: http://localhost:3000 (admin/secret)`."""
_USED = regex(
    r"https?://admin:(?P<password>\w[^\s@/:]{2,60})@[\w.$\{\}-]+(?::\d+)?/api/(?:dashboards|datasources|org|admin|folders)"
)
"""A request of Grafana's interface for programs, with a login in its address."""


def read(source: Source) -> Reading:
    """A record for each place. It reports no coverage: a file belongs to its format's reader."""
    reading = Reading()
    for path in source.files:
        if not path.lower().endswith(_ENDINGS) and posixpath.basename(path) != "Makefile":
            continue
        text = source.glance(path)
        if "admin" in text and ("rafana" in text or "/api/d" in text):
            reading.records += _logins(source, path, text)
    return reading


def _logins(source: Source, path: str, text: str) -> Iterator[ToldLogin]:
    before = ""
    for number, line in enumerate(text.splitlines(), start=1):
        used = _USED.search(line[:_LINE])
        own = "rafana" in line and _TOLD.search(line[:_LINE].lower().partition("grafana")[2])
        below = "rafana" in before and "http" in before and "http" not in line
        match = used or (_TOLD.search(line[:_LINE]) if own or below else None)
        before = line
        if match and "$" not in match["password"]:
            password = source.vault.value("GF_SECURITY_ADMIN_PASSWORD", match["password"])
            yield ToldLogin(password, bool(used), Location(path, number))
