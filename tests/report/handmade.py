"""Audits made by hand: what sections show doesn't depend on what readers can read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from auditlib import graph
from auditlib.audit import Audit
from auditlib.excerpts import Excerpt
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Dependency, Project, Service
from auditlib.model import Area, Confidence, Coverage, Effort, Finding, Location, Read, Severity

MakeAudit = Callable[..., Audit]
FILE = "compose.yaml"
TODAY = date(2026, 2, 3)


def place(line: int = 1) -> Location:
    return Location(FILE, line)


def finding(rule: str = "a-rule", severity: Severity = Severity.HIGH, **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "rule": rule,
        "title": f"The fault {rule}",
        "message": "something is wrong",
        "severity": severity,
        "confidence": Confidence.HIGH,
        "area": Area.ORCHESTRATION,
        "effort": Effort.SMALL,
        "location": place(2),
        "recommendation": "mend it",
        "fingerprint": f"{rule}-1",
    }
    return Finding(**{**values, **changes})


def service(name: str, needs: Iterable[str] = (), **changes: Any) -> Service:
    dependencies = tuple(Dependency(other, "service_healthy", True, place(3)) for other in needs)
    values: dict[str, Any] = {
        "project": FILE, "name": name, "image": "image:1", "location": place(2), "image_location": place(2),
        "dependencies": dependencies,
    }  # fmt: skip
    return Service(**{**values, **changes})


def make_audit(records: Iterable[Any] = (), findings: Iterable[Finding] = (), name: str = "shop") -> Audit:
    project = Project(FILE, (FILE,), "base", "", place())
    coverage = (Coverage(FILE, "compose", Read.PARSED),)
    inventory = Inventory.of(
        [project, *records], name=name, root=f"/nowhere/{name}", commit="", files=(FILE,), coverage=coverage
    )
    excerpts = {item.location: Excerpt(FILE, ((1, "services:", False), (2, "  api:", True))) for item in findings}
    return Audit(inventory, graph.build(inventory), tuple(findings), coverage, excerpts, as_of=TODAY)
