"""The arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from auditlib import rules

Project = Annotated[
    Path, typer.Argument(metavar="PROJECT", help="The folder of the repository to audit.", show_default="here")
]


NoScanners = Annotated[bool, typer.Option("--no-scanners", help="Only our own rules.")]


def rule_ids(incomplete: str) -> list[str]:
    """The ids of rules that begin so, for the shell's completion."""
    return [name for name in rules.catalogue() if name.startswith(incomplete)]


Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="RULE", help="Only this rule; may be repeated.", autocompletion=rule_ids),
]
