"""Whom alerts reach, as the routes and the findings on the way say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from auditlib.audit import Audit
from auditlib.conventions import monitoring
from auditlib.inventory.alerting import Receiver
from auditlib.inventory.monitoring import AlertRule
from auditlib.report import wording
from auditlib.report.blocks import State
from auditlib.report.faults import Broken
from auditlib.report.wires import Wires


def reached(audit: Audit) -> dict[AlertRule, State]:
    """Whom each alert reaches, and what stands in its way."""
    wires = Wires(audit)
    told = receivers(audit)
    routes: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for edge in audit.graph.edges_of("routes_to"):
        routes[edge.source][edge.target] = None
    return {
        rule: _reach(wires, rule, [told[node] for node in routes[alert] if node in told])
        for alert, rule in alert_nodes(audit).items()
    }


def _reach(wires: Wires, rule: AlertRule, receivers: Sequence[Receiver]) -> State:
    """The receivers that hear of an alert; nobody, with the reasons, if there is none or it never gets to one."""
    before = list(filter(None, (wires.rules(rule.file), wires.asking(rule), wires.sending())))
    deaf = {receiver.name: broken for receiver in receivers if (broken := wires.receiver(receiver))}
    hearing = [receiver.name for receiver in receivers if receiver.name not in deaf]
    reasons = [broken.words for broken in before] + [f"{name}: {broken.words}" for name, broken in deaf.items()]
    why = f" ({'; '.join(reasons)})" if reasons else ""
    if hearing and not before:
        return _told(wording.listing(hearing) + why, wires.doubted(rule))
    found = next((broken.fingerprint for broken in (*before, *deaf.values()) if broken.finding), "")
    return State(f"nobody{why}", "bad", found)


def _told(names: str, doubted: Broken | None) -> State:
    """The receivers, and what may keep an alert from ever firing."""
    if doubted:
        return State(
            f"{names}, if it ever fires: it {doubted.words}, as far as files tell", "warn", doubted.fingerprint
        )
    return State(names, "good")


def receivers(audit: Audit) -> dict[str, Receiver]:
    """The receivers by their nodes."""
    nodes = {(node.location, node.name): node.id for node in audit.graph.of_kind("receiver")}
    found = ((nodes.get((item.location, item.name)), item) for item in audit.inventory.receivers)
    return {node: item for node, item in found if node}


def alert_nodes(audit: Audit) -> dict[str, AlertRule]:
    """The alerts by their nodes."""
    nodes = {(node.location, node.name): node.id for node in audit.graph.of_kind("alert_rule")}
    found = ((nodes.get((rule.location, rule.name)), rule) for rule in monitoring.alerts(audit.inventory))
    return {node: rule for node, rule in found if node}
