"""The command line. Each command parses, calls one thing, and turns its answer into text and an exit status.

One module a family of commands. Exit status: 0 done, and nothing at or above `--fail-on`; 1 findings at or above it;
2 wrong usage or a project that can't be read; 3 a notebook or a scanner failed.
"""

from __future__ import annotations

import sys
import traceback
from copy import copy
from typing import Annotated

import typer
from typer.exceptions import TyperException

from auditlib import __version__
from auditlib.cli import catalogue, compose, findings, history, reports, workbook
from auditlib.cli._parameters import complain
from auditlib.errors import AuditlibError

app = typer.Typer(
    name="auditlib",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,  # a traceback with local variables could show a secret
)
app.command()(findings.check)
app.command(name="rules")(catalogue.show_rules)
app.command()(findings.explain)
app.command()(reports.report)
app.command()(history.history)
app.command()(history.diff)
app.command(cls=workbook.PassingOn)(workbook.lab)
app.add_typer(compose.app, name="compose")


def run(arguments: list[str]) -> int:
    """Run the command line on `arguments` and answer its exit status; every foreseen error is one line on stderr."""
    command = typer.main.get_command(_with_called(arguments))
    try:
        status = command.main(arguments, prog_name="auditlib", standalone_mode=False)
    except TyperException as error:
        return _misused(error.format_message())
    except AuditlibError as error:
        _complain(str(error))
        return error.exit_status
    except typer.Abort:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; there is nobody to complain to
        return 0
    except Exception as error:  # a defect: where it happened is shown, its message not, as that may quote a secret
        typer.echo("".join(traceback.format_tb(error.__traceback__)), err=True, nl=False)
        _complain(f"{type(error).__name__}; this is a defect of auditlib, please report the lines above")
        return 3
    return status if isinstance(status, int) else 0


def _with_called(arguments: list[str]) -> typer.Typer:
    """The application with the one command that is called, as typer takes 10 ms to look at all of them.

    Help, and the answer to a mistake, name every command.
    """
    names = {info.name or getattr(info.callback, "__name__", ""): info for info in app.registered_commands}
    called = names.get(arguments[0]) if arguments else None
    if called is None:
        return app
    one = copy(app)
    one.registered_commands, one.registered_groups = [called], []
    return one


def _misused(message: str) -> int:
    """Without a command the help was shown already, and there is no message."""
    if message:
        _complain(f"{message} (`auditlib --help` and `auditlib COMMAND --help` show what there is)")
    return 2


def _complain(message: str) -> int:
    complain([" ".join(message.split())])
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
    """Reads a repository's deployment configuration and says what is wrong with it, with the line behind it.

    Example: `auditlib check ~/shop` for the findings, `auditlib report ~/shop -o ~/shop-audit` for the whole report
    """
