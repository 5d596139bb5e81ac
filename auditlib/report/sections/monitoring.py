"""Monitoring: what is scraped, what alerts, and who is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence

from auditlib import readiness
from auditlib.audit import Audit
from auditlib.conventions import monitoring
from auditlib.graph import Edge
from auditlib.inventory.alerting import Receiver
from auditlib.inventory.monitoring import AlertRule
from auditlib.report import palette, reaching, wording
from auditlib.report.blocks import Blocks, Column, Prose, State, Table
from auditlib.report.charts import layered
from auditlib.report.faults import Broken
from auditlib.report.wires import Wires

_NAMED = 12
_COLUMNS = ("Target", "Scrape job", "Alerts", "Receiver")
_NONE = "No monitoring configuration (Prometheus, Alertmanager, Grafana, a log shipper) was found."


def monitoring_wiring(audit: Audit) -> Blocks:
    """From the services that are scraped to the jobs, the alerts about them, and who is told."""
    boxes, links = _wiring(audit)
    if not boxes:
        return Blocks(Prose(" ".join((_NONE, *_instead(audit)))))
    tones = {box.tone for box in boxes}
    words = (
        f"{wording.count(len(audit.inventory.scrape_jobs), 'scrape job')}{_together(audit)}, "
        f"{wording.count(sum(rule.kind == 'alert' for rule in audit.inventory.alert_rules), 'alert')}, "
        f"{wording.count(len(audit.inventory.receivers), 'receiver')}."
    )
    sending = Wires(audit).sending()
    words += f" {sending.words}, so that no alert leaves it." if sending else ""
    words += " No service of the repository runs any of it." if Wires(audit).idle() else ""
    words += _lost("Leading nowhere", [box for box in boxes if box.tone == "bad" and box.column])
    words += _lost("Leading nowhere in part", [box for box in boxes if box.tone == "warn"])
    legend = [(palette.TONES[tone][1], meaning) for tone, meaning in _MEANINGS.items() if tone in tones]
    canvas = layered.draw(boxes, links, _COLUMNS, legend)
    if canvas.is_large:
        canvas.brief = layered.brief(boxes, links, [column.lower() for column in _COLUMNS], _COLUMNS, legend)
    return Blocks(canvas.picture(words, words, _target_table(audit)))


def _instead(audit: Audit) -> Iterator[str]:
    """What programs tell of themselves without a monitoring: traces and errors, in a sentence."""
    if found := [record.message for record in readiness.telemetry(audit.inventory)]:
        yield f"No metrics are collected; {'; '.join(found)}."


_MEANINGS = {
    "accent": "connected", "warn": "leads nowhere in part", "bad": "leads nowhere", "": "its own host"
}  # fmt: skip


def _lost(words: str, boxes: list[layered.Box]) -> str:
    """A sentence that names what is lost, and why."""
    names = wording.listing((f"{box.name} ({box.lines[-1]})" for box in boxes), _NAMED)
    return f" {words}: {names}." if boxes else ""


def _together(audit: Audit) -> str:
    """How many boxes stand for the scrape jobs, where jobs of one file have the same name."""
    drawn = len(audit.graph.of_kind("scrape_job"))
    boxes = wording.count(drawn, "box", "boxes")
    return f" in {boxes}, as some have one name" if drawn < len(audit.inventory.scrape_jobs) else ""


def _wiring(audit: Audit) -> tuple[list[layered.Box], list[layered.Link]]:
    wires = Wires(audit)
    boxes, links = _scraping(audit, wires)
    receivers = {node: wires.receiver(receiver) for node, receiver in reaching.receivers(audit).items()}
    unsent = wires.sending()
    groups = _alert_groups(audit)
    for group, rules in groups.items():
        boxes[group] = _group_box(wires, group, list(rules.values()))
        tone = boxes[group].tone
        for edge in _from(rules, audit.graph.edges_of("alerts_on")):
            links.append(_link(edge.target, group, "bad" if boxes[edge.target].tone == "bad" else tone))
        for edge in _from(rules, audit.graph.edges_of("routes_to")):
            lost = tone == "bad" or unsent or receivers.get(edge.target)
            links.append(_link(group, edge.target, "bad" if lost else tone))
    for node, receiver in reaching.receivers(audit).items():
        boxes[node] = _receiver_box(node, receiver, receivers[node])
    return list(boxes.values()), [
        link for link in dict.fromkeys(links) if link.source in boxes and link.target in boxes
    ]


def _link(source: str, target: str, tone: str) -> layered.Link:
    """A line between two boxes, dashed where nothing gets along it."""
    return layered.Link(source, target, tone, dashed=tone in ("bad", ""))


def _scraping(audit: Audit, wires: Wires) -> tuple[dict[str, layered.Box], list[layered.Link]]:
    """What is scraped, and the jobs; a job is as broken as its targets are."""
    graph = audit.graph
    boxes: dict[str, layered.Box] = {}
    links: list[layered.Link] = []
    several = len(audit.inventory.prometheus) > 1
    lost: defaultdict[str, list[str]] = defaultdict(list)
    for edge in graph.edges_of("scrapes"):
        broken = wires.target(edge.location)
        lost[edge.source].append(broken.words if broken else "")
        boxes[edge.target] = layered.Box(edge.target, 0, graph.nodes[edge.target]["name"], ("service",), "accent")
        links.append(_link(edge.target, edge.source, "bad" if broken else "accent"))
    for job in graph.of_kind("scrape_job"):
        data = graph.nodes[job.id]
        for host in data.get("unresolved", ()):
            box = _unresolved(host)
            boxes[box.id] = box
            lost[job.id].append(box.lines[0] if box.tone == "bad" else "")
            links.append(_link(box.id, job.id, box.tone))
        line = job.location.file if several and job.location else data.get("path") or "/metrics"
        reasons = list(dict.fromkeys(filter(None, lost[job.id])))
        tone = _tone(len([reason for reason in lost[job.id] if reason]), len(lost[job.id]))
        boxes[job.id] = layered.Box(job.id, 1, job.name, (line, *(["; ".join(reasons)] if reasons else [])), tone)
    return boxes, links


def _tone(lost: int, total: int) -> str:
    """How broken something is of whose parts so many are lost."""
    return "accent" if not lost else "bad" if lost == total else "warn"


def _group_box(wires: Wires, group: str, rules: Sequence[AlertRule]) -> layered.Box:
    """The box of a group of alerts: broken if its file isn't loaded, or as far as its alerts never fire."""
    number = wording.count(len(rules), "alert")
    name = rules[0].group
    if unloaded := wires.rules(rules[0].file):
        return layered.Box(group, 2, name, (number, unloaded.words), "bad")
    lost, doubted = (sum(1 for rule in rules if asked(rule)) for asked in (wires.asking, wires.doubted))
    words = [f"{lost} of them can't fire"] * bool(lost) + [f"{doubted} of them may never fire"] * bool(doubted)
    lines = (number, "; ".join(words)) if words else (number,)
    tone = "warn" if doubted and not lost else _tone(lost, len(rules))
    return layered.Box(group, 2, name, lines, tone)


