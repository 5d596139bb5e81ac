"""What is said of a rule wherever a finding is explained: our own rules', the suppressions' and the scanners' texts."""

from __future__ import annotations

import textwrap

from auditlib import rules, scanners, suppressions
from auditlib.rules import Documentation


def of(rule: str) -> Documentation | None:
    """The documentation of a rule by its id; of a scanner's rule without title and advice, which its findings bring."""
    known = rules.catalogue().get(rule) or suppressions.catalogue().get(rule)
    if known:
        return known.documentation
    text = scanners.documentation(rule)
    return Documentation("", text.why, _code(text.before), _code(text.after), "", ()) if text else None


def _code(lines: str) -> str:
    """Lines as a block of code in Markdown, as in our rules' docstrings."""
    return textwrap.indent(lines, "    ")
