"""How the system comes up, and what goes down together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec import structs

from auditlib import startup
from auditlib.audit import Audit
from auditlib.conventions import environments
from auditlib.graph import SinglePoint
from auditlib.inventory.stack import Project, Service
from auditlib.phrases import listed
from auditlib.report import deployed, palette, wording
from auditlib.report import health as health_of
from auditlib.report.blocks import Block, Blocks, Column, Picture, Prose, State, Table
from auditlib.report.charts import matrix, timeline

_ROWS = 40
_PROJECTS = 3


def start_up(audit: Audit) -> Blocks:
    """Each Compose project from `up` on: when a service is started at the latest, and how long others wait for it."""
    moments = {
        project.name: startup.timeline(_started(audit, project)) for project in audit.inventory.deployed_projects
    }
    projects = {project.name: project for project in audit.inventory.deployed_projects}
    shown = sorted(
        (name for name, found in moments.items() if found),
        key=lambda name: (not projects[name].started_at, -len(moments[name]), name),
    )
    if not shown:
        return Blocks(Prose("No Compose project was found, so there is nothing to start."))
    health = health_of.Health(audit)
    drawn: list[Block] = [_start(projects[name], moments[name], health) for name in shown[:_PROJECTS]]
    started = {moment.service.key for found in moments.values() for moment in found}
    inventory = audit.inventory
    known = inventory.aside.union(projects)
    services = (service for service in inventory.distinct_services if service.project in known)
    aside = sorted(inventory.label(service) for service in services if service.key not in started)
    if aside:
        drawn.append(Prose(f"Left out, as they are for development: {wording.listing(aside, 8)}."))
    return Blocks(*drawn)


def _started(audit: Audit, project: Project) -> Mapping[str, Service]:
    """The services that a deployment starts: without those for development, if there are others."""
    services = audit.inventory.services_of(project.name)
    lasting = {name: item for name, item in services.items() if not environments.only_for_development(item)}
    return lasting or services


def _start(project: Project, moments: tuple[startup.Moment, ...], health: health_of.Health) -> Block:
    """The timeline, or where nothing is waited for, a sentence, as a row of dots would say no more."""
    if any(moment.start or moment.ready or moment.tasks for moment in moments):
        return _timeline(project, moments, health)
    waits = sum(bool(moment.waits_for) for moment in moments)
    order = (
        f"; {wording.count(waits, 'service')} only {'waits' if waits == 1 else 'wait'} for a mere start"
        if waits
        else ""
    )
    return Prose(
        f"None of the {wording.count(len(moments), 'service')} of {deployed.title(project)} is waited for until it is "
        f"healthy or done{order}. So all start at once, and when the system can be used nobody knows."
    )


def _timeline(project: Project, moments: tuple[startup.Moment, ...], health: health_of.Health) -> Picture:
    drawn = moments if len(moments) <= _ROWS else sorted(moments, key=lambda moment: -moment.ready)[:_ROWS]
    spans = [
        _span(moment, health.of(moment.service))
        for moment in sorted(drawn, key=lambda moment: (moment.start, moment.service.name))
    ]
    tones = {span.tone for span in spans}
    legend = [(palette.TONES[tone][1], meaning) for tone, meaning in _MEANINGS.items() if tone in tones]
    words = f"{wording.count(len(moments), 'service')} of {project.name}: {_latest(moments)}."
    if broken := [moment.service.name for moment in moments if health.of(moment.service).finding]:
        words += f" What the check says of {wording.listing(broken)} is worth nothing: it is broken."
    note = f" The {_ROWS} that take longest are drawn." if len(moments) > _ROWS else ""
    caption = f"{words} A dot is the start, a bar the time until the health check has passed or failed for good.{note}"
    return timeline.draw(spans, legend).picture(caption, words, _table(moments, health))


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
    "bad": "its check is broken, and says nothing of it",
    "": "when a check of its image passes, if there is one, isn't known",
    "accent": "waits for a task that takes as long as it takes",
}


def _span(moment: startup.Moment, health: State) -> timeline.Span:
    checked = moment.ready > moment.start
    unknown = health.text in (health_of.UNKNOWN, health_of.CHECKED, health_of.IN_IMAGE)
    tone = "accent" if moment.tasks else "bad" if health.finding else "good" if checked else "" if unknown else "warn"
    later = f"after {wording.listing(moment.tasks, 2)}" if moment.tasks else ""
    within = f"within {timeline.duration(moment.ready - moment.start)}" if checked else ""
    note = ", ".join(filter(None, (later, within, health.text if health.finding else "")))
    return timeline.Span(moment.service.name, moment.start, moment.ready, tone, note)


def _table(moments: tuple[startup.Moment, ...], health: health_of.Health) -> Table:
    columns = (Column("Service", "code"), Column("Started after at most"), Column("Waits longest for", "code"),
               Column("Healthy or given up after", "state"), Column("Place", "code"))  # fmt: skip
    rows = []
    for moment in moments:
        check = moment.service.healthcheck
        later = f" and {' and '.join(moment.tasks)}" if moment.tasks else ""
        ready = _ready(moment, health.of(moment.service), later)
        place = check.location if check else moment.service.location
        start = f"{timeline.duration(moment.start)}{later}"
        rows.append((moment.service.name, start, moment.waits_for, ready, str(place)))
    return Table("When services start and are ready, at the latest", columns, tuple(rows))


_UNTIMED = {
    health_of.CHECKED: "as its Dockerfile says",
    health_of.IN_IMAGE: "as its image says",
    health_of.UNKNOWN: health_of.UNKNOWN,
}
"""Of a check that Compose doesn't declare, what is said of its time."""


