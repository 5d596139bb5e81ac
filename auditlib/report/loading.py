"""Where a notebook gets its audit from."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable
from pathlib import Path

from auditlib import shipped
from auditlib import snapshot as snapshots
from auditlib.audit import Audit
from auditlib.audit import audit as audit_repository
from auditlib.errors import UsageError

_INJECTED = "# Parameters"
"""How papermill begins the cell that it puts the caller's parameters into."""


def load(project: str | None = None, snapshot: str | None = None) -> Audit:
    """The audit of the repository in the folder `project`, or a saved one; without either, the shipped example's.

    Its arguments are the notebook's parameters. Raises UsageError if papermill was given one that is not among them:
    papermill itself only warns, and the notebook would show something else than what was asked for.
    """
    reject_unknown_parameters(_cells_run(), inspect.signature(load).parameters)
    if snapshot:
        return snapshots.load(Path(snapshot))
    return audit_repository(Path(project) if project else shipped.example())


def reject_unknown_parameters(cells: Iterable[str], known: Iterable[str]) -> None:
    """Raise UsageError if an injected cell among `cells` assigns a name that is not known."""
    names = list(known)
    for cell in cells:
        if cell.startswith(_INJECTED):
            unknown = [name for name in _assigned(cell) if name not in names]
            if unknown:
                raise UsageError(
                    f"there is no parameter {unknown[0]!r}; the notebook's parameters are {', '.join(names)}"
                )


def _assigned(cell: str) -> list[str]:
    targets = [target for node in ast.parse(cell).body if isinstance(node, ast.Assign) for target in node.targets]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _cells_run() -> list[str]:
    """The sources of the cells that this kernel has run; none outside a notebook."""
    if "IPython" not in sys.modules:
        return []
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return [str(cell) for cell in shell.user_ns.get("In", [])] if shell else []
