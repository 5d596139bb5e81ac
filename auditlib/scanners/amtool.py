"""amtool: Alertmanager configurations (https://github.com/prometheus/alertmanager#amtool); used where it is installed.

A configuration that Alertmanager refuses means that no alert reaches anybody: high.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.model import Area, Confidence, Location, Severity
from auditlib.scanners._scanner import Issue, OutputError, Scanner
from auditlib.source import Source, Unreadable

_FAILED = re.compile(r"^Checking '(?P<file>[^'\n]+)'\s+FAILED: (?P<message>.+(?:\n +.+)*)", re.M)
_LINE = re.compile(r"line (\d+)")


def _wanted(source: Source) -> list[str]:
    return [file for file in source.matching("*.yml", "*.yaml") if _routes_alerts(source, file)]


def _routes_alerts(source: Source, file: str) -> bool:
    try:
        lines = source.lines(file)
    except Unreadable:
        return False
    return any(line.startswith("route:") for line in lines) and any(line.startswith("receivers:") for line in lines)


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


SCANNER = Scanner(
    name="amtool",
    wanted=_wanted,
    arguments=lambda files: ["check-config", *files],
    parse=_parse,
    exits=frozenset({0, 1}),
    joins_errors=True,
    homepage="https://prometheus.io/download/",
)
