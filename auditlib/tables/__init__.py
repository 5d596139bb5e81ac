"""The audit as dataframes: `audit.tables.services`, each with documented columns.

A table is made when it is asked for. Its `attrs` carry `description` and, by column, `columns`: what it means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

from auditlib import nearest
from auditlib.errors import UsageError
from auditlib.inventory import Inventory
from auditlib.model import Coverage, Finding
from auditlib.tables import _audit, _configuration, _delivery, _monitoring, _stack
from auditlib.tables._columns import SCHEMAS, Schema
from auditlib.tables._facts import Facts, Row
from auditlib.tables._graph import Graph

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCHEMAS", "Schema", "Tables", "document"]

_BUILDERS: dict[str, Callable[[Facts], Iterator[Row]]] = {
    name: getattr(module, name)
    for module in (_audit, _stack, _configuration, _monitoring, _delivery)
    for name in SCHEMAS
    if hasattr(module, name)
}


class Tables:
    """The tables of one audit, each an attribute and made once. `list(tables)` gives their names."""

    def __init__(
        self, inventory: Inventory, graph: Graph, findings: Iterable[Finding], coverage: Iterable[Coverage]
    ) -> None:
        self._facts = Facts(inventory, graph, tuple(findings), tuple(coverage))
        self._made: dict[str, pd.DataFrame] = {}

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in SCHEMAS:
            raise AttributeError(_unknown(name))
        return self[name]

    def __getitem__(self, name: str) -> pd.DataFrame:
        """The table of this name. Raises UsageError, with the nearest names, if there is none."""
        if name not in SCHEMAS:
            raise UsageError(_unknown(name))
        if name not in self._made:
            self._made[name] = _frame(SCHEMAS[name], _BUILDERS[name](self._facts))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(SCHEMAS)

    def __len__(self) -> int:
        return len(SCHEMAS)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *SCHEMAS]

    def __repr__(self) -> str:
        return f"<Tables: {', '.join(SCHEMAS)}>"

    def _repr_html_(self) -> str:
        """The tables with the number of their rows, as JupyterLab shows them."""
        rows = "".join(
            f"<tr><td><code>{escape(name)}</code></td><td>{len(self[name])}</td>"
            f"<td style='text-align:left'>{escape(schema.description)}</td></tr>"
            for name, schema in SCHEMAS.items()
        )
        return f"<table><thead><tr><th>table</th><th>rows</th><th>holds</th></tr></thead><tbody>{rows}</tbody></table>"


def document() -> str:
    """The tables and their columns as Markdown."""
    parts = ["# Tables", "", "`audit.tables.<name>` gives a dataframe; every row has the file and line it comes from."]
    for name, schema in SCHEMAS.items():
        parts += ["", f"## {name}", "", schema.description, "", "| column | dtype | meaning |", "|---|---|---|"]
        parts += [f"| `{column}` | {dtype} | {_cell(meaning)} |" for column, (dtype, meaning) in schema.columns.items()]
    return "\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _frame(schema: Schema, rows: Iterable[Row]) -> pd.DataFrame:
    import pandas as pd  # half a second that `auditlib check` doesn't spend

    found = list(rows)
    columns = {
        name: pd.Series([row.get(name) for row in found], dtype=dtype) for name, (dtype, _) in schema.columns.items()
    }
    frame = pd.DataFrame(columns)
    frame.attrs["description"] = schema.description
    frame.attrs["columns"] = {name: meaning for name, (_, meaning) in schema.columns.items()}
    return frame


def _unknown(name: str) -> str:
    hint = nearest.hint(name, list(SCHEMAS), f"there are {', '.join(SCHEMAS)}")
    return f"there is no table {name!r}; {hint}"
