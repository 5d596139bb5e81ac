"""A receiver of Alertmanager names a template that Alertmanager doesn't find.

The configuration loads all the same: templates are looked up when a notification is made. Then each one of this
receiver fails, with a line in Alertmanager's log and nowhere else.

Anti-pattern:

    # alertmanager.yml; compose.yaml mounts this file alone
    templates: [/etc/alertmanager/templates/*.tmpl]
    receivers:
      - name: team
        slack_configs: [{channel: "#ops", text: '{{ template "team.text" . }}'}]

Better:

    # compose.yaml
    volumes:
      - ./alertmanager.yml:/etc/alertmanager/alertmanager.yml:ro
      - ./templates:/etc/alertmanager/templates:ro

Recommendation:

    Define the template in a file that `templates` names and that is mounted, and send a test alert.

References:

- https://prometheus.io/docs/alerting/latest/notifications/
- https://prometheus.io/docs/alerting/latest/notification_examples/#defining-reusable-templates
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase

from auditlib.conventions import environments, monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import TemplateUse
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_HOME = "/etc/alertmanager"


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration whose receivers name templates that no file which Alertmanager reads defines."""
    found: defaultdict[str, list[tuple[TemplateUse, str]]] = defaultdict(list)
    for item in inventory.template_uses:
        if (why := _why(inventory, item)) and not monitoring.is_template(item.file):
            found[item.file].append((item, why))
    for file, items in found.items():
        if not environments.is_for_development(file):
            yield _evidence(inventory, file, items)


def _why(inventory: Inventory, item: TemplateUse) -> str:
    """Why Alertmanager doesn't find it; empty if it does, or if files elsewhere may define it."""
    if not item.patterns:
        return f"`templates` of {item.file} names no file"
    running = monitoring.runners(inventory, item.file)
    if not item.defined_in:
        outside = any(_may_hold(service, item, pattern) for service in running for pattern in item.patterns)
        return "" if outside or not running else "no file of the repository defines it"
    for service in running:
        seen = [path for file in item.defined_in if (path := mounts.path_inside(service, file))]
        wanted = [_inside(service, item, pattern) for pattern in item.patterns]
        if any(fnmatchcase(path, pattern) for path in seen for pattern in wanted) or service.build:
            return ""
        if any(_may_hold(service, item, pattern) for pattern in item.patterns):
            return ""
    return f"{item.defined_in[0]} isn't mounted where `templates` looks for it" if running else ""


def _inside(service: Service, item: TemplateUse, pattern: str) -> str:
    """A pattern as a path in the container, where one that is relative begins at the configuration's folder."""
    home = posixpath.dirname(mounts.path_inside(service, item.file)) or _HOME
    return posixpath.normpath(posixpath.join(home, pattern))


def _may_hold(service: Service, item: TemplateUse, pattern: str) -> bool:
    """Whether a folder from outside the repository, or an image of one's own, may hold the file."""
    folder = posixpath.dirname(_inside(service, item, pattern))
    return service.build is not None or any(
        (mount.outside or mount.kind == "volume") and mounts.is_below(folder, mount.target) for mount in service.mounts
    )


def _evidence(inventory: Inventory, file: str, items: list[tuple[TemplateUse, str]]) -> Evidence:
    (first, why), *others = items
    receivers = listed(dict.fromkeys(item.receiver for item, _ in items))
    more = f" and {len(others)} more" if others else ""
    running = monitoring.runners(inventory, file)
    return Evidence(
        f"In {file} the template `{first.name}`{more} is named by {receivers}, and {why}: each notification that "
        "needs it fails.",
        first.location,
        subject=f"{file}/{first.name}",
        service=running[0].name if running else None,
        related=tuple(
            Related(item.location, f"{item.receiver} names `{item.name}`", member=True) for item, _ in others
        ),
        recommendation=f"Have Alertmanager read a file that defines `{first.name}`, and send a test alert.",
        example=_lines(file, first, running),
    )


def _lines(file: str, item: TemplateUse, running: tuple[Service, ...]) -> str:
    if item.defined_in and item.patterns and running:
        folder = posixpath.dirname(_inside(running[0], item, item.patterns[0]))
        source = posixpath.dirname(item.defined_in[0])
        return files.into(running[0].location.file, compose_lines.mount_of(running[0], source, folder))
    if item.defined_in:
        return files.into(file, f"templates:\n  - {_HOME}/templates/*.tmpl  # where {item.defined_in[0]} is mounted")
    return f'{{{{ define "{item.name}" }}}}\n<what the notification says>\n{{{{ end }}}}'
