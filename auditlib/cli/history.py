"""The commands that tell of past runs: all of them, or what changed between two."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditlib.cli._parameters import History, Project, complain, print_text, store_of
from auditlib.model import Severity

if TYPE_CHECKING:
    from auditlib.runs import Contents


class HistoryFormat(StrEnum):
    """The forms that `history` prints."""

    text = "text"
    json = "json"


class DiffFormat(StrEnum):
    """The forms that `diff` prints."""

    text = "text"
    json = "json"
    markdown = "markdown"


def history(
    project: Project = Path(),
    folder: History = None,
    last: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many, the newest first.")] = 20,
    output_format: Annotated[HistoryFormat, typer.Option("--format", help="How they are written.")] = (
        HistoryFormat.text
    ),
) -> None:
    """List the runs that `auditlib report` has kept: verdict, scores, open findings, what is new and fixed.

    Example: `auditlib history ~/shop`, or `auditlib history --history /srv/audit/runs --format json`
    """
    from auditlib import runs
    from auditlib.formats import run_table

    store = store_of(project, folder)
    contents = store.contents()
    rows, problems = runs.overview(contents)
    complain((*contents.problems, *problems))
    if output_format is HistoryFormat.json:
        typer.echo(run_table.document(project.resolve().name, rows[:last]), nl=False)
    elif rows:
        print_text(run_table.styled(rows[:last]))
    else:
        typer.echo(f"No run is kept in {store.folder}; `auditlib report` keeps one.")


def _run_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names of the runs that are kept, for the shell's completion."""
    from auditlib import runs

    given = {name: Path(value) for name, value in context.params.items() if name in ("project", "folder") and value}
    contents: Contents = store_of(given.get("project", Path()), given.get("folder")).contents()
    return [name for name in (*runs.WORDS, *(run.id for run in contents.runs)) if name.startswith(incomplete)]


_NAMES = "`latest`, `previous`, a date, how the run's id begins; or a report's folder, or a findings.json."


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_NAMES, autocompletion=_run_names)] = "previous",
    new: Annotated[str, typer.Argument(metavar="NEW", help="Likewise.", autocompletion=_run_names)] = "latest",
    project: Annotated[
        Path, typer.Option("--project", metavar="PROJECT", help="Whose runs these are.", show_default="here")
    ] = Path(),
    folder: History = None,
    output_format: Annotated[DiffFormat, typer.Option("--format", help="How it is written.")] = DiffFormat.text,
    fail_on: Annotated[
        Severity | None,
        typer.Option(help="End with status 1 if a finding at least this severe is new, reopened, worse or has grown."),
    ] = None,
) -> int:
    """Tell what changed between two runs: what is fixed, has shrunk, is new, has spread or is judged differently.

    Example: `auditlib diff previous latest`, `auditlib diff 2026-11-01 latest --project ~/shop`,
    or `auditlib diff main.json branch.json --format markdown`
    """
    from auditlib import history as past
    from auditlib import runs
    from auditlib.formats import changes

    store = store_of(project, folder)
    before, after = runs.side(old, store), runs.side(new, store)
    found = past.changes(before, after)
    if output_format is DiffFormat.text:
        print_text(changes.styled(before, after, found))
    else:
        render = changes.document if output_format is DiffFormat.json else changes.markdown
        typer.echo(render(before, after, found), nl=False)
    return 1 if fail_on and any(entry.severity >= fail_on for entry in found.worse) else 0
