"""The command that opens the workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from auditlib.cli._parameters import Project

_END = "--"


class PassingOn(TyperCommand):
    """A command whose arguments after `--` belong to another program; they become `context.args`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands before `--`, and keep what stands after it as it is."""
        end = args.index(_END) if _END in args else len(args)
        super().parse_args(ctx, args[:end])
        beyond = args[end + 1 :]
        ctx.args = beyond
        return beyond

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The line of usage, with the place for the other program's arguments."""
        return [*super().collect_usage_pieces(ctx), "[-- OPTIONS OF JUPYTERLAB]"]


def lab(
    context: typer.Context,
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
    """Open the workbook in JupyterLab, with this project in its parameters. What follows `--` goes to JupyterLab.

    Example: `auditlib lab ~/shop`, or on a server `auditlib lab ~/shop -- --no-browser --port 9999`
    """
    from auditlib import workbook

    return workbook.lab(project, folder or Path("auditlib-workbook", project.resolve().name), context.args)
