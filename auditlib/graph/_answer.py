"""An answer as a person reads it: a table in JupyterLab and on a terminal, still a list of records for a program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from auditlib.graph._answers import Breakage, Cycle, Edge, Flow, Node, SinglePoint, bare
from auditlib.model import Location

if TYPE_CHECKING:
    import pandas

Record = TypeVar("Record")
Row = dict[str, object]


class View(NamedTuple, Generic[Record]):
    """How records are put into words."""

    rows: Callable[[Sequence[Record]], list[Row]]
    columns: tuple[str, ...]


class Answer(list[Record]):
    """The records that answer a question; where one looks at it, it is a table.

    `view` puts the records into words, `nothing` is the sentence for an answer without records.
    """

    def __init__(self, records: Iterable[Record], view: View[Record], nothing: str) -> None:
        super().__init__(records)
        self._view = view
        self._nothing = nothing

    @property
    def table(self) -> pandas.DataFrame:
        """The answer as a dataframe, a row a record; the view's columns, also where there is no row."""
        import pandas

        return pandas.DataFrame(self._view.rows(self), columns=list(self._view.columns))

    def __str__(self) -> str:
        return str(self.table.to_string(index=False)) if self else self._nothing

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        import pandas
        from markupsafe import escape

        with pandas.option_context("display.max_colwidth", None):
            return str(self.table.to_html(index=False, border=0)) if self else f"<p>{escape(self._nothing)}</p>"


def _layer_rows(layers: Sequence[list[str]]) -> list[Row]:
    """Columns `step` (from 1) and `services`, which start together."""
    return [{"step": step, "services": _names(layer)} for step, layer in enumerate(layers, start=1)]


def _breakage_rows(breakages: Sequence[Breakage]) -> list[Row]:
    """Columns `name`, `kind`, `effect`, `why`, and the place of the last link of the chain."""
    return [
        {
            "name": item.name,
            "kind": item.kind,
            "effect": _effect(item),
            "why": item.why,
            **_place(item.path[-1].location),
        }
        for item in breakages
    ]


def _effect(item: Breakage) -> str:
    if item.unreachable:
        return "can't be reached from outside"
    return "fails too" if item.hard else "goes on without it"


def _single_point_rows(points: Sequence[SinglePoint]) -> list[Row]:
    """Columns `name`, `kind`, `fails_too`, `unreachable`, `goes_on_without_it`, and the place of the node."""
    return [
        {
            "name": point.name,
            "kind": point.kind,
            "fails_too": _names(point.hard),
            "unreachable": _names(point.unreachable),
            "goes_on_without_it": _names(point.soft),
            **_place(point.location),
        }
        for point in points
    ]


def _cycle_rows(cycles: Sequence[Cycle]) -> list[Row]:
    """Columns `cycle`, as `a → b → a`, and the place of its first link."""
    return [
        {"cycle": " → ".join(map(bare, (*cycle.nodes, cycle.nodes[0]))), **_place(cycle.links[0].location)}
        for cycle in cycles
    ]


def _flow_rows(flows: Sequence[Flow]) -> list[Row]:
    """Columns `variable`, `value` (masked), `from`, `reaches`, `opens`, and the place of the first origin."""
    return [
        {
            "variable": flow.variable,
            "value": ", ".join(dict.fromkeys(origin.shown for origin in flow.origins if origin.shown)),
            "from": ", ".join(dict.fromkeys(origin.kind for origin in flow.origins)),
            "reaches": _names(flow.services),
            "opens": _names(flow.opens),
            **_place(flow.origins[0].location if flow.origins else None),
        }
        for flow in flows
    ]


def _node_rows(nodes: Sequence[Node]) -> list[Row]:
    """Columns `name`, `kind`, and the place where it is declared."""
    return [{"name": node.name, "kind": node.kind, **_place(node.location)} for node in nodes]


def _edge_rows(edges: Sequence[Edge]) -> list[Row]:
    """Columns `from`, `verb`, `to`, and the place that says so."""
    return [
        {"from": bare(edge.source), "verb": edge.verb, "to": bare(edge.target), **_place(edge.location)}
        for edge in edges
    ]


def _names(nodes: Iterable[str]) -> str:
    return ", ".join(map(bare, nodes))


def _place(location: Location | None) -> Row:
    return {"file": location.file if location else "", "line": location.line if location else 0}


LAYERS = View(_layer_rows, ("step", "services"))
BREAKAGES = View(_breakage_rows, ("name", "kind", "effect", "why", "file", "line"))
SINGLE_POINTS = View(
    _single_point_rows, ("name", "kind", "fails_too", "unreachable", "goes_on_without_it", "file", "line")
)
CYCLES = View(_cycle_rows, ("cycle", "file", "line"))
FLOWS = View(_flow_rows, ("variable", "value", "from", "reaches", "opens", "file", "line"))
EDGES = View(_edge_rows, ("from", "verb", "to", "file", "line"))
NODES = View(_node_rows, ("name", "kind", "file", "line"))
