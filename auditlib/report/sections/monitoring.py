"""Monitoring: what is scraped, what alerts, and who is told."""

from __future__ import annotations

from collections import defaultdict

from auditlib.audit import Audit
from auditlib.conventions.monitoring import is_template
from auditlib.graph import Edge
from auditlib.model import Location
from auditlib.report import palette, wording
from auditlib.report.blocks import Blocks, Column, Prose, State, Table
from auditlib.report.charts import layered

_COLUMNS = ("Target", "Scrape job", "Alert group", "Receiver")
_PLACEHOLDER = "its address is a placeholder"
_NONE = "No monitoring configuration (Prometheus, Alertmanager, Grafana, a log shipper) was found."


def monitoring_wiring(audit: Audit) -> Blocks:
    """From the services that are scraped to the jobs, the alerts about them, and who is told."""
    boxes, links = _wiring(audit)
    if not boxes:
        return Blocks(Prose(_NONE))
    lost = [box.name for box in boxes if box.tone == "bad"]
    words = (
        f"{wording.count(len(audit.inventory.scrape_jobs), 'scrape job')}{_together(audit)}, "
        f"{wording.count(sum(rule.kind == 'alert' for rule in audit.inventory.alert_rules), 'alert')}, "
        f"{wording.count(len(audit.inventory.receivers), 'receiver')}."
        + (f" Leading nowhere: {wording.listing(lost)}." if lost else "")
    )
    legend = [
        (palette.ACCENT_SOFT, "connected"),
        (palette.BAD_SOFT, "leads nowhere"),
        (palette.PANEL, "its own host"),
    ]
    canvas = layered.draw(boxes, links, _COLUMNS, legend)
    if canvas.is_large:
        canvas.brief = layered.brief(boxes, links, [column.lower() for column in _COLUMNS], _COLUMNS, legend)
    return Blocks(canvas.picture(words, words, _target_table(audit)))


def _together(audit: Audit) -> str:
    """How many boxes stand for the scrape jobs, where jobs of one file have the same name."""
    drawn = len(audit.graph.of_kind("scrape_job"))
    boxes = wording.count(drawn, "box", "boxes")
    return f" in {boxes}, as some have one name" if drawn < len(audit.inventory.scrape_jobs) else ""


def _wiring(audit: Audit) -> tuple[list[layered.Box], list[layered.Link]]:
    graph = audit.graph
    boxes: dict[str, layered.Box] = {}
    links: list[layered.Link] = []
    several = len(audit.inventory.prometheus) > 1
    for edge in graph.edges_of("scrapes"):
        boxes[edge.target] = layered.Box(edge.target, 0, graph.nodes[edge.target]["name"], ("service",), "accent")
        links.append(layered.Link(edge.target, edge.source, "accent"))
    for job in graph.of_kind("scrape_job"):
        data = graph.nodes[job.id]
        for host in data.get("unresolved", ()):
            box = _unresolved(host)
            boxes[box.id] = box
            links.append(layered.Link(box.id, job.id, box.tone, dashed=True))
        line = job.location.file if several and job.location else data.get("path") or "/metrics"
        boxes[job.id] = layered.Box(job.id, 1, job.name, (line,), "accent")
    groups = _alert_groups(audit)
    for group, members in groups.items():
        boxes[group] = layered.Box(group, 2, group.partition(":")[2], (wording.count(len(members), "alert"),), "accent")
        links += [layered.Link(edge.target, group, "accent") for edge in _from(members, graph.edges_of("alerts_on"))]
        links += [layered.Link(group, edge.target, "accent") for edge in _from(members, graph.edges_of("routes_to"))]
    pending = _pending(audit)
    for receiver in graph.of_kind("receiver"):
        kinds = graph.nodes[receiver.id].get("integrations", ())
        nobody = not kinds or receiver.location in pending
        line = _PLACEHOLDER if kinds and nobody else ", ".join(kinds) or "tells nobody"
        boxes[receiver.id] = layered.Box(receiver.id, 3, receiver.name, (line,), "bad" if nobody else "accent", nobody)
    return list(boxes.values()), [
        link for link in dict.fromkeys(links) if link.source in boxes and link.target in boxes
    ]


def _pending(audit: Audit) -> frozenset[Location | None]:
    """Where the receivers stand all of whose addresses are placeholders; a template's are there to be filled in."""
    return frozenset(
        receiver.location
        for receiver in audit.inventory.receivers
        if receiver.integrations
        and all(item.placeholder and not is_template(receiver.file, item.endpoint) for item in receiver.integrations)
    )


def _unresolved(host: str) -> layered.Box:
    """A target that is no service; what Prometheus scrapes on its own host is mostly itself."""
    if host.partition(":")[0] in ("localhost", "127.0.0.1"):
        return layered.Box(f"host:{host}", 0, host, ("Prometheus's own host",), "", dashed=True)
    return layered.Box(f"host:{host}", 0, host, ("no such service",), "bad", dashed=True)


def _alert_groups(audit: Audit) -> dict[str, set[str]]:
    """The alert nodes of each group of a rule file; a box each would be too many."""
    nodes = {(node.location, node.name): node.id for node in audit.graph.of_kind("alert_rule")}
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for rule in audit.inventory.alert_rules:
        node = nodes.get((rule.location, rule.name))
        if node:
            groups[f"group:{rule.group}"].add(node)
    return dict(groups)


def _from(members: set[str], edges: list[Edge]) -> list[Edge]:
    return [edge for edge in edges if edge.source in members]


def _target_table(audit: Audit) -> Table | None:
    resolved = {(edge.location, edge.source): edge.target for edge in audit.graph.edges_of("scrapes")}
    jobs = {(node.location, node.name): node.id for node in audit.graph.of_kind("scrape_job")}
    rows = []
    for job in audit.inventory.scrape_jobs:
        for target in job.targets:
            service = resolved.get((target.location, jobs.get((job.location, job.name), "")))
            lost = _unresolved(target.address)
            state = State(audit.graph.nodes[service]["name"], "good") if service else State(lost.lines[0], lost.tone)
            rows.append((job.name, target.address, job.metrics_path, state, str(target.location)))
    columns = (
        Column("Job", "code"),
        Column("Target", "code"),
        Column("Path", "code"),
        Column("Service", "state"),
        Column("Place", "code"),
    )
    return Table("What Prometheus scrapes", columns, tuple(rows)) if rows else None


def alerts(audit: Audit) -> Blocks:
    """Each alert: when it fires, how severe it is, and whom it reaches."""
    rules = [rule for rule in audit.inventory.alert_rules if rule.kind == "alert"]
    if not rules:
        return Blocks(Prose("No alerting rule was found."))
    nodes = {(node.location, node.name): node.id for node in audit.graph.of_kind("alert_rule")}
    told: defaultdict[str, list[str]] = defaultdict(list)
    pending = _pending(audit)
    for edge in audit.graph.edges_of("routes_to"):
        target = audit.graph.nodes[edge.target]
        told[edge.source].append(target["name"] + (f" ({_PLACEHOLDER})" if target["location"] in pending else ""))
    rows = tuple(
        (
            rule.name,
            dict(rule.labels).get("severity", ""),
            rule.duration or "at once",
            wording.listing(told[nodes.get((rule.location, rule.name), "")]),
            str(rule.location),
        )
        for rule in rules
    )
    columns = (
        Column("Alert", "code"),
        Column("Severity"),
        Column("Fires after"),
        Column("Reaches"),
        Column("Place", "code"),
    )
    return Blocks(Table("Alerts and whom they reach", columns, rows))
