"""Alertmanager refuses its configuration.

It checks the whole file when it starts: a span of time that nobody defines, mail without a server or a chat that is no
number, and the container ends, again and again. No alert reaches anybody, the other receivers' ones neither.

Anti-pattern:

    route:
      receiver: team
      routes:
        - {matchers: [severity="warning"], receiver: team, mute_time_intervals: [nights]}   # nothing defines nights
    receivers:
      - name: team
        telegram_configs: [{bot_token_file: /run/secrets/bot, chat_id: "-1001234567890"}]   # a text, no number

Better:

    time_intervals:
      - name: nights
        time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}]}]
    receivers:
      - name: team
        telegram_configs: [{bot_token_file: /run/secrets/bot, chat_id: -1001234567890}]

Recommendation:

    Mend it, and have `amtool check-config` look at the file before it is deployed.

References:

- https://prometheus.io/docs/alerting/latest/configuration/
- https://prometheus.io/docs/alerting/latest/configuration/#telegram_config
- https://github.com/prometheus/alertmanager/blob/main/config/config.go
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib import nearest
from auditlib.conventions import environments, filled_files, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import AlertmanagerRefusal
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LINES = {
    "chat_id": "telegram_configs:\n  - chat_id: <the number of the chat, without quotes>",
    "smarthost": "global:\n  smtp_smarthost: <mail server>:587",
    "from": "global:\n  smtp_from: <sender>",
    "route.receiver": "route:\n  receiver: <who gets what no other route takes>",
}
_MATCHERS = (
    "route:\n  receiver: <who gets what no other route takes>\n  routes:\n    - {}: <what the first route asks for>"
)
_TIME = """time_intervals:
  - name: {}
    time_intervals:
      - times: [{{start_time: <hh:mm>, end_time: <hh:mm>}}]"""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration with something that Alertmanager refuses; what is still to be filled in has a rule."""
    found: defaultdict[str, list[AlertmanagerRefusal]] = defaultdict(list)
    for item in inventory.alertmanager_refusals:
        filled = item.key == "chat_id" and filled_files.is_filled(inventory, item.file)
        if not item.placeholder and not filled and not monitoring.is_template(item.file):
            found[item.file].append(item)
    for file, items in found.items():
        yield _evidence(inventory, file, items)


def _evidence(inventory: Inventory, file: str, items: list[AlertmanagerRefusal]) -> Evidence:
    first, *others = items
    more = f" ({len(others)} more like it)" if others else ""
    near = next(iter(nearest.names(first.key, first.known)), "")
    running = monitoring.runners(inventory, file)
    quiet = environments.is_for_development(file) or (bool(running) and _only_for_development(inventory, file))
    return Evidence(
        f"In {file} {first.what}{more}: Alertmanager refuses the file and doesn't start; nobody gets any alert.",
        first.location,
        subject=f"{file}/{first.key}",
        service=running[0].name if running else None,
        related=tuple(Related(item.location, item.what, member=True) for item in others),
        recommendation=f"Mend it in {file}, and run `amtool check-config {file}` in the pipeline.",
        severity=Severity.LOW if quiet else None,
        change=(first.key, near) if near else ("", ""),
        example="" if near else files.into(file, _lines(first)),
    )


def _only_for_development(inventory: Inventory, file: str) -> bool:
    return all(map(environments.only_for_development, monitoring.runners(inventory, file)))


def _lines(item: AlertmanagerRefusal) -> str:
    if item.key in _LINES:
        return _LINES[item.key]
    return _MATCHERS.format(item.key[6:]) if item.key.startswith("route.") else _TIME.format(item.key)
