"""How the system comes up, and what goes down together."""

from __future__ import annotations

from collections.abc import Mapping

from auditlib import startup
from auditlib.audit import Audit
from auditlib.conventions import environments
from auditlib.graph import SinglePoint
from auditlib.inventory.stack import Project, Service
from auditlib.report import palette, wording
from auditlib.report.blocks import Block, Blocks, Column, Picture, Prose, Table
from auditlib.report.charts import matrix, timeline

_ROWS = 40
_PROJECTS = 3


def start_up(audit: Audit) -> Blocks:
    """Each Compose project from `up` on: when a service is started at the latest, and how long others wait for it."""
    moments = {project.name: startup.timeline(_started(audit, project)) for project in audit.inventory.base_projects}
    shown = sorted((name for name, found in moments.items() if found), key=lambda name: (-len(moments[name]), name))
    if not shown:
        return Blocks(Prose("No Compose project was found, so there is nothing to start."))
    projects = {project.name: project for project in audit.inventory.base_projects}
    drawn: list[Block] = [_start(projects[name], moments[name]) for name in shown[:_PROJECTS]]
    started = {moment.service.key for found in moments.values() for moment in found}
    services = (service for project in projects for service in audit.inventory.services_of(project).values())
    aside = sorted(audit.inventory.label(service) for service in services if service.key not in started)
    if aside:
        drawn.append(Prose(f"Left out, as they are for development: {wording.listing(aside, 8)}."))
    return Blocks(*drawn)


def _started(audit: Audit, project: Project) -> Mapping[str, Service]:
    """The services that a deployment starts: without those for development, if there are others."""
    services = audit.inventory.services_of(project.name)
    lasting = {name: item for name, item in services.items() if not environments.only_for_development(item)}
    return lasting or services


def _start(project: Project, moments: tuple[startup.Moment, ...]) -> Block:
    """The timeline, or where nothing is waited for, a sentence, as a row of dots would say no more."""
    if any(moment.start or moment.ready or moment.tasks for moment in moments):
        return _timeline(project, moments)
    waits = sum(bool(moment.waits_for) for moment in moments)
    order = (
        f"; {wording.count(waits, 'service')} only {'waits' if waits == 1 else 'wait'} for a mere start"
        if waits
        else ""
    )
    return Prose(
        f"None of the {wording.count(len(moments), 'service')} of `{project.name}` is waited for until it is healthy "
        f"or done{order}. So all start at once, and when the system can be used nobody knows."
    )


def _timeline(project: Project, moments: tuple[startup.Moment, ...]) -> Picture:
    drawn = moments if len(moments) <= _ROWS else sorted(moments, key=lambda moment: -moment.ready)[:_ROWS]
    spans = [_span(moment) for moment in sorted(drawn, key=lambda moment: (moment.start, moment.service.name))]
    tones = {span.tone for span in spans}
    legend = [(palette.TONES[tone][1], meaning) for tone, meaning in _MEANINGS.items() if tone in tones]
    words = f"{wording.count(len(moments), 'service')} of {project.name}: {_latest(moments)}."
    note = f" The {_ROWS} that take longest are drawn." if len(moments) > _ROWS else ""
    caption = f"{words} A dot is the start, a bar the time until the health check has passed or failed for good.{note}"
    return timeline.draw(spans, legend).picture(caption, words, _table(moments))


def _latest(moments: tuple[startup.Moment, ...]) -> str:
    """When all are started at the latest, and who is the last."""
    last = max(moments, key=lambda moment: (moment.start, moment.service.name))
    tasks = list(dict.fromkeys(name for moment in moments for name in moment.tasks))
    if not last.start and not tasks:
        return "none waits for health, so all start at once"
    taking = (
        f", beside the time that {wording.listing(tasks)} {'takes' if len(tasks) == 1 else 'take'}" if tasks else ""
    )
    waiting = f", {last.service.name} as the last one, which waits for {last.waits_for}" if last.waits_for else ""
    return f"all are started after at most {timeline.duration(last.start)}{taking}{waiting}"


_MEANINGS = {
    "good": "healthy by then, or given up",
    "warn": "no health check: nobody knows when it is ready",
    "accent": "waits for a task that takes as long as it takes",
}


