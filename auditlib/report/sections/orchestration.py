"""The services: what starts after what, under which conditions, and what many depend on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from auditlib.audit import Audit
from auditlib.conventions import environments
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Dependency, Project, Service
from auditlib.report import deployed, palette, wording
from auditlib.report import health as health_of
from auditlib.report.blocks import Blocks, Column, Picture, Prose, State, Table
from auditlib.report.charts import layered, matrix
from auditlib.report.charts.boxes import grouped

LIMIT = 40
"""Services of a project above which the map shows groups of like ones."""
_PROJECTS = 3
_CONDITIONS = {
    "service_healthy": ("good", "dot", "until it is healthy"),
    "service_started": ("warn", "ring", "until it has started"),
    "service_completed_successfully": ("accent", "dash", "until it has completed"),
}
_Waits = Mapping[tuple[str, str], Dependency]
"""Who waits for whom, and how."""
_TELLING = f" The {LIMIT} services with the most waits for a mere start are drawn."
_ORDER = "From left to right in start order; a line leads to the service that waits for the one on its left."
_TOGETHER = "No service waits for another; all start at once."
_ASKING = " A grey line leads to a proxy from what it passes requests to, and to Grafana from what that asks."
_NOUNS = ("service",)
_APART = "Wait for none, and none waits for them"
_NONE = "No Compose project was found, so there are no services to show."


def service_map(audit: Audit) -> Blocks:
    """Each Compose project as a map: layers by start order, dashed where a profile decides, coloured by health."""
    projects = sorted(
        audit.inventory.deployed_projects,
        key=lambda item: (not item.started_at, -len(_members(audit, item)), item.name),
    )
    shown = [project for project in projects[:_PROJECTS] if _members(audit, project)]
    if not shown:
        return Blocks(Prose(_NONE))
    blocks = [*deployed.statement(audit.inventory), *(_map(audit, project) for project in shown)]
    if len(projects) > len(shown):
        rest = wording.listing((f"`{project.name}`" for project in projects[len(shown) :]), 8)
        blocks.append(Prose(f"Not drawn, but audited as well: {rest}."))
    return Blocks(*blocks)


def _members(audit: Audit, project: Project) -> dict[str, Service]:
    """The services of a project, and those that its overlays add, as far as they are deployed."""
    family = audit.inventory.family(project.name)
    return {service.name: service for service in audit.inventory.deployed_services if service.project in family}


def _map(audit: Audit, project: Project) -> Picture:
    services = _members(audit, project)
    layers = _layers(audit, project, services)
    checks = health_of.Health(audit)
    health = {name: checks.of(service) for name, service in services.items()}
    waits = [
        layered.Link(dependency.service, name, _tone(dependency), not dependency.required)
        for name, service in services.items()
        for dependency in service.dependencies
        if dependency.service in services and not dependency.implicit
    ]
    asking = _asking(audit, services, {(link.source, link.target) for link in waits})
    columns = layers if any(layers.values()) else _by_asking(services, asking)
    boxes = [_box(service, columns[name], project, health[name]) for name, service in services.items()]
    every = waits + asking
    shown, links = grouped(boxes, every, _NOUNS) if len(boxes) > LIMIT else (boxes, every)
    drawn = shown if len(shown) <= 2 * LIMIT else sorted(shown, key=lambda box: box.column)[: 2 * LIMIT]
    ids = {box.id for box in drawn}
    links = [link for link in links if link.source in ids and link.target in ids]
    words = _map_words(project, services, max(layers.values()) + 1, health)
    caption = (_ORDER if waits else _TOGETHER) + (_ASKING if asking else "")
    caption += f" The first {len(drawn)} of {len(shown)} groups are drawn." if len(drawn) < len(shown) else ""
    steps = [f"Step {number + 1}" for number in range(max(box.column for box in drawn) + 1)] if waits else []
    legend = _legend(drawn, links, health.values())
    canvas = layered.draw(drawn, links, steps, legend, _APART)
    if canvas.is_large:
        canvas.brief = layered.brief(boxes, every, _NOUNS, steps, legend, _APART)
    return canvas.picture(f"{deployed.title(project)}: {caption}", words, _service_table(services, layers, health))


def _map_words(project: Project, services: Mapping[str, Service], steps: int, health: Mapping[str, State]) -> str:
    """What the map shows, in words."""
    unchecked = [name for name, state in health.items() if state.tone in ("warn", "bad")]
    untold = [name for name, state in health.items() if state.text == health_of.UNKNOWN]
    gated = [name for name, service in services.items() if service.profiles]
    aside = [name for name, service in services.items() if _aside(service, project) == "for development only"]
    return (
        f"{wording.count(len(services), 'service')} of {project.name}, started in {wording.count(steps, 'step')}; "
        f"{wording.listing(unchecked)} without a working health check"
        + (f"; of {wording.listing(untold)} nobody can tell, as the image may bring one" if untold else "")
        + (f"; behind a profile: {wording.listing(gated)}" if gated else "")
        + (f"; for development only: {wording.listing(aside)}." if aside else ".")
    )


def _layers(audit: Audit, project: Project, services: dict[str, Service]) -> dict[str, int]:
    steps = {node: step for step, nodes in enumerate(audit.graph.start_order(project.name)) for node in nodes}
    nodes = {name: audit.graph.service(service.project, name) for name, service in services.items()}
    return {name: steps.get(node or "", 0) for name, node in nodes.items()}


def _asking(audit: Audit, services: Mapping[str, Service], known: Collection[tuple[str, str]]) -> list[layered.Link]:
    """A line from each service that answers a proxy or Grafana, unless a wait joins the two already."""
    names = {audit.graph.service(item.project, name): name for name, item in services.items()}
    pairs = [(edge.target, edge.source) for edge in audit.graph.edges_of("forwards_to")]
    readers = [(edge.target, edge.source) for edge in audit.graph.edges_of("runs")]
    for edge in audit.graph.edges_of("queries"):
        pairs += [(edge.target, reader) for source, reader in readers if source == edge.source]
    ends = [(names.get(asked, ""), names.get(asker, "")) for asked, asker in dict.fromkeys(pairs)]
    return [layered.Link(*pair, "", dashed=True) for pair in ends if all(pair) and pair not in known]


def _by_asking(services: Mapping[str, Service], links: Sequence[layered.Link]) -> dict[str, int]:
    """The columns of services that all start at once: who asks stands right of whom it asks."""
    found = dict.fromkeys(services, 0)
    for _ in services:
        for link in links:
            found[link.target] = min(max(found[link.target], found[link.source] + 1), len(services) - 1)
    return found


def _box(service: Service, layer: int, project: Project, health: State) -> layered.Box:
    image = service.image.rpartition("/")[2] or (_built(service.build.context) if service.build else "")
    aside = _aside(service, project)
    lines = (image or "no image", health.text, *([aside] if aside else []))
    return layered.Box(service.name, layer, service.name, lines, health.tone, bool(aside))


def _built(context: str) -> str:
    return "built here" if context in (".", "./") else f"built from {context}"


def _aside(service: Service, project: Project) -> str:
    """Why a service isn't a part of every deployment; empty for one that is."""
    if service.profiles:
        return f"profile {', '.join(service.profiles)}"
    if environments.only_for_development(service) and not environments.is_for_development(project.location.file):
        return "for development only"
    return "from an overlay" if service.project != project.name else ""


