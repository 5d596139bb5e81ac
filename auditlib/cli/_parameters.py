"""What several commands share: arguments and options, and how they print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditlib import rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

    from auditlib.runs import Store

UNREAD = "none of the project's files could be read, so nothing is known of it"
"""What commands end with that audited a project of which nothing could be read."""

Project = Annotated[
    Path, typer.Argument(metavar="PROJECT", help="The folder of the repository to audit.", show_default="here")
]


History = Annotated[
    Path | None,
    typer.Option(
        "--history",
        metavar="DIR",
        help="Where the project's runs are kept.",
        show_default="a folder of its own in the user's state folder",
    ),
]
NoScanners = Annotated[bool, typer.Option("--no-scanners", help="Only our own rules.")]


def rule_ids(incomplete: str) -> list[str]:
    """The ids of rules that begin so, for the shell's completion."""
    from auditlib import scanners

    return [name for name in (*rules.catalogue(), *scanners.documented()) if name.startswith(incomplete)]


Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="RULE", help="Only this rule; may be repeated.", autocompletion=rule_ids),
]


def print_text(text: Text) -> None:
    """Print rich text, in colour where somebody sees it and `NO_COLOR` doesn't forbid it."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if console.color_system is None:
        typer.echo(text.plain, nl=False)  # rich would lay out each of its lines
    else:
        console.print(text, end="")


def complain(lines: Iterable[str]) -> None:
    """Lines on stderr, which a repository can't use to steer a terminal."""
    from auditlib.formats import visible

    for line in lines:
        typer.echo(f"auditlib: {visible(line)}", err=True)


def store_of(project: Path, folder: Path | None) -> Store:
    """The store of a project's runs: in this folder, or where they are kept if nothing else is said."""
    from auditlib import runs

    return runs.Store(folder or runs.default_folder(project))
