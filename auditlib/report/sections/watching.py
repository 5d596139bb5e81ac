"""Which services somebody watches: by health checks, metrics, alerts, dashboards and logs."""

from __future__ import annotations

from collections.abc import Mapping

from auditlib import log_collection, scraping, watching
from auditlib.audit import Audit
from auditlib.conventions import monitoring
from auditlib.inventory.stack import Service
from auditlib.report import health as health_of
from auditlib.report import reaching, wording
from auditlib.report.blocks import Blocks, Column, Prose, State, Table
from auditlib.report.canvas import Canvas
from auditlib.report.charts.matrix import Mark, draw
from auditlib.report.faults import Broken
from auditlib.report.wires import Wires
from auditlib.watching import Reach

_ASPECTS = ("Health check", "Metrics", "Alerts", "Dashboard", "Logs kept")
_WHAT = ("a health check", "metrics", "alerts", "a dashboard", "logs that are kept")
"""The aspects in a sentence that says how many services have each."""
_YES, _CONTAINER, _PLANNED, _NO = "yes", "its container only", "configured, not run", "no"
_VOLUME = "kept in a volume, not collected"
_UNHEARD = "reaches nobody"
_BROKEN = "broken, as a finding says"
_MARKS = {
    _YES: Mark("dot", "good"),
    _CONTAINER: Mark("ring", "warn"),
    _VOLUME: Mark("ring", "warn"),
    _PLANNED: Mark("cross", "bad"),
    _UNHEARD: Mark("cross", "bad"),
    _BROKEN: Mark("cross", "bad"),
    health_of.UNKNOWN: Mark(text="?"),
    _NO: Mark("dash", ""),
}
_HEALTH = {
    health_of.CHECKED: _YES, health_of.IN_IMAGE: _YES,
    health_of.NONE: _NO, health_of.ONCE: _NO, health_of.DISABLED: _NO,
}  # fmt: skip
"""How the words for a health check stand in a column of that name."""
_LIMIT = 40


def monitoring_coverage(audit: Audit) -> Blocks:
    """Each service: is its health checked, are its metrics scraped, do alerts and dashboards ask for it, logs kept."""
    if not audit.inventory.deployed_services:
        return Blocks(Prose("No service was found, so there is nothing to watch."))
    asked = _Asked(audit)
    rows = [(audit.inventory.label(service), asked.of(service)) for service in audit.inventory.deployed_services]
    rows.sort(key=lambda row: (sum(answer.text == _YES for answer in row[1]), row[0]))
    words = _summary(rows)
    caption = words + (f" The {_LIMIT} with the least are drawn." if len(rows) > _LIMIT else "")
    places = {audit.inventory.label(service): str(service.location) for service in audit.inventory.distinct_services}
    return Blocks(_drawn(rows[:_LIMIT]).picture(caption, words, _table(rows, places)))


_Answers = tuple[State, ...]
_Rows = list[tuple[str, _Answers]]


class _Asked:
    """What is asked of each service, an answer for each aspect."""

    def __init__(self, audit: Audit) -> None:
        self._watch = watching.of(audit.inventory, audit.dependencies)
        reached = reaching.reached(audit)
        told = {rule for rule, state in reached.items() if state.tone != "bad"}
        self._alerted = watching.alerted(audit.inventory, audit.dependencies, told)
        self._untold = next((state.finding for state in reached.values() if state.finding and state.tone == "bad"), "")
        self._health = health_of.Health(audit)
        self._unscraped = _unscraped(audit)
        self._collected = log_collection.kept(audit.inventory)
        self._collecting = log_collection.is_run(audit.inventory)

    def of(self, service: Service) -> _Answers:
        """The answers for a service, in the order of the aspects."""
        watch = self._watch
        return (
            self._checked(service),
            self._metrics(service),
            self._alerts(service),
            _state(_answer(watch.dashboards, service, watch.running)),
            _state(self._logs(service)),
        )

    def _checked(self, service: Service) -> State:
        state = self._health.of(service)
        return state if state.finding else _state(_HEALTH.get(state.text, state.text))

    def _metrics(self, service: Service) -> State:
        broken = self._unscraped.get(service.key)
        return broken.state() if broken else _state(_answer(self._watch.metrics, service, self._watch.running))

    def _alerts(self, service: Service) -> State:
        """Whether alerts ask for a service; those that nobody hears of are as good as none."""
        loaded, heard = (_answer(reach, service, self._watch.running) for reach in (self._watch.alerts, self._alerted))
        lost = heard == _NO and loaded in (_YES, _CONTAINER)
        return State(_UNHEARD, "bad", self._untold) if lost else _state(loaded if loaded == _PLANNED else heard)

    def _logs(self, service: Service) -> str:
        if service.key in self._collected:
            return _YES if self._collecting or log_collection.sends(service) else _PLANNED
        return _VOLUME if log_collection.volumes(service) else _NO


