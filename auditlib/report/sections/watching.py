"""Which services somebody watches: by health checks, metrics, alerts, dashboards and logs."""

from __future__ import annotations

from collections.abc import Mapping

from auditlib import log_collection, watching
from auditlib.audit import Audit
from auditlib.conventions import healthchecks
from auditlib.inventory.stack import Service
from auditlib.report import wording
from auditlib.report.blocks import Blocks, Column, Prose, State, Table
from auditlib.report.canvas import Canvas
from auditlib.report.charts.matrix import Mark, draw
from auditlib.watching import Reach, Watch

_ASPECTS = ("Health check", "Metrics", "Alerts", "Dashboard", "Logs kept")
_WHAT = ("a health check", "metrics", "alerts", "a dashboard", "logs that are kept")
"""The aspects in a sentence that says how many services have each."""
_YES, _CONTAINER, _PLANNED, _NO = "yes", "its container only", "configured, not run", "no"
_MARKS = {
    _YES: Mark("dot", "good"),
    _CONTAINER: Mark("ring", "warn"),
    _PLANNED: Mark("cross", "bad"),
    _NO: Mark("dash", ""),
}
_LIMIT = 40


def monitoring_coverage(audit: Audit) -> Blocks:
    """Each service: is its health checked, are its metrics scraped, do alerts and dashboards ask for it, logs kept."""
    if not audit.inventory.distinct_services:
        return Blocks(Prose("No service was found, so there is nothing to watch."))
    watch = watching.of(audit.inventory, audit.dependencies)
    logs, shipped = log_collection.kept(audit.inventory), log_collection.is_run(audit.inventory)
    rows = [
        (audit.inventory.label(service), (*_answers(audit, service, watch), _logs(service, logs, running=shipped)))
        for service in audit.inventory.distinct_services
    ]
    rows.sort(key=lambda row: (sum(answer == _YES for answer in row[1]), row[0]))
    words = _summary(rows)
    caption = words + (f" The {_LIMIT} with the least are drawn." if len(rows) > _LIMIT else "")
    places = {audit.inventory.label(service): str(service.location) for service in audit.inventory.distinct_services}
    return Blocks(_drawn(rows[:_LIMIT]).picture(caption, words, _table(rows, places)))


_Rows = list[tuple[str, tuple[str, ...]]]


def _answers(audit: Audit, service: Service, watch: Watch) -> tuple[str, ...]:
    return (
        _YES if healthchecks.of(audit.inventory, service) else _NO,
        *(_answer(reach, service, watch.running) for reach in (watch.metrics, watch.alerts, watch.dashboards)),
    )


def _logs(service: Service, kept: frozenset[str], *, running: bool) -> str:
    if service.key not in kept:
        return _NO
    return _YES if running or log_collection.sends(service) else _PLANNED


def _answer(reach: Reach, service: Service, running: bool) -> str:
    if service.key in reach.services:
        return _YES if running else _PLANNED
    if service.key in reach.containers:
        return _CONTAINER if running else _PLANNED
    return _NO


def _summary(rows: _Rows) -> str:
    found = list(zip(_WHAT, zip(*(answers for _, answers in rows), strict=True), strict=True))
    parts = [f"{answers.count(_YES)} with {what}" for what, answers in found if _YES in answers]
    if lacking := [what for what, answers in found if _YES not in answers]:
        parts.append(f"none with {' or '.join(lacking)}")
    words = f"Of {wording.count(len(rows), 'service')}: {', '.join(parts)}."
    if blind := [name for name, answers in rows if set(answers) == {_NO}]:
        words += f" Nothing at all: {wording.listing(blind)}."
    if outside := [name for name, answers in rows if _CONTAINER in answers]:
        words += f" In part by the container only, as cAdvisor sees it: {wording.listing(outside)}."
    if any(_PLANNED in answers[1:4] for _, answers in rows):
        words += " Prometheus is configured, but no service of the repository runs it."
    return words


def _drawn(rows: _Rows) -> Canvas:
    marks = {(row, column): _MARKS[answer] for row, (_, answers) in enumerate(rows)
             for column, answer in enumerate(answers)}  # fmt: skip
    legend = [(mark, answer) for answer, mark in _MARKS.items() if mark in marks.values()]
    return draw([name for name, _ in rows], _ASPECTS, marks, legend)


def _table(rows: _Rows, places: Mapping[str, str]) -> Table:
    columns = (Column("Service", "code"), *(Column(aspect, "state") for aspect in _ASPECTS), Column("Place", "code"))
    cells = tuple(
        (name, *(State(answer, _MARKS[answer].tone) for answer in answers), places[name]) for name, answers in rows
    )
    return Table("Services and what watches them", columns, cells)
