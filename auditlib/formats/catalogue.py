"""The catalogue of rules, for a terminal and as Markdown. All its words are the docstrings of the rules."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from itertools import groupby

from auditlib.errors import UsageError
from auditlib.model import Area
from auditlib.rules import Rule
from auditlib.scanners import Scanner, documentation, hint

_ORDER = list(Area)


def overview(rules: Iterable[Rule], of_scanners: Iterable[str]) -> str:
    """One line a rule, by area; of the scanners' rules, whose titles they print themselves, the ids."""
    parts = []
    for area, members in groupby(_by_area(rules), key=lambda rule: rule.area):
        parts.append(f"\n{area}")
        parts += [f"  {rule.id:<34} {rule.severity!s:<9} {rule.title}" for rule in members]
    for scanner, ids in groupby(of_scanners, key=lambda rule: rule.partition("/")[0]):
        lines = textwrap.fill(", ".join(ids), 100, break_on_hyphens=False)
        parts += [f"\n{scanner}, a scanner, among others", textwrap.indent(lines, "  ")]
    return "\n".join([*parts, "\n`auditlib rules RULE` shows one in full."]).lstrip("\n")


def text(rule: Rule) -> str:
    """One rule in full."""
    documentation = rule.documentation
    parts = [
        f"{rule.id}: {rule.title}",
        f"area {rule.area}, severity {rule.severity}, confidence {rule.confidence}, effort {rule.effort}",
        documentation.why,
        f"Anti-pattern:\n\n{documentation.anti_pattern}",
        f"Better:\n\n{documentation.better}",
        f"Recommendation: {documentation.recommendation}",
        "References:\n" + "\n".join(f"- {reference}" for reference in documentation.references),
    ]
    return "\n\n".join(parts)


def text_of_scanner(rule: str, scanner: Scanner) -> str:
    """A scanner's rule as far as it is described here. Raises UsageError if it isn't."""
    known = documentation(rule)
    if known is None:
        advice = hint(rule, f"its rules are listed at {scanner.homepage}")
        raise UsageError(f"no rule {rule!r} of {scanner.name} is described here; {advice}")
    parts = [f"{rule}: a rule of {scanner.name} ({scanner.homepage})", known.why]
    parts += [f"Anti-pattern:\n\n{known.before}"] if known.before else []
    parts += [f"Better:\n\n{known.after}"] if known.after else []
    return "\n\n".join(parts)


def markdown(rules: Iterable[Rule]) -> str:
    """The whole catalogue, as it stands in docs/rules.md."""
    parts = [
        "# Rules",
        "Generated from the docstrings of `auditlib/rules/` by `make docs`; do not edit. What the severities mean is "
        "written in [severity.md](severity.md).",
    ]
    for area, members in groupby(_by_area(rules), key=lambda rule: rule.area):
        parts.append(f"## {area.value.capitalize() if area is not Area.CICD else 'CI/CD'}")
        parts += [_section(rule) for rule in members]
    return "\n\n".join(parts) + "\n"


def _section(rule: Rule) -> str:
    documentation = rule.documentation
    return "\n\n".join(
        [
            f"### {rule.id}",
            f"**{documentation.title}.** Severity {rule.severity}, confidence {rule.confidence}, effort {rule.effort}.",
            documentation.why,
            "Anti-pattern:",
            documentation.anti_pattern,
            "Better:",
            documentation.better,
            documentation.recommendation,
            "\n".join(f"- <{reference}>" for reference in documentation.references),
        ]
    )


def _by_area(rules: Iterable[Rule]) -> list[Rule]:
    return sorted(rules, key=lambda rule: (_ORDER.index(rule.area), rule.id))
