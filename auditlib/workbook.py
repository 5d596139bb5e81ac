"""The report of a repository, and the workbook in JupyterLab."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

from msgspec import Struct, structs

from auditlib import editions, execution, history, publishing, runs, shipped, snapshot
from auditlib.audit import Audit, audit
from auditlib.errors import UsageError
from auditlib.execution import kernel
from auditlib.formats import csv_table, json_document, table_files
from auditlib.report import page, settings

Progress = Callable[[str, int, int], None]
"""Told the step, how many are done and how many there are."""

SNAPSHOT = "snapshot.json"
_TABLES = "tables"
_TABLES_TASK = "the tables"
"""Beside the names of notebooks, none of which has a space."""


class Report(Struct, frozen=True):
    """A report that was written: its page, what failed on the way, and what is to be said of the history (lines).

    It is still a report if the project has files and none of them could be read; then `is_unread`.
    """

    index: Path
    failures: tuple[str, ...]
    notes: tuple[str, ...] = ()
    is_unread: bool = False


def report(
    project: Path,
    output: Path,
    progress: Progress | None = None,
    *,
    forms: Collection[editions.Edition] = (),
    config: Path | None = None,
    store: runs.Store | None = None,
    today: date | None = None,
) -> Report:
    """Audit the repository in the folder `project` and write the report into the folder `output`, whole or not at all.

    The audit is done once; the notebooks read it from a snapshot that stays beside them, so that they can be run again.
    `forms` are written beside the page; `config` is read instead of the repository's own `report.toml`. With a `store`
    the report says what changed since the runs in it, and once it is published its own run is kept there. The report is
    as of `today`, the current day if none is given.
    Raises ProjectError if the project can't be read, UsageError if `output` is something that is no report of ours, or
    if the settings are wrong, or something that a form needs is not installed.
    """
    publishing.check(output)
    editions.check(forms)
    own = _notebooks()
    look = settings.load(project, config, [_section_name(path) for path in own if _is_section(path)])
    notebooks = [path for path in own if _section_name(path) not in look.left_out] + list(look.notebooks)
    context = execution.warm()
    result, run, notes = _audited(project, store, today)
    with publishing.published(output) as folder:
        snapshot.save(result, folder / SNAPSHOT)
        (folder / "findings.json").write_text(json_document.render(result), encoding="utf-8")
        (folder / "findings.csv").write_text(csv_table.render(result), encoding="utf-8")
        made, failures = _sections(context, folder, notebooks, progress or _silent)
        shown = [path.stem for path in notebooks if _is_section(path) or path in look.notebooks]
        text = page.render(result, [made[name] for name in shown], look)
        (folder / "index.html").write_text(text, encoding="utf-8")
        editions.write(forms, result, folder, shown, look)
    failures += _keep(store, run) if store else []
    return Report(output / "index.html", tuple(failures), notes, result.is_unread)


def _audited(project: Path, store: runs.Store | None, today: date | None) -> tuple[Audit, history.Run, tuple[str, ...]]:
    """The audit with what came before it, as the run that it is, and a line for each run that could not be read."""
    result = audit(project, today=today)
    run = history.run_of(
        result.findings, result.inventory.commit, coverage=result.coverage, unknown=result.unknown_areas
    )
    if store is None:
        return result, run, ()
    contents = store.contents()
    past, problems = runs.before(contents, run)
    return replace(result, history=past), run, (*contents.problems, *problems)


def _keep(store: runs.Store, run: history.Run) -> list[str]:
    """Keep the run, as of now; a line if it can't be kept."""
    try:
        store.keep(structs.replace(run, standing=structs.replace(run.standing, time=history.now())))
    except UsageError as error:
        return [str(error)]
    return []


def _silent(step: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def _sections(
    context: execution.Context, folder: Path, notebooks: list[Path], progress: Progress
) -> tuple[dict[str, page.Section], list[str]]:
    """Run the notebooks and write the tables; make each notebook a section as soon as it is done."""
    (folder / "notebooks").mkdir()
    parameters = {"snapshot": f"../{SNAPSHOT}"}
    tasks: dict[str, execution.Task] = {
        path.stem: (kernel.execute, (path, folder / "notebooks", parameters)) for path in _longest_first(notebooks)
    }
    tasks[_TABLES_TASK] = (write_tables, (folder / SNAPSHOT, folder / _TABLES))
    sections: dict[str, page.Section] = {}
    failures: list[str] = []
    progress("starting", 0, len(tasks))
    with closing(execution.run(context, tasks)) as results:
        for done, (name, reason) in enumerate(results, start=1):
            progress(name, done, len(tasks))
            if name == _TABLES_TASK:
                failures += [f"the tables could not be written: {reason}"] if reason else []
                continue
            sections[name] = _section(folder / "notebooks" / f"{name}.ipynb", reason)
            failures += [f"notebook {name}: {failure}" for failure in sections[name].failures]
    return sections, sorted(failures)


def _notebooks() -> list[Path]:
    return sorted(shipped.notebooks().glob("*.ipynb"))


def _is_section(path: Path) -> bool:
    """Whether one of our notebooks is a part of the page; those without a number are for JupyterLab."""
    return path.stem[0].isdigit()


def _section_name(path: Path) -> str:
    """The notebook's name without its number, by which settings and links call it."""
    return path.stem.partition("-")[2] if _is_section(path) else path.stem


def _longest_first(notebooks: list[Path]) -> list[Path]:
    """The notebooks with the most cells first, so that none of them is waited for at the end."""
    return sorted(notebooks, key=lambda path: -path.stat().st_size)


def _section(path: Path, reason: str) -> page.Section:
    if reason or not path.is_file():
        return page.missing(path.stem, reason or "it left no notebook")
    return page.section(path.stem, json.loads(path.read_text(encoding="utf-8")))


def write_tables(saved: Path, folder: Path) -> None:
    """Write every table of a saved audit into `folder` as CSV."""
    table_files.write(snapshot.load(saved), folder)


def lab(project: Path, folder: Path, options: Sequence[str] = ()) -> int:
    """Copy the notebooks to `folder`, set to show `project`, and open JupyterLab there. Answers its exit status.

    Notebooks that are there already stay as they are. `options` are JupyterLab's own.
    """
    if not project.is_dir():
        raise UsageError(f"{project} is not a folder; name the folder of the repository to audit")
    try:
        _copy_notebooks(project, folder)
    except OSError as error:
        said = error.strerror or str(error)
        raise UsageError(f"the notebooks can't be copied to {folder}: {said}; name another with --folder") from None
    # -P: no module is taken from the current folder, which may be the repository
    return subprocess.run([sys.executable, "-P", "-m", "jupyterlab", str(folder), *options], check=False).returncode


def _copy_notebooks(project: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in _notebooks():
        target = folder / path.name
        if not target.exists():
            target.write_text(_set_to(project, path), encoding="utf-8")


def _set_to(project: Path, path: Path) -> str:
    """The notebook with the project in its cell of parameters."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            lines = "".join(cell["source"]).splitlines(keepends=True)
            setting = f"project = {str(project.resolve())!r}\n"
            cell["source"] = [setting if line.startswith("project =") else line for line in lines]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
