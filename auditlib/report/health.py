"""How the health of a service is checked, as its files and the findings on the check say."""

from __future__ import annotations

from auditlib.audit import Audit
from auditlib.conventions import healthchecks
from auditlib.conventions.services import is_one_shot
from auditlib.inventory.stack import Service
from auditlib.report.blocks import State
from auditlib.report.faults import Faults

CHECKED = "health checked"
BROKEN = "check is broken"
IN_IMAGE = "by its image"
DISABLED = "check disabled"
NONE = "no health check"
UNKNOWN = "not known"
"""Of an image that may bring a check of its own, which the repository can't show."""
ONCE = "runs once"

_FAULTS = dict.fromkeys(
    (
        "healthcheck-port-mismatch", "healthcheck-route-missing", "healthcheck-tool-missing",
        "healthcheck-unauthenticated",
    ),
    BROKEN,
)  # fmt: skip


class Health:
    """The states of the health checks of an audit."""

    def __init__(self, audit: Audit) -> None:
        self._inventory = audit.inventory
        self._faults = Faults(audit.findings, _FAULTS)

    def of(self, service: Service) -> State:
        """The state of one service's check; a broken one leads to its finding."""
        if place := healthchecks.of(self._inventory, service):
            broken = self._faults.of_service(service.name, place.file)
            return broken.state() if broken else State(CHECKED, "good")
        if service.healthcheck is not None:
            return State(DISABLED, "bad")
        if healthchecks.is_in_image(self._inventory, service):
            return State(IN_IMAGE, "good")
        if is_one_shot(service):
            return State(ONCE)
        return State(UNKNOWN) if healthchecks.may_be_in_image(self._inventory, service) else State(NONE, "warn")