def _tone(dependency: Dependency) -> str:
    return _CONDITIONS.get(dependency.condition, ("", "", ""))[0]


_LINK_MEANINGS = {
    "good": "waits until healthy", "warn": "until started", "accent": "until completed", "": "passes requests, or asks"
}  # fmt: skip


def _legend(
    boxes: Sequence[layered.Box], links: Sequence[layered.Link], health: Collection[State]
) -> list[tuple[str, str]]:
    """What the picture really shows."""
    meanings = {tone: dict.fromkeys(state.text for state in health if state.tone == tone) for tone in palette.TONES}
    tones, conditions = {box.tone for box in boxes}, {link.tone for link in links}
    shown = [(palette.TONES[tone][1], " or ".join(words)) for tone, words in meanings.items() if tone in tones]
    if any(box.dashed for box in boxes):
        shown.append(("dashed", "not in every deployment"))
    return shown + [(palette.TONES[tone][0], meaning) for tone, meaning in _LINK_MEANINGS.items() if tone in conditions]


def _service_table(services: dict[str, Service], layers: dict[str, int], health: Mapping[str, State]) -> Table:
    columns = (Column("Step", "number"), Column("Service", "code"), Column("Health", "state"), Column("Waits for"),
               Column("Profiles"), Column("Restart"), Column("Place", "code"))  # fmt: skip
    rows = []
    for name in sorted(services, key=lambda item: (layers[item], item)):
        service = services[name]
        waits = ", ".join(
            f"{item.service} ({item.condition.removeprefix('service_')})" for item in service.dependencies
        )
        profiles = ", ".join(service.profiles)
        rows.append((layers[name] + 1, name, health[name], waits, profiles, service.restart, str(service.location)))
    return Table("Services in start order", columns, tuple(rows))


