"""The commands that tell findings: all of them, or one in full."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditlib import rules
from auditlib.cli._parameters import UNREAD, NoScanners, Project, Rules, complain, print_text
from auditlib.errors import ProjectError, UsageError
from auditlib.model import Area, Severity

if TYPE_CHECKING:
    from auditlib.audit import Audit
    from auditlib.rules import Rule

_NEWS = 20
"""Findings beyond the baseline that are named one by one."""


class CheckFormat(StrEnum):
    """The forms that `check` prints."""

    text = "text"
    json = "json"
    csv = "csv"
    markdown = "markdown"
    sarif = "sarif"
    junit = "junit"
    github = "github"


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
        typer.Option(
            metavar="FILE", help="Findings of an earlier `--format json`; only new and grown ones make it fail."
        ),
    ] = None,
    no_scanners: NoScanners = False,
) -> int:
    """Print the findings; no notebooks.

    Example: `auditlib check . --fail-on high`, or `auditlib check ~/shop --area monitoring --format json`
    """
    from auditlib import baseline as baselines
    from auditlib import configuration, formats, scanners
    from auditlib.audit import audit

    known = baselines.load(baseline) if baseline else {}
    settings = configuration.load(project)
    found = audit(project, _rules_to_check(rule), configuration=settings, scanned=not no_scanners)
    result = _chosen(found, area, rule)
    if output_format is CheckFormat.text:
        from auditlib.formats import plain_text

        print_text(plain_text.styled(result))
    else:
        typer.echo(formats.render(result, output_format.value), nl=False)
    broken = scanners.failures(result.coverage)
    complain(entry.reason for entry in broken)
    news = baselines.news(result.findings, known, fail_on or settings.fail_on)
    if baseline:
        _tell(news.values())
    if found.is_unread:
        raise ProjectError(UNREAD)
    return 3 if broken else 1 if news else 0


def _tell(news: Collection[str]) -> None:
    """What the baseline doesn't know, as lines on stderr."""
    complain(list(news)[:_NEWS])
    if len(news) > _NEWS:
        complain([f"and {len(news) - _NEWS} more that the baseline doesn't hold"])


def _rules_to_check(names: list[str] | None) -> list[Rule] | None:
    """The rules of these names; None, which is all, without a name."""
    from auditlib import scanners
    from auditlib.configuration import check_rule

    for name in names or ():
        if problem := check_rule(name, rules.catalogue()):
            raise UsageError(problem)
    complain(_undescribed(names or ()))
    return [rules.find(name) for name in names if not scanners.is_scanner_rule(name)] if names else None


def _undescribed(names: Iterable[str]) -> Iterator[str]:
    """A line for each rule that may be a scanner's and may be mistyped: a scanner doesn't tell which rules it has."""
    from auditlib import scanners

    for name in names:
        if (scanner := scanners.named(name)) and scanners.documentation(name) is None:
            hint = scanners.hint(name, f"its rules are listed at {scanner.homepage}")
            yield f"{name} is taken for a rule of {scanner.name}, though auditlib doesn't know it; {hint}"


def _chosen(result: Audit, areas: list[Area] | None, names: list[str] | None) -> Audit:
    """The audit with the findings that were asked for."""
    wanted = (
        finding
        for finding in result.findings
        if (not areas or finding.area in areas) and (not names or finding.rule in names)
    )
    return replace(result, findings=tuple(wanted))


def explain(
    fingerprint: Annotated[str, typer.Argument(metavar="FINGERPRINT", help="Of the finding, or how it begins.")],
    project: Project = Path(),
    no_scanners: NoScanners = False,
) -> None:
    """Tell one finding's whole chain of evidence, with the lines.

    Example: `auditlib explain 3f2a9c71 ~/shop`
    """
    from auditlib.audit import audit
    from auditlib.formats import explanation

    typer.echo(explanation.render(audit(project, scanned=not no_scanners), fingerprint), nl=False)
