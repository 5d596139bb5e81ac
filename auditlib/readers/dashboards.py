"""Reads Grafana's dashboards as JSON: panels in rows and out of them, their data sources and queries.

Follows https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/view-dashboard-json-model/;
dashboards of schema versions below 16 keep their panels in `rows`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from auditlib.inventory.dashboards import Dashboard, DashboardVariable, Panel
from auditlib.inventory.monitoring import Query
from auditlib.model import Coverage, Read
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.readers import promql, reading, selection
from auditlib.readers.json_positions import Document, Object, objects, text
from auditlib.source import Source, Unreadable

KIND = "grafana-dashboard"

_PROMQL = ("prometheus", "mimir", "thanos", "cortex", "victoriametrics")
_EXPRESSIONS = ("expr", "rawSql", "query", "rawQuery", "target")
_VARIABLE_QUERY = regex(r"\s*(?:label_values|query_result|metrics)\s*\((.*)\)\s*$", re.S)


def read(source: Source) -> reading.Reading:
    """Every dashboard."""
    files = selection.containing(source, ("*.json",), '"panels"', '"rows"')
    return reading.each(source, (file for file in files if _is_dashboard(source, file)), KIND, _read)


def _is_dashboard(source: Source, file: str) -> bool:
    """What has panels and is no JSON counts as one, so that it is reported."""
    words = source.text(file)
    if '"schemaVersion"' not in words and '"targets"' not in words:
        return '"panels"' in words and not _is_json(source, file)
    return True


def _is_json(source: Source, file: str) -> bool:
    try:
        Document(source, file)
    except Unreadable:
        return False
    return True


def _read(source: Source, file: str) -> Iterator[Any]:
    document = Document(source, file)
    root = document.value
    below = _below(root) if isinstance(root, Object) else ""
    if below:
        root = root[below]
    if not _has_panels(root):
        raise Unreadable("has the words of a dashboard, but no list of panels")
    dashboard = Dashboard(
        file=file,
        title=text(root, "title"),
        uid=text(root, "uid"),
        panels=tuple(panel for item in _panels(root) for panel in _by_datasource(item, document)),
        location=document.location(root),
        variables=tuple(_variables(root, document)),
        below=below,
    )
    yield dashboard
    broken = [query for panel in dashboard.panels for query in panel.queries if query.error]
    if broken:
        line = broken[0].location.line if broken[0].location else 1
        yield Coverage(
            file,
            KIND,
            Read.PARTIAL,
            f"{counted(len(broken), 'query', 'queries')} could not be parsed: {broken[0].error}",
            line,
        )


def _below(root: Object) -> str:
    """The key that a dashboard stands below: Grafana's API gives it so; others got there by a brace too few."""
    if isinstance(root.get("dashboard"), Object):
        return "dashboard"
    named = text(root, "title") or _has_panels(root)
    return "" if named else next((key for key, value in root.items() if _has_panels(value)), "")


def _has_panels(value: object) -> bool:
    return isinstance(value, Object) and any(isinstance(value.get(key), list) for key in ("panels", "rows"))


def _panels(root: Object) -> Iterator[Object]:
    """Every panel that is no row, in the order of the file."""
    stack = [*objects(root.get("panels")), *objects(root.get("rows"))][::-1]
    while stack:
        item = stack.pop()
        if item.get("type") != "row" and not ("panels" in item and "targets" not in item):
            yield item
        stack.extend(reversed(objects(item.get("panels"))))


def _by_datasource(panel: Object, document: Document) -> Iterator[Panel]:
    """A panel once for each data source that its queries name; the panel's own goes for those that name none."""
    own = _datasource(panel.get("datasource"))
    queries: dict[tuple[str, str], list[Query]] = {}
    for target in objects(panel.get("targets")):
        found = _datasource(target.get("datasource"))
        used = found if any(found) else own
        queries.setdefault(used, []).extend(_queries(target, used, document))
    for (name, kind), found_queries in (queries or {own: []}).items():
        yield Panel(text(panel, "title"), name, kind, tuple(found_queries), document.location(panel))


def _datasource(value: object) -> tuple[str, str]:
    """The name or uid of a data source, and its type where the file says it."""
    if isinstance(value, Object):
        return text(value, "uid"), text(value, "type")
    return (value, "") if isinstance(value, str) else ("", "")


def _queries(target: Object, datasource: tuple[str, str], document: Document) -> Iterator[Query]:
    for key in _EXPRESSIONS:
        expression = text(target, key)
        if expression.strip():
            place = document.location(target, key)
            yield (
                promql.parse(expression, place)
                if _is_promql(key, datasource)
                else Query(expression.strip(), (), (), "", place)
            )
            return


def _is_promql(key: str, datasource: tuple[str, str]) -> bool:
    """Loki's expressions stand under `expr` too; a data source is told by its type, else by its name."""
    name, kind = datasource
    if key != "expr":
        return False
    return any(word in kind.lower() for word in _PROMQL) if kind else "loki" not in name.lower()


def _variables(root: Object, document: Document) -> Iterator[DashboardVariable]:
    """The template variables, and the inputs that are asked for when a shared dashboard is imported."""
    templating = root.get("templating")
    for item in objects(templating.get("list")) if isinstance(templating, Object) else ():
        name, kind = _datasource(item.get("datasource"))
        query = text(item, "query") or text(item, "query", "query")
        yield DashboardVariable(
            name=text(item, "name"),
            kind=text(item, "type"),
            query=_variable_query(query, document, item) if text(item, "type") == "query" else None,
            datasource=name,
            datasource_type=query if text(item, "type") == "datasource" else kind,
            location=document.location(item),
        )
    for item in objects(root.get("__inputs")):
        yield DashboardVariable(
            name=text(item, "name"),
            kind="input",
            query=None,
            datasource="",
            datasource_type=text(item, "pluginId"),
            location=document.location(item),
        )


def _variable_query(written: str, document: Document, item: Object) -> Query | None:
    """The expression inside `label_values(expression, label)` or `query_result(expression)`."""
    match = _VARIABLE_QUERY.match(written)
    if not match or written.lstrip().startswith("metrics"):
        return None
    expression = match[1]
    if written.lstrip().startswith("label_values"):
        expression = expression.rpartition(",")[0]
    return promql.parse(expression, document.location(item, "query")) if expression.strip() else None