def _receiver_box(node: str, receiver: Receiver, broken: Broken | None) -> layered.Box:
    kinds = ", ".join(dict.fromkeys(item.kind for item in receiver.integrations))
    lines = tuple(filter(None, (kinds, broken.words if broken else "")))
    return layered.Box(node, 3, receiver.name, lines, "bad" if broken else "accent", broken is not None)


def _unresolved(host: str) -> layered.Box:
    """A target that is no service; what Prometheus scrapes on its own host is mostly itself."""
    if host.partition(":")[0] in ("localhost", "127.0.0.1"):
        return layered.Box(f"host:{host}", 0, host, ("Prometheus's own host",), "", dashed=True)
    return layered.Box(f"host:{host}", 0, host, ("no such service",), "bad", dashed=True)


def _alert_groups(audit: Audit) -> dict[str, dict[str, AlertRule]]:
    """The alerts of each group of a rule file, by their nodes; a box each would be too many."""
    groups: defaultdict[str, dict[str, AlertRule]] = defaultdict(dict)
    for node, rule in reaching.alert_nodes(audit).items():
        groups[f"group:{rule.file}:{rule.group}"][node] = rule
    return dict(groups)


def _from(members: Container[str], edges: list[Edge]) -> list[Edge]:
    return [edge for edge in edges if edge.source in members]


def _target_table(audit: Audit) -> Table | None:
    wires = Wires(audit)
    resolved = {(edge.location, edge.source): edge.target for edge in audit.graph.edges_of("scrapes")}
    jobs = {(node.location, node.name): node.id for node in audit.graph.of_kind("scrape_job")}
    rows = []
    for job in audit.inventory.scrape_jobs:
        for target in job.targets:
            service = resolved.get((target.location, jobs.get((job.location, job.name), "")))
            name = audit.graph.nodes[service]["name"] if service else ""
            state = _target_state(name, target.address, wires.target(target.location))
            rows.append((job.name, target.address, job.metrics_path, state, str(target.location)))
    columns = (
        Column("Job", "code"),
        Column("Target", "code"),
        Column("Path", "code"),
        Column("Service", "state"),
        Column("Place", "code"),
    )
    return Table("What Prometheus scrapes", columns, tuple(rows)) if rows else None


def _target_state(service: str, address: str, broken: Broken | None) -> State:
    """The service that a target is, or what is wrong with the target."""
    if broken:
        return broken.state(service)
    lost = _unresolved(address)
    return State(service, "good") if service else State(lost.lines[0], lost.tone)


def alerts(audit: Audit) -> Blocks:
    """Each alert: when it fires, how severe it is, and whom it reaches."""
    rules = monitoring.alerts(audit.inventory)
    if not rules:
        return Blocks(Prose("No alerting rule was found."))
    reached = reaching.reached(audit)
    rows = tuple(
        (
            rule.name,
            dict(rule.labels).get("severity", ""),
            rule.duration or "at once",
            reached.get(rule, State("nobody", "bad")),
            str(rule.location),
        )
        for rule in rules
    )
    columns = (
        Column("Alert", "code"),
        Column("Severity"),
        Column("Fires after"),
        Column("Reaches", "state"),
        Column("Place", "code"),
    )
    return Blocks(Table("Alerts and whom they reach", columns, rows))