def dependency_conditions(audit: Audit) -> Blocks:
    """Which service waits for which, and for what: health, completion, or the mere start."""
    entries = _waits(audit.inventory)
    if not entries:
        return Blocks(Prose("No service declares `depends_on`; all start at once."))
    rows = _most_telling(entries)
    columns = sorted({column for row, column in entries if row in rows})
    marks = {
        (rows.index(row), columns.index(column)): _mark(dependency)
        for (row, column), dependency in entries.items()
        if row in rows
    }
    legend = [(matrix.Mark(shape, tone), meaning) for tone, shape, meaning in _CONDITIONS.values()]
    words = _conditions_words(entries.values())
    note = "" if {row for row, _ in entries} == set(rows) else _TELLING
    caption = f"{words} Each row waits for the marked columns.{note}"
    return Blocks(matrix.draw(rows, columns, marks, legend).picture(caption, words, _conditions_table(entries)))


def _waits(inventory: Inventory) -> _Waits:
    return {
        (inventory.label(service), _label_of(inventory, service.project, dependency.service)): dependency
        for service in inventory.deployed_services
        for dependency in service.dependencies
        if not dependency.implicit
    }


def _label_of(inventory: Inventory, project: str, name: str) -> str:
    """What a service is called that another one of the project waits for; it may be missing."""
    service = inventory.services_of(project).get(name)
    return inventory.label(service) if service else name


def _conditions_words(dependencies: Collection[Dependency]) -> str:
    counts = Counter(dependency.condition for dependency in dependencies)
    kinds = (f"{counts[name]} {meaning}" for name, (_, _, meaning) in _CONDITIONS.items() if counts[name])
    return f"{wording.count(len(dependencies), 'wait')}: {', '.join(kinds)}."


def _conditions_table(entries: _Waits) -> Table:
    columns = (Column("Service", "code"), Column("Waits for", "code"), Column("Condition", "state"),
               Column("Place", "code"))  # fmt: skip
    rows = tuple(
        (row, column, State(entry.condition, _tone(entry)), str(entry.location))
        for (row, column), entry in sorted(entries.items(), key=lambda item: item[0])
    )
    return Table("Declared dependencies", columns, rows)


def _most_telling(entries: _Waits) -> list[str]:
    """The services whose waits are drawn: all, or those with the most that don't ask for health."""
    weak = Counter(row for (row, _), entry in entries.items() if _tone(entry) == "warn")
    rows = sorted({row for row, _ in entries})
    return sorted(sorted(rows, key=lambda row: -weak[row])[:LIMIT])


def _mark(dependency: Dependency) -> matrix.Mark:
    tone, shape, _ = _CONDITIONS.get(dependency.condition, ("", "ring", ""))
    return matrix.Mark(shape, tone)