def _ready(moment: startup.Moment, health: State, later: str) -> State:
    """When a service is healthy, or that nobody asks; a check that is broken tells neither."""
    if moment.ready <= moment.start:
        return State(_UNTIMED.get(health.text, "not checked"), health.tone, health.finding)
    words = f"{timeline.duration(moment.ready)}{later}"
    return State(f"{words}: {health.text}" if health.finding else words, health.tone, health.finding)


_HARM = {
    "fails with it": matrix.Mark("dot", "bad"),
    "can't be reached from outside": matrix.Mark("cross", "bad"),
    "loses something": matrix.Mark("ring", "warn"),
}


def _harmed(point: SinglePoint) -> Mapping[str, tuple[str, ...]]:
    """What suffers when a service dies, by the kinds of harm."""
    return dict(zip(_HARM, (point.hard, point.unreachable, point.soft), strict=True))


def blast_radius(audit: Audit) -> Blocks:
    """The services that exist once, and what fails, is out of reach or loses something when one of them dies."""
    points = _points(audit)
    if not points:
        return Blocks(Prose("No service takes another one along when it dies."))
    names = {node: _label(node) for point in points for nodes in _harmed(point).values() for node in nodes}
    hit = {node: sum(node in (*point.hard, *point.unreachable) for point in points) for node in names}
    columns = sorted(names, key=lambda node: (-hit[node], names[node]))[:_ROWS]
    drawn = [point for point in points if any({*nodes} & {*columns} for nodes in _harmed(point).values())][:_ROWS]
    marks = {
        (row, columns.index(node)): _HARM[harm]
        for row, point in enumerate(drawn)
        for harm, nodes in _harmed(point).items()
        for node in nodes
        if node in columns
    }
    words = _words(points, names)
    legend = [(mark, harm) for harm, mark in _HARM.items() if mark in marks.values()]
    canvas = matrix.draw([_label(point.node) for point in drawn], [names[node] for node in columns], marks, legend)
    note = "" if drawn == points and len(columns) == len(names) else " Those that reach, and suffer, most are drawn."
    caption = f"{words} Each row is a service that dies; its marks are what suffers.{note}"
    return Blocks(canvas.picture(caption, words, _points_table(audit, points, names)))


def _points(audit: Audit) -> list[SinglePoint]:
    """The single points among what is deployed, and what of it they take along."""
    inventory = audit.inventory
    found: list[SinglePoint] = audit.graph.single_points(limit=max(len(inventory.distinct_services), 1))
    if not inventory.aside:
        return found
    ids = {audit.graph.service(service.project, service.name) for service in inventory.deployed_services}
    kept = [
        structs.replace(
            point,
            hard=_among(point.hard, ids),
            unreachable=_among(point.unreachable, ids),
            soft=_among(point.soft, ids),
        )
        for point in found
        if point.node in ids
    ]
    reaching = [point for point in kept if point.hard or point.unreachable or point.soft]
    return sorted(reaching, key=lambda point: (-len(point.hard), -len(point.unreachable), -len(point.soft), point.node))


def _among(nodes: Iterable[str], ids: Collection[str | None]) -> tuple[str, ...]:
    return tuple(node for node in nodes if node in ids)


def _label(node: str) -> str:
    """What follows the kind in an id tells a service from those of other projects that have its name."""
    return node.partition(":")[2]


def _words(points: list[SinglePoint], names: Mapping[str, str]) -> str:
    """How many services take others along, which one the most, and how many only leave others without something."""
    fatal = [point for point in points if point.hard]
    doors = [point for point in points if point.unreachable and not point.hard]
    soft = len(points) - len(fatal) - len(doors)
    parts = [_fatal(fatal, names) if fatal else "no service takes another one along when it dies"]
    if doors:
        shut = wording.listing(names[node] for node in doors[0].unreachable)
        parts.append(f"without {_label(doors[0].node)} nobody outside gets to {shut}")
    if soft:
        parts.append(f"by the failure of {wording.count(soft, 'service')} others lose something, and go on")
    return f"{wording.sentence('; '.join(parts))}."


def _fatal(points: list[SinglePoint], names: Mapping[str, str]) -> str:
    worst, verb = points[0], "takes" if len(points) == 1 else "take"
    taken = f"{wording.listing(names[node] for node in worst.hard)} {'fails' if len(worst.hard) == 1 else 'fail'}"
    many = wording.count(len(points), "service")
    return f"{many} {verb} others along; the worst is {_label(worst.node)}: {taken} with it"


def _points_table(audit: Audit, points: list[SinglePoint], names: Mapping[str, str]) -> Table:
    """A row for each service that takes anything along; a kind of harm that nothing suffers has no column."""
    harms = [harm for harm in _HARM if any(_harmed(point)[harm] for point in points)]
    boards = [_boards(audit, point) for point in points[:_ROWS]]
    rows = tuple(
        (
            _label(point.node),
            len(point.hard),
            *(_listed(names[node] for node in _harmed(point)[harm]) for harm in harms),
            *([boards[number] if number < _ROWS else ""] if any(boards) else []),
            str(point.location or ""),
        )
        for number, point in enumerate(points)
    )
    columns = (Column("If this dies", "code"), Column("Fail", "number"), *(Column(_HEADINGS[harm]) for harm in harms),
               *([Column("Dashboards without data")] if any(boards) else []), Column("Place", "code"))  # fmt: skip
    return Table("What breaks when one service dies, the worst first", columns, rows)


_HEADINGS = dict(zip(_HARM, ("These fail with it", "Out of reach from outside", "These lose something"), strict=True))


def _listed(names: Iterable[str]) -> str:
    return listed(names, 8)


def _boards(audit: Audit, point: SinglePoint) -> str:
    """The dashboards that show nothing once a service is dead."""
    return _listed(item.name for item in audit.graph.what_breaks(point.node) if item.kind == "dashboard" and item.hard)
