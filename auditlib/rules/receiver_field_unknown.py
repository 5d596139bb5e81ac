"""A receiver of Alertmanager has a field that doesn't exist.

Alertmanager reads its configuration strictly: one field that it doesn't know, and it doesn't start, or keeps the
previous configuration after a reload. Either way no alert of the file reaches anybody.

Anti-pattern:

    email_configs:
      - to: ops@example.com
        subject: "{{ .GroupLabels.alertname }}"
        body: "{{ .CommonAnnotations.summary }}"

Better:

    email_configs:
      - to: ops@example.com
        headers: { Subject: "{{ .GroupLabels.alertname }}" }
        text: "{{ .CommonAnnotations.summary }}"

Recommendation:

    Use the fields that Alertmanager has; `amtool check-config` finds the others before a deployment.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#email_config
- https://prometheus.io/docs/alerting/latest/configuration/#slack_config
- https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Receiver
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each receiver with fields that its integrations have in no version."""
    for receiver in inventory.receivers:
        for kind in dict.fromkeys(item.kind for item in receiver.integrations):
            found = [field for item in receiver.integrations if item.kind == kind for field in item.foreign_fields]
            if found and not monitoring.is_template(receiver.file):
                yield _evidence(receiver, kind, found)


_MEANT = {
    ("email", "subject"): "headers:\n  Subject: <the subject>", ("email", "body"): "text: <the text>",
    ("slack", "message"): "text: <the text>", ("slack", "webhook_url"): "api_url_file: /run/secrets/slack_api_url",
}  # fmt: skip
"""The fields that people look for under another name."""


def _meant(receiver: Receiver, kind: str, names: list[str]) -> str:
    lines = [_MEANT[kind, name] for name in names if (kind, name) in _MEANT]
    return files.into(receiver.file, "\n".join(lines) or f"{kind}_configs:\n  # without {listed(names)}")


def _evidence(receiver: Receiver, kind: str, found: list[tuple[str, Location]]) -> Evidence:
    names = listed(dict.fromkeys(name for name, _ in found))
    (_, first), *others = found
    return Evidence(
        f"{kind}_configs of the receiver {receiver.name} {'has' if len(found) == 1 else 'have'} {names}, which "
        f"Alertmanager doesn't know: it refuses {receiver.file} as a whole, and nobody is told of any alert.",
        first,
        subject=f"{receiver.name}/{kind}",
        related=tuple(Related(place, f"{name} is no field of {kind}_configs") for name, place in others),
        recommendation=f"Remove {names} from {receiver.name}, or use the field of {kind}_configs that is meant.",
        example=_meant(receiver, kind, [name for name, _ in found]),
    )
