"""An audit that shows a little of everything."""

from __future__ import annotations

import pytest
from handmade import MakeAudit, finding, place, service
from handmade import make_audit as make

from auditlib.audit import Audit
from auditlib.inventory.stack import Healthcheck, Mount, Port
from auditlib.model import Area, Related, Severity


@pytest.fixture
def make_audit() -> MakeAudit:
    return make


@pytest.fixture
def shop(make_audit: MakeAudit) -> Audit:
    """Three services, one behind a profile, with a port, a volume and two findings."""
    health = Healthcheck(("pg_isready",), False, False, "", "", "", "", place(4))
    return make_audit(
        [
            service("db", healthcheck=health, mounts=(Mount("volume", "data", "/var/lib", False, place(5)),)),
            service("api", ["db"], ports=(Port("80", "8080", "", "tcp", place(6)),)),
            service("e2e", ["api"], profiles=("test",)),
        ],
        [
            finding("first", Severity.CRITICAL, related=(Related(place(3), "here too"),)),
            finding("second", Severity.LOW, area=Area.CICD),
        ],
    )
