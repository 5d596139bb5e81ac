"""promtool: Prometheus rule files (https://prometheus.io/docs/prometheus/latest/command-line/promtool/).

Used where it is installed. A rule file that Prometheus refuses keeps it from starting, or from taking any change of
its configuration: high. What promtool calls lint, such as duplicate rules, is left out. Configurations are left to our
own reader, since `promtool check config` opens what they name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from auditlib.model import Area, Confidence, Location, Severity
from auditlib.patterns import regex
from auditlib.scanners._scanner import Issue, OutputError, Scanner
from auditlib.source import Source, Unreadable

if TYPE_CHECKING:
    from auditlib.inventory import Inventory

_RULE_FILE = regex(r"^groups:.*^\s+(?:- )?(?:alert|record):", re.M | re.S)
_QUOTED = regex(r'"([^"]+)"')
_PROBLEM = r"^{}: (?:(?P<line>\d+):(?P<column>\d+): )?(?P<message>.+)$"


def _wanted(source: Source) -> list[str]:
    return [file for file in source.files if file.endswith((".yml", ".yaml", ".rules")) and _holds_rules(source, file)]


def _holds_rules(source: Source, file: str) -> bool:
    try:
        text = source.text(file)
    except Unreadable:
        return False
    return "groups:" in text and _RULE_FILE.search(text) is not None


def _parse(output: str) -> Iterator[Issue]:
    if "Checking " not in output:
        raise OutputError
    for section in output.split("Checking ")[1:]:
        head, failed, problems = section.partition("FAILED:")
        if failed:
            file = head.strip()
            pattern = re.compile(_PROBLEM.format(re.escape(file)), re.M)
            yield from (_issue(file, problem) for problem in pattern.finditer(problems))


def _issue(file: str, problem: re.Match[str]) -> Issue:
    return Issue(
        rule="invalid-rules",
        title="Prometheus refuses a rule file",
        message=problem["message"],
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        area=Area.MONITORING,
        location=Location(file, int(problem["line"] or 1), int(problem["column"] or 1)),
        recommendation="Mend the rule and check the file with `promtool check rules`.",
        references=("https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/",),
    )


def _located(issues: list[Issue], inventory: Inventory, source: Source) -> list[Issue]:
    """The issues at the rule whose name or duration they quote, where promtool gives no line."""
    return [_at_rule(issue, inventory) if issue.location.line == 1 else issue for issue in issues]


def _at_rule(issue: Issue, inventory: Inventory) -> Issue:
    quoted = set(_QUOTED.findall(issue.message))
    mine = (rule for rule in inventory.alert_rules if rule.file == issue.location.file)
    found = next((rule for rule in mine if not quoted.isdisjoint((rule.name, rule.duration))), None)
    return replace(issue, location=found.location) if found else issue


SCANNER = Scanner(
    name="promtool",
    wanted=_wanted,
    arguments=lambda files: ["check", "rules", *files],
    parse=_parse,
    adapted=_located,
    exits=frozenset({0, 1, 3}),
    joins_errors=True,
    homepage="https://prometheus.io/download/",
)
"""It names problems on the standard error stream; its exit status tells invalid rules (1) from lint findings (3)."""
