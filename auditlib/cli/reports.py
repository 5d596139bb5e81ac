"""The command that writes the report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditlib.cli._parameters import UNREAD, History, Project, complain, store_of
from auditlib.errors import ProjectError, UsageError

if TYPE_CHECKING:
    from auditlib.runs import Store

Progress = Callable[[str, int, int], None]
"""Told the step, how many are done and how many there are."""


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A progress bar on stderr; none where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("reading", total=None)
        yield lambda step, done, total: bars.update(task, description=step, completed=done, total=total)


def report(
    project: Project = Path(),
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the report goes.")] = Path(
        "build/report"
    ),
    form: Annotated[
        str,
        typer.Option("--format", metavar="FORMS", help="Of `html,slides,pdf,markdown`; the page is always written."),
    ] = "html",
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Look and sections of the report; otherwise the repository's report.toml."),
    ] = None,
    history: History = None,
    no_history: Annotated[
        bool, typer.Option("--no-history", help="Neither keep this run nor tell of earlier ones.")
    ] = False,
) -> int:
    """Run the notebooks and write the report: index.html, the executed notebooks, findings and tables.

    The run is kept, so that the next report says what has changed (`auditlib history` and `auditlib diff` do too).

    Example: `auditlib report ~/shop -o ~/shop-audit`, or `auditlib report ~/shop --format slides,pdf`
    """
    from auditlib import editions, workbook

    forms = editions.named(form)
    store, trouble = _store(project, history, kept=not no_history)
    with _progress() as progress:
        result = workbook.report(project, output, progress, forms=forms, config=config, store=store)
    complain((*trouble, *result.notes, *result.failures))
    typer.echo(f"{result.index}")
    if result.is_unread:
        raise ProjectError(UNREAD)
    return 3 if result.failures else 0


def _store(project: Path, folder: Path | None, *, kept: bool) -> tuple[Store | None, list[str]]:
    """Where the run is kept, or nowhere, and why not.

    A folder that was asked for has to be there; without the usual one (as in a container) a report is still a report.
    """
    if folder and not kept:
        raise UsageError("--history and --no-history exclude each other; choose one")
    try:
        store = store_of(project, folder) if kept else None
        if store:
            store.prepare()
    except UsageError as error:
        if folder:
            raise
        return None, [str(error)]
    return store, []
