"""The command line. Each command parses, calls one thing, and turns its answer into text and an exit status.

Exit status: 0 done, and nothing at or above `--fail-on`; 1 findings at or above it; 2 wrong usage or a project that
can't be read; 3 a notebook or a scanner failed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import TyperException

from auditlib import __version__, rules
from auditlib.errors import AuditlibError, UsageError
from auditlib.model import Area, Severity

if TYPE_CHECKING:
    from auditlib.audit import Audit
    from auditlib.rules import Rule

app = typer.Typer(
    name="auditlib",
    help="Reads a repository's deployment configuration and says what is wrong with it, with the line behind it.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,  # a traceback with local variables could show a secret
)
compose_app = typer.Typer(help="Compose projects as Docker Compose resolves them.", no_args_is_help=True)
app.add_typer(compose_app, name="compose")

Project = Annotated[
    Path, typer.Argument(metavar="PROJECT", help="The folder of the repository to audit.", show_default="here")
]


Progress = Callable[[str, int, int], None]
"""Told the step, how many are done and how many there are."""


class CheckFormat(StrEnum):
    """The forms that `check` prints."""

    text = "text"
    json = "json"
    csv = "csv"
    markdown = "markdown"
    sarif = "sarif"
    junit = "junit"
    github = "github"


def run(arguments: list[str]) -> int:
    """Run the command line on `arguments` and answer its exit status; every foreseen error is one line on stderr."""
    command = typer.main.get_command(app)
    try:
        status = command.main(arguments, prog_name="auditlib", standalone_mode=False)
    except TyperException as error:
        return _complain(
            f"{error.format_message()} (`auditlib --help` and `auditlib COMMAND --help` show what there is)"
        )
    except AuditlibError as error:
        _complain(str(error))
        return error.exit_status
    except typer.Abort:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; there is nobody to complain to
        return 0
    return status if isinstance(status, int) else 0


def _complain(message: str) -> int:
    typer.echo(f"auditlib: {' '.join(message.split())}", err=True)
    return 2


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"auditlib {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Reads a repository's deployment configuration and says what is wrong with it, with the line behind it."""


def _rule_ids(incomplete: str) -> list[str]:
    return [name for name in rules.catalogue() if name.startswith(incomplete)]


Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="RULE", help="Only this rule; may be repeated.", autocompletion=_rule_ids),
]


@app.command()
def check(
    project: Project = Path(),
    output_format: Annotated[CheckFormat, typer.Option("--format", help="How the findings are written.")] = (
        CheckFormat.text
    ),
    fail_on: Annotated[
        Severity | None, typer.Option(help="End with status 1 if a finding is at least this severe.")
    ] = None,
    area: Annotated[list[Area] | None, typer.Option(help="Only this area; may be repeated.")] = None,
    rule: Rules = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Findings of an earlier `--format json`; only new ones make it fail."),
    ] = None,
    no_scanners: Annotated[bool, typer.Option("--no-scanners", help="Only our own rules.")] = False,
) -> int:
    """Print the findings; no notebooks.

    Example: `auditlib check . --fail-on high`, or `auditlib check ~/shop --area monitoring --format json`
    """
    from auditlib import baseline as baselines
    from auditlib import configuration, formats, scanners
    from auditlib.audit import audit

    known = baselines.load(baseline) if baseline else frozenset()
    settings = configuration.load(project)
    result = _chosen(audit(project, _rules_to_check(rule), configuration=settings, scanned=not no_scanners), area, rule)
    if output_format is CheckFormat.text:
        _print_findings(result)
    else:
        typer.echo(formats.render(result, output_format.value), nl=False)
    broken = scanners.failures(result.coverage)
    for entry in broken:
        typer.echo(f"auditlib: {entry.reason}", err=True)
    failing = baselines.failing(result.findings, known, fail_on or settings.fail_on)
    return 3 if broken else 1 if failing else 0


def _rules_to_check(names: list[str] | None) -> list[Rule] | None:
    """The rules of these names; None, which is all, without a name."""
    from auditlib import scanners

    return [rules.find(name) for name in names if not scanners.is_scanner_rule(name)] if names else None


def _chosen(result: Audit, areas: list[Area] | None, names: list[str] | None) -> Audit:
    """The audit with the findings that were asked for."""
    wanted = (
        finding
        for finding in result.findings
        if (not areas or finding.area in areas) and (not names or finding.rule in names)
    )
    return replace(result, findings=tuple(wanted))


def _print_findings(result: Any) -> None:
    from rich.console import Console

    from auditlib.formats import plain_text

    Console(highlight=False, soft_wrap=True).print(plain_text.styled(result), end="")