def _span(moment: startup.Moment) -> timeline.Span:
    checked = moment.ready > moment.start
    tone = "accent" if moment.tasks else "good" if checked else "warn"
    later = f"after {wording.listing(moment.tasks, 2)}" if moment.tasks else ""
    within = f"within {timeline.duration(moment.ready - moment.start)}" if checked else ""
    note = ", ".join(filter(None, (later, within)))
    return timeline.Span(moment.service.name, moment.start, moment.ready, tone, note)


def _table(moments: tuple[startup.Moment, ...]) -> Table:
    columns = (Column("Service", "code"), Column("Started after at most"), Column("Waits longest for", "code"),
               Column("Healthy or given up after"), Column("Place", "code"))  # fmt: skip
    rows = []
    for moment in moments:
        check = moment.service.healthcheck
        later = f" and {' and '.join(moment.tasks)}" if moment.tasks else ""
        ready = f"{timeline.duration(moment.ready)}{later}" if moment.ready > moment.start else "not checked"
        place = check.location if check else moment.service.location
        start = f"{timeline.duration(moment.start)}{later}"
        rows.append((moment.service.name, start, moment.waits_for, ready, str(place)))
    return Table("When services start and are ready, at the latest", columns, tuple(rows))


def blast_radius(audit: Audit) -> Blocks:
    """The services that exist once, and what fails or loses something when one of them dies."""
    points = audit.graph.single_points(limit=max(len(audit.inventory.distinct_services), 1))
    if not points:
        return Blocks(Prose("No service takes another one along when it dies."))
    names = {node: _label(node) for point in points for node in (*point.hard, *point.soft)}
    hit = {node: sum(node in point.hard for point in points) for node in names}
    columns = sorted(names, key=lambda node: (-hit[node], names[node]))[:_ROWS]
    drawn = [point for point in points if {*point.hard, *point.soft} & {*columns}][:_ROWS]
    marks = {
        (row, columns.index(node)): mark
        for row, point in enumerate(drawn)
        for nodes, mark in ((point.hard, matrix.Mark("dot", "bad")), (point.soft, matrix.Mark("ring", "warn")))
        for node in nodes
        if node in columns
    }
    words = _words(points, names)
    legend = [(matrix.Mark("dot", "bad"), "fails with it"), (matrix.Mark("ring", "warn"), "loses something")]
    canvas = matrix.draw([_label(point.node) for point in drawn], [names[node] for node in columns], marks, legend)
    note = "" if drawn == points and len(columns) == len(names) else " Those that reach, and suffer, most are drawn."
    caption = f"{words} Each row is a service that dies; its marks are what suffers.{note}"
    return Blocks(canvas.picture(caption, words, _points_table(points, names)))


def _label(node: str) -> str:
    """What follows the kind in an id tells a service from those of other projects that have its name."""
    return node.partition(":")[2]


def _words(points: list[SinglePoint], names: Mapping[str, str]) -> str:
    """How many services take others along, which one the most, and how many only leave others without something."""
    fatal = [point for point in points if point.hard]
    soft = len(points) - len(fatal)
    less = f"by the failure of {wording.count(soft, 'service')} others lose something, and go on."
    if not fatal:
        return f"No service takes another one along when it dies; {less}"
    worst, verb = fatal[0], "takes" if len(fatal) == 1 else "take"
    taken = f"{wording.listing(names[node] for node in worst.hard)} {'fails' if len(worst.hard) == 1 else 'fail'}"
    words = f"{wording.count(len(fatal), 'service')} {verb} others along; "
    words += f"the worst is {_label(worst.node)}: {taken} with it"
    return f"{words}; {less}" if soft else f"{words}."


def _points_table(points: list[SinglePoint], names: dict[str, str]) -> Table:
    rows = tuple(
        (
            _label(point.node),
            len(point.hard),
            wording.listing((names[node] for node in point.hard), 8) if point.hard else "",
            wording.listing((names[node] for node in point.soft), 8) if point.soft else "",
            str(point.location or ""),
        )
        for point in points
    )
    columns = (Column("If this dies", "code"), Column("Fail", "number"), Column("These fail with it"),
               Column("These lose something"), Column("Place", "code"))  # fmt: skip
    return Table("What breaks when one service dies, the worst first", columns, rows)
