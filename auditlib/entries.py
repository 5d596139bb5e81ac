"""Findings as a run remembers them: what is needed to know them again and to tell of them, and no more.

They come from an audit, from a findings document (`auditlib check --format json`), or from the store of runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from auditlib.model import Area, Finding, Severity, Status


class Place(Struct, frozen=True):
    """A related place of a finding."""

    file: str
    message: str
    member: bool = False
    """Whether it has the fault itself, rather than explaining it."""

    @property
    def content(self) -> tuple[str, str]:
        """What it is recognised by after lines have moved."""
        return self.file, self.message

    @property
    def subject(self) -> tuple[str, str]:
        """What it is recognised by where its words have changed: they begin with the name of what has the fault."""
        return self.file, self.message.partition(" ")[0].removesuffix("'s")


class Entry(Struct, frozen=True):
    """A finding as a run remembers it."""

    fingerprint: str
    rule: str
    severity: Severity
    area: Area
    title: str
    message: str
    file: str
    line: int
    service: str
    status: Status
    places: tuple[Place, ...] = ()

    @property
    def place(self) -> str:
        """Where it stands, as `file:line`."""
        return f"{self.file}:{self.line}"


def of(finding: Finding) -> Entry:
    """A finding as it is remembered."""
    return Entry(
        fingerprint=finding.fingerprint,
        rule=finding.rule,
        severity=finding.severity,
        area=finding.area,
        title=finding.title,
        message=finding.message,
        file=finding.location.file,
        line=finding.location.line,
        service=finding.service or "",
        status=finding.status,
        places=tuple(Place(item.location.file, item.message, item.member) for item in finding.related),
    )


def read(written: Mapping[str, Any]) -> Entry:
    """An entry from its form in JSON. Raises ValueError, KeyError or TypeError if it is none."""
    return Entry(
        fingerprint=_text(written["fingerprint"]),
        rule=_text(written["rule"]),
        severity=Severity(written["severity"]),
        area=Area(written["area"]),
        title=_text(written["title"]),
        message=_text(written["message"]),
        file=_text(written["file"]),
        line=int(written["line"]),
        service=_text(written.get("service") or ""),
        status=Status(written.get("status", "open")),
        places=tuple(
            Place(_text(item["file"]), _text(item["message"]), bool(item.get("member")))
            for item in written.get("related", ())
        ),
    )


def document(entry: Entry) -> dict[str, Any]:
    """An entry as JSON, in the words of the findings document."""
    return {
        "fingerprint": entry.fingerprint,
        "rule": entry.rule,
        "severity": str(entry.severity),
        "area": str(entry.area),
        "title": entry.title,
        "message": entry.message,
        "file": entry.file,
        "line": entry.line,
        "service": entry.service or None,
        "status": str(entry.status),
        "related": [{"file": item.file, "message": item.message, "member": item.member} for item in entry.places],
    }


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where a text is expected")
    return value