def _unscraped(audit: Audit) -> dict[str, Broken]:
    """The services, by their keys, that are scraped in vain: no target that leads to one is whole."""
    wires, found = Wires(audit), dict[str, Broken]()
    whole: set[str] = set()
    inventory = audit.inventory
    for job in monitoring.jobs(inventory, monitoring.prometheus_in_use(inventory)):
        for target in job.targets:
            service = scraping.service_at(inventory, audit.dependencies, job, target)
            broken = wires.target(target.location)
            if service and broken:
                found.setdefault(service.key, broken)
            elif service:
                whole.add(service.key)
    return {key: broken for key, broken in found.items() if key not in whole}


def _answer(reach: Reach, service: Service, running: bool) -> str:
    if service.key in reach.services:
        return _YES if running else _PLANNED
    if service.key in reach.containers:
        return _CONTAINER if running else _PLANNED
    return _NO


def _state(answer: str) -> State:
    return State(answer, _MARKS[answer].tone)


def _mark(state: State) -> str:
    """Whose mark an answer has: what a finding speaks against is broken, whatever its words."""
    return _BROKEN if state.finding else state.text


def _summary(rows: _Rows) -> str:
    texts = [(name, [answer.text for answer in answers]) for name, answers in rows]
    found = list(zip(_WHAT, zip(*(answers for _, answers in texts), strict=True), strict=True))
    parts = [f"{answers.count(_YES)} with {what}" for what, answers in found if _YES in answers]
    if lacking := [what for what, answers in found if _YES not in answers]:
        parts.append(f"none with {' or '.join(lacking)}")
    words = f"Of {wording.count(len(rows), 'service')}: {', '.join(parts)}."
    if broken := [name for name, answers in rows if answers[0].finding]:
        words += f" The check is broken of: {wording.listing(broken)}."
    if untold := [name for name, answers in texts if answers[0] == health_of.UNKNOWN]:
        words += f" Whether the image brings a check isn't known of: {wording.listing(untold)}."
    if blind := [name for name, answers in texts if set(answers) == {_NO}]:
        words += f" Nothing at all: {wording.listing(blind)}."
    if outside := [name for name, answers in texts if _CONTAINER in answers]:
        words += f" In part by the container only, as cAdvisor sees it: {wording.listing(outside)}."
    if stored := [name for name, answers in texts if _VOLUME in answers]:
        words += f" Log files in a volume that nothing collects: {wording.listing(stored)}."
    if unheard := [name for name, answers in texts if _UNHEARD in answers]:
        words += f" Their alerts reach nobody: {wording.listing(unheard)}."
    if any(_PLANNED in answers[1:4] for _, answers in texts):
        words += " Prometheus is configured, but no service of the repository runs it."
    return words


def _drawn(rows: _Rows) -> Canvas:
    marks = {(row, column): _MARKS[_mark(answer)] for row, (_, answers) in enumerate(rows)
             for column, answer in enumerate(answers)}  # fmt: skip
    shown = {_mark(answer) for _, answers in rows for answer in answers}
    legend = [(mark, answer) for answer, mark in _MARKS.items() if answer in shown]
    return draw([name for name, _ in rows], _ASPECTS, marks, legend)


def _table(rows: _Rows, places: Mapping[str, str]) -> Table:
    columns = (Column("Service", "code"), *(Column(aspect, "state") for aspect in _ASPECTS), Column("Place", "code"))
    cells = tuple((name, *answers, places[name]) for name, answers in rows)
    return Table("Services and what watches them", columns, cells)
