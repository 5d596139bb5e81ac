"""amtool: Alertmanager configurations (https://github.com/prometheus/alertmanager#amtool); used where it is installed.

A configuration that Alertmanager refuses means that no alert reaches anybody: high.

`amtool check-config` opens every file that `templates` names, absolute paths included, so that key is taken out of the
copy. A configuration that has it in any other form than its usual one isn't checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from auditlib import yamltree
from auditlib.model import Area, Confidence, Location, Severity
from auditlib.patterns import regex
from auditlib.scanners._scanner import Issue, OutputError, Scanner
from auditlib.source import Source, Unreadable

if TYPE_CHECKING:
    from auditlib.inventory import Inventory

_FAILED = regex(r"^Checking '(?P<file>[^'\n]+)'\s+FAILED: (?P<message>.+(?:\n +.+)*)", re.M)
_LINE = regex(r"line (\d+)")
_QUOTED = regex(r'"([^"]+)"')
_WORD = r"(?<![\w.]){}(?![\w.])"
_TEMPLATES = regex(r"^templates[ \t]*:.*(?:\n(?:[ \t\-\]].*)?)*", re.M)
_KEYS = frozenset({"global", "route", "receivers", "inhibit_rules", "mute_time_intervals", "time_intervals"})
"""The keys of a configuration, without `templates`."""


def _wanted(source: Source) -> list[str]:
    return [file for file in source.matching("*.yml", "*.yaml") if _routes_alerts(source, file)]


def _routes_alerts(source: Source, file: str) -> bool:
    try:
        text = source.text(file)
        if not ("route:" in text and "receivers:" in text):
            return False
        documents = yamltree.parse(_without_templates(text))
    except (Unreadable, yamltree.YamlError):
        return False
    keys = {key.text for document in documents for key, _ in document.items()}
    return {"route", "receivers"} <= keys <= _KEYS


def _without_templates(text: str) -> str:
    return _TEMPLATES.sub(lambda found: "\n" * found[0].count("\n"), text)


def _parse(output: str) -> Iterator[Issue]:
    if "Checking '" not in output:
        raise OutputError
    for found in _FAILED.finditer(output):
        message = " ".join(found["message"].split())
        line = _LINE.search(message)
        yield Issue(
            rule="invalid-configuration",
            title="Alertmanager refuses its configuration",
            message=message,
            severity=Severity.HIGH,
            confidence=Confidence.HIGH,
            area=Area.MONITORING,
            location=Location(found["file"], int(line[1]) if line else 1),
            recommendation="Mend the configuration and check it with `amtool check-config`.",
            references=("https://prometheus.io/docs/alerting/latest/configuration/",),
        )


def _located(issues: list[Issue], inventory: Inventory, source: Source) -> list[Issue]:
    """The issues at what they quote, as amtool gives no line for it: the route of a receiver, else the first line."""
    return [_at_what_it_quotes(issue, inventory, source) if issue.location.line == 1 else issue for issue in issues]


def _at_what_it_quotes(issue: Issue, inventory: Inventory, source: Source) -> Issue:
    file = issue.location.file
    mine = (route for route in inventory.alert_routes if route.file == file)
    route = next((route for route in mine if f'receiver "{route.receiver}"' in issue.message), None)
    quoted = [re.compile(_WORD.format(re.escape(text))) for text in _QUOTED.findall(issue.message)]
    lines = enumerate(_lines(source, file), 1)
    line = next((number for number, text in lines if any(word.search(text) for word in quoted)), None)
    found = route.location if route else Location(file, line) if line else issue.location
    return replace(issue, location=found)


def _lines(source: Source, file: str) -> list[str]:
    try:
        return source.text(file).splitlines()
    except Unreadable:
        return []


SCANNER = Scanner(
    name="amtool",
    wanted=_wanted,
    arguments=lambda files: ["check-config", *files],
    parse=_parse,
    adapted=_located,
    exits=frozenset({0, 1}),
    joins_errors=True,
    prepared=_without_templates,
    homepage="https://prometheus.io/download/",
)
