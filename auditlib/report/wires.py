"""Where the way from a service to a person is broken, as the findings on scraping, rules and receivers say."""

from __future__ import annotations

from auditlib.audit import Audit
from auditlib.conventions import monitoring
from auditlib.inventory.alerting import Integration, Receiver
from auditlib.inventory.monitoring import AlertRule, PrometheusConfig
from auditlib.model import Location, Severity
from auditlib.report.faults import Broken, Faults

_SCRAPING = {
    "scrape-path-missing": "gives no metrics there",
    "scrape-port-mismatch": "wrong port",
    "scrape-target-unresolved": "no such service",
}
_LOADING = {"rule-file-not-loaded": "no Prometheus loads it"}
_ASKING = {
    "alert-expression-invalid": "its expression is no PromQL",
    "alert-label-unknown": "selects what nothing has",
    "alert-metric-unknown": "asks for a metric that nothing gives",
}
_RUNNING = {"monitoring-not-wired": "no service runs it"}
_SENDING = {"alertmanager-not-connected": "Prometheus names no Alertmanager"}
_RECEIVING = {
    "receiver-field-unknown": "Alertmanager refuses its fields",
    "receiver-loopback": "tells its own container alone",
    "receiver-mail-caught": "a mail catcher keeps it",
    "receiver-placeholder": "has no real address",
    "receiver-variable-unexpanded": "its address is the name of a variable",
}
_ROUTING = {"receiver-unroutable": "no route leads to it"}
_ABSENT = "Prometheus finds no Alertmanager"
_PLACEHOLDER = "its address is a placeholder"


class Wires:
    """What of a monitoring is connected to nothing, by the open findings of an audit."""

    def __init__(self, audit: Audit) -> None:
        self._inventory = audit.inventory
        self._running = Faults(audit.findings, _RUNNING)
        self._scraping, self._loading, self._asking, self._sending, self._receiving, self._routing = (
            Faults(audit.findings, words) for words in (_SCRAPING, _LOADING, _ASKING, _SENDING, _RECEIVING, _ROUTING)
        )

    def idle(self) -> bool:
        """Whether nothing runs what is configured."""
        return self._running.any()

    def target(self, place: Location) -> Broken | None:
        """Why a target that is scraped there gives nothing."""
        return self._scraping.at(place)

    def rules(self, file: str) -> Broken | None:
        """Why the rules of a file are never evaluated."""
        return self._loading.in_file(file)

    def asking(self, rule: AlertRule) -> Broken | None:
        """Why an alert never fires. Rules in doubt call it less than high."""
        found = self._unasked(rule)
        return found if found and found.finding and found.finding.severity >= Severity.HIGH else None

    def doubted(self, rule: AlertRule) -> Broken | None:
        """Why an alert may never fire, if nothing that files don't show helps it."""
        return None if self.asking(rule) else self._unasked(rule)

    def _unasked(self, rule: AlertRule) -> Broken | None:
        """What is wrong with what an alert asks for; one on what is absent fires just then."""
        return None if "absent" in rule.query.expression else self._asking.at(rule.expression_location)

    def sending(self) -> Broken | None:
        """Why no alert gets from Prometheus to Alertmanager."""
        lost = [self._unsent(config) for config in monitoring.prometheus_in_use(self._inventory)]
        return lost[0] if lost and all(lost) else None

    def _unsent(self, config: PrometheusConfig) -> Broken | None:
        lost = [self.target(item.location) for item in config.alertmanagers]
        if lost and lost[0] and all(lost) and not config.alertmanager_discovery:
            return Broken(_ABSENT, lost[0].finding)
        return self._sending.at(config.location)

    def receiver(self, receiver: Receiver) -> Broken | None:
        """Why a receiver tells nobody: no way out of it is whole, or no route leads to it."""
        if not receiver.integrations:
            return Broken("tells nobody", None)
        lost = [self._integration(receiver, item) for item in receiver.integrations]
        return lost[0] if all(lost) else self._routing.at(receiver.location)

    def _integration(self, receiver: Receiver, item: Integration) -> Broken | None:
        fields = (*item.foreign_fields, *item.credential_variables)
        mail = (receiver.location,) if item.kind == "email" else ()
        found = self._receiving.at(item.location, item.endpoint_location, *(place for _, place in fields), *mail)
        if item.placeholder and not monitoring.is_template(receiver.file, item.endpoint):
            return Broken(_PLACEHOLDER, found.finding if found else None)
        return found