@app.command(name="rules")
def show_rules(
    rule: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="One rule, in full.", autocompletion=_rule_ids)
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The whole catalogue as Markdown (docs/rules.md).")] = (
        False
    ),
) -> None:
    """Show the catalogue of rules, or one rule in full.

    Example: `auditlib rules`, or `auditlib rules scrape-target-unresolved`
    """
    from auditlib import suppressions
    from auditlib.formats import catalogue

    every = {**rules.catalogue(), **suppressions.catalogue()}
    if rule:
        typer.echo(catalogue.text(every.get(rule) or rules.find(rule)))
    elif markdown:
        typer.echo(catalogue.markdown(every.values()), nl=False)
    else:
        typer.echo(catalogue.overview(every.values()))


@app.command()
def explain(
    fingerprint: Annotated[str, typer.Argument(metavar="FINGERPRINT", help="Of the finding, or how it begins.")],
    project: Project = Path(),
    no_scanners: Annotated[bool, typer.Option("--no-scanners", help="Only our own rules.")] = False,
) -> None:
    """Tell one finding's whole chain of evidence, with the lines.

    Example: `auditlib explain 3f2a9c71 ~/shop`
    """
    from auditlib.audit import audit
    from auditlib.formats import explanation

    typer.echo(explanation.render(audit(project, scanned=not no_scanners), fingerprint), nl=False)


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


@app.command()
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
) -> int:
    """Run the notebooks and write the report: index.html, the executed notebooks, findings and tables.

    Example: `auditlib report ~/shop -o ~/shop-audit`, or `auditlib report ~/shop --format slides,pdf`
    """
    from auditlib import editions, workbook

    forms = editions.named(form)
    with _progress() as progress:
        result = workbook.report(project, output, progress, forms=forms, config=config)
    for failure in result.failures:
        typer.echo(f"auditlib: {failure}", err=True)
    typer.echo(f"{result.index}")
    return 3 if result.failures else 0


@app.command()
def lab(
    project: Project = Path(),
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the notebooks are copied to; notebooks there stay as they are.",
            show_default="auditlib-workbook/NAME OF THE PROJECT",
        ),
    ] = None,
) -> int:
    """Open the workbook in JupyterLab, with this project in its parameters.

    Example: `auditlib lab ~/shop`
    """
    from auditlib import workbook

    return workbook.lab(project, folder or Path("auditlib-workbook", project.resolve().name))


def _default_files() -> list[str]:
    """What `docker compose` reads in the current folder: the base file, and its override if there is one."""
    from auditlib import compose

    found = compose.discover(Path(), [path.name for path in Path().iterdir()])
    files = next((list(one.files) for one in found if one.role in ("base", "broken")), None)
    if files is None:
        raise UsageError("there is no compose.yaml or docker-compose.yml in this folder; name one with -f FILE")
    return files


class ConfigFormat(StrEnum):
    """The forms that `compose config` prints."""

    yaml = "yaml"
    json = "json"


@compose_app.command(name="config")
def compose_config(
    file: Annotated[
        list[Path] | None, typer.Option("--file", "-f", metavar="FILE", help="A Compose file; later ones win.")
    ] = None,
    profile: Annotated[list[str] | None, typer.Option(help="Enable this profile; `*` enables all.")] = None,
    env_file: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Instead of the .env beside the first file.")
    ] = None,
    project_name: Annotated[str | None, typer.Option("--project-name", "-p", help="Instead of the folder's name.")] = (
        None
    ),
    output_format: Annotated[ConfigFormat, typer.Option("--format", help="How it is written.")] = ConfigFormat.yaml,
    no_interpolate: Annotated[bool, typer.Option("--no-interpolate", help="Leave `${VARIABLES}` as they are.")] = False,
    services: Annotated[bool, typer.Option("--services", help="Only the services' names.")] = False,
    variables: Annotated[bool, typer.Option("--variables", help="Only the variables, with their defaults.")] = False,
    provenance: Annotated[
        bool, typer.Option("--provenance", help="Follow each line by the file and line that it comes from.")
    ] = False,
) -> None:
    """Print what `docker compose config` prints, without Docker. Values are shown as they are, secrets included.

    Example: `auditlib compose config -f compose.yaml -f compose.override.yaml --profile '*' --provenance`
    """
    from auditlib import compose
    from auditlib.compose import render

    if services + variables + provenance + (output_format is ConfigFormat.json) > 1:
        raise UsageError("--services, --variables, --provenance and --format json exclude each other; choose one")
    try:
        project = compose.load(
            file or _default_files(),
            profiles=profile or (),
            project_name=project_name,
            env_files=env_file,
            interpolate=not no_interpolate,
        )
        if services:
            text = render.render_services(project)
        elif variables:
            text = render.render_variables(project)
        elif output_format is ConfigFormat.json:
            text = render.render_json(project)
        else:
            text = render.render_yaml(project, provenance=provenance)
    except compose.ComposeError as error:
        raise UsageError(str(error)) from None
    for warning in project.warnings:
        typer.echo(f"auditlib: warning: {warning}", err=True)
    typer.echo(text, nl=False)
