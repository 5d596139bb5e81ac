"""The inside of a process that executes one notebook: a papermill engine on IPython, without a kernel's sockets."""

from __future__ import annotations

import ast
import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from auditlib.collector import collected_rarely

ENGINE = "auditlib"


def call(function: Callable[..., None], *arguments: object) -> None:
    """Run one task of a report in this process; what it prints is for nobody."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    with collected_rarely():
        function(*arguments)


def _end_with_parent() -> None:
    """A process whose parent was killed works for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def execute(notebook: Path, folder: Path, parameters: Mapping[str, str]) -> None:
    """Run `notebook` by papermill from within `folder`, and leave the executed one there. A failed cell is no error."""
    papermill = _papermill()
    target = folder / notebook.name
    with suppress(papermill.PapermillExecutionError):  # the executed notebook holds the error, in its place
        papermill.execute_notebook(
            notebook,
            target,
            dict(parameters),
            engine_name=ENGINE,
            kernel_name="python3",  # a notebook may name none, or one that is not here
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            cwd=folder,
        )
    _settle(target, notebook.name)


def _papermill() -> Any:
    """Papermill with our engine."""
    import papermill
    from papermill import engines

    known: Any = engines.papermill_engines
    known.register(ENGINE, _engine())
    return papermill


def _engine() -> type:
    from papermill.engines import Engine

    class ShellEngine(Engine):
        """Executes a notebook's cells in an IPython shell in this process, which runs nothing else."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> None:
            """Execute all cells; what a failed one would have named is missing, so nothing after it is run then."""
            from auditlib.execution.shell import Shell

            shell = Shell.instance(config=Shell.settings())
            for index, cell in enumerate(nb_man.nb.cells):
                if cell.cell_type != "code" or not cell.source.strip():
                    continue
                nb_man.cell_start(cell, index)
                cell.outputs, failed = shell.outputs_of(cell.source)
                cell.execution_count = shell.execution_count - 1
                if failed:
                    nb_man.cell_exception(cell, index)
                nb_man.cell_complete(cell, index)
                if failed and _names_something(cell.source):
                    break

    return ShellEngine


def _names_something(source: str) -> bool:
    try:
        return not all(isinstance(statement, ast.Expr) for statement in ast.parse(source).body)
    except SyntaxError:
        return True


def _settle(path: Path, name: str) -> None:
    """Take out what differs from run to run: times, and the paths of this machine."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"].pop("papermill", None)
        cell["id"] = f"cell-{number}"  # papermill gives the cells that it adds a random one
    papermill = notebook["metadata"]["papermill"]
    notebook["metadata"]["papermill"] = {
        "version": papermill["version"],
        "parameters": papermill["parameters"],
        "input_path": name,
        "output_path": name,
    }
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
