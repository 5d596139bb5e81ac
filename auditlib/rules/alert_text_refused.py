"""The text of an alert is no template that Prometheus can read.

Prometheus reads the templates of all alerts when it loads a rule file. A function that doesn't exist or a variable with
a slip in its name, and it refuses the file: it doesn't start, or a reload fails and the old rules stay.

Anti-pattern:

    annotations:
      summary: "{{ $label.instance }} is {{ $value | humanizePercent }} full"

Better:

    annotations:
      summary: "{{ $labels.instance }} is {{ $value | humanizePercentage }} full"

Recommendation:

    Mend the template, and have `promtool check rules` look at the files in the pipeline.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
- https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/#templating
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from auditlib import nearest
from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_FUNCTIONS = frozenset({
    "and", "args", "call", "eq", "externalURL", "first", "ge", "graphLink", "gt", "html", "humanize", "humanize1024",
    "humanizeDuration", "humanizePercentage", "humanizeTimestamp", "index", "js", "label", "le", "len", "lt", "match",
    "ne", "not", "now", "or", "parseDuration", "parseDurationTime", "pathPrefix", "print", "printf", "println", "query",
    "reReplaceAll", "safeHtml", "slice", "sortByLabel", "stripDomain", "stripPort", "strvalue", "tableLink", "title",
    "toDuration", "toLower", "toTime", "toUpper", "tmpl", "urlQueryEscape", "urlquery", "value",
})  # fmt: skip
"""What Go's templates and Prometheus bring; a later release may bring more, so that only near slips are told."""
_VARIABLES = frozenset({"$labels", "$value", "$externalLabels", "$externalURL"})
_ACTION = regex(r"\{\{(?P<inside>(?:[^{}\"`]|\"(?:\\.|[^\"\\]){0,500}\"|`[^`]{0,500}`){0,500})\}\}")
_COMMENT = regex(r"/\*.*?\*/", re.S)
_STRING = regex(r"\"(?:\\.|[^\"\\])*\"|`[^`]*`")
_PIPED = regex(r"\|\s*([A-Za-z_]\w*)")
_NAMED = regex(r"(?<![\w.])(\$[A-Za-z_]\w*)")
_ASSIGNED = regex(r"(\$[A-Za-z_]\w*)\s*(?:,\s*(\$[A-Za-z_]\w*)\s*)?:?=")
_EVALUATES = regex(r"vmalert")
_Fault = tuple[AlertRule, str, str, str]
"""An alert, what its text says, what is meant, and what kind of word it is."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each file with alerts whose texts name a function or a variable that is none."""
    found: defaultdict[str, list[_Fault]] = defaultdict(list)
    others = any(_EVALUATES.search(item.image) for item in inventory.services)
    for alert in monitoring.alerts(inventory):
        if others and not monitoring.loading(inventory, alert.file):
            continue  # the templates of vmalert know more words
        if not _is_filled_in(inventory, alert.file) and (fault := next(_faults(alert), None)):
            found[alert.file].append(fault)
    for file, items in found.items():
        yield _evidence(inventory, file, items)


def _is_filled_in(inventory: Inventory, file: str) -> bool:
    """Whether another program fills a file in before, as Helm does with those of a chart."""
    if "templates" in PurePosixPath(file).parts:
        return True
    charts = (posixpath.join(str(folder), "Chart.yaml") for folder in PurePosixPath(file).parents)
    return monitoring.is_template(file) or any(posixpath.normpath(path) in inventory.file_set for path in charts)


def _faults(alert: AlertRule) -> Iterator[_Fault]:
    for _, text in (*alert.annotations, *alert.labels):
        actions = (
            [_STRING.sub('""', _COMMENT.sub("", match["inside"])) for match in _ACTION.finditer(text)]
            if "{{" in text
            else []
        )
        own = {name for action in actions for pair in _ASSIGNED.findall(action) for name in pair}
        for action in actions:
            for name in _NAMED.findall(action):
                if name not in _VARIABLES and name not in own:
                    yield alert, name, next(iter(nearest.names(name, _VARIABLES)), ""), "variable"
            for name in _PIPED.findall(action):
                if name not in _FUNCTIONS:
                    yield alert, name, next(iter(nearest.names(name, _FUNCTIONS)), ""), "function"


def _evidence(inventory: Inventory, file: str, items: list[_Fault]) -> Evidence:
    (first, name, near, kind), *others = items
    more = (
        f" ({len(others)} more alerts likewise)"
        if len(others) > 1
        else f" ({others[0][0].name} likewise)"
        if others
        else ""
    )
    loaded = bool(monitoring.loading(inventory, file))
    reader = "Loki" if any("loki" in item.image for item in monitoring.runners(inventory, file)) else "Prometheus"
    return Evidence(
        f"The text of {first.name} in {file} names the {kind} `{name}`, which doesn't exist{more}: {reader} refuses "
        "the rule file.",
        first.location,
        subject=f"{file}/{first.name}",
        related=tuple(Related(alert.location, f"`{each}` of {alert.name}", member=True) for alert, each, *_ in others),
        recommendation=f"Write `{near}` in place of `{name}`."
        if near
        else f"Take `{name}` out of the text of {first.name}.",
        severity=None if loaded else Severity.MEDIUM,
        confidence=None if kind == "variable" or near else Confidence.MEDIUM,
        example=files.into(
            file, f"- alert: {first.name}\n  annotations:\n    <the text>: <with {near or 'another word'}>"
        ),
    )
