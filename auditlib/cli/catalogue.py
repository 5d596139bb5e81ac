"""The command that shows the rules."""

from __future__ import annotations

from typing import Annotated

import typer

from auditlib import rules
from auditlib.cli._parameters import rule_ids
from auditlib.configuration import check_rule
from auditlib.errors import UsageError


def show_rules(
    rule: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="One rule, in full.", autocompletion=rule_ids)
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The whole catalogue as Markdown (docs/rules.md).")] = (
        False
    ),
) -> None:
    """Show the catalogue of rules, or one rule in full.

    Example: `auditlib rules`, or `auditlib rules scrape-target-unresolved`
    """
    from auditlib import scanners, suppressions
    from auditlib.formats import catalogue

    every = {**rules.catalogue(), **suppressions.catalogue()}
    if rule and (scanner := scanners.named(rule)):
        typer.echo(catalogue.text_of_scanner(rule, scanner))
    elif rule and (problem := check_rule(rule, every)):
        raise UsageError(problem)
    elif rule:
        typer.echo(catalogue.text(every[rule]))
    elif markdown:
        typer.echo(catalogue.markdown(every.values()), nl=False)
    else:
        typer.echo(catalogue.overview(every.values(), scanners.documented()))
