"""Grafana installs a plug-in in whatever version is newest.

The plug-ins that a variable names are fetched when a container is made. Without a version that is the newest one, which
may want another Grafana, or draw otherwise; and each new container needs the catalogue on the network before it starts.
Plug-ins on Angular, which have had no new version for years, aren't loaded since Grafana 11.

Anti-pattern:

    environment:
      GF_INSTALL_PLUGINS: grafana-clock-panel,redis-datasource

Better:

    environment:
      GF_INSTALL_PLUGINS: grafana-clock-panel 2.1.8,redis-datasource 2.2.0

Recommendation:

    Name the version of each plug-in behind a blank, or build an image that holds them.

References:

- https://grafana.com/docs/grafana/latest/setup-grafana/configure-docker/#install-plugins-in-the-docker-container
- https://grafana.com/docs/grafana/latest/developers/angular_deprecation/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import environments, grafana, images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_BETWEEN = {"GF_INSTALL_PLUGINS": " ", "GF_PLUGINS_PREINSTALL": "@"}
"""By variable what stands between a plug-in and its version."""
_PLUGIN = regex(r"[a-z0-9]+(?:-[a-z0-9]+)+")
_ON_ANGULAR = frozenset({"grafana-simple-json-datasource", "grafana-piechart-panel", "grafana-worldmap-panel"})
_WITHOUT_ANGULAR = 11
_SWITCH = "GF_SECURITY_ANGULAR_SUPPORT_ENABLED"


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Grafana that a variable has install plug-ins without their versions."""
    for server in {item.key: item for item in grafana.servers(inventory)}.values():
        for entry in server.environment if not environments.only_for_development(server) else ():
            names = _open(entry)
            if names:
                yield _evidence(server, entry, names)


def _open(entry: EnvironmentEntry) -> list[str]:
    """The plug-ins of a variable that have no version."""
    if entry.name not in _BETWEEN or entry.value is None or entry.variables:
        return []
    return [name for part in entry.value.text.split(",") if _PLUGIN.fullmatch(name := part.strip())]


def _outdated(server: Service, names: list[str]) -> list[str]:
    """Those that the Grafana of this image doesn't load."""
    version = re.match(r"\d+", images.tag(server.image))
    if any(entry.name == _SWITCH for entry in server.environment):
        return []
    return [name for name in names if name in _ON_ANGULAR and version and int(version[0]) >= _WITHOUT_ANGULAR]


def _evidence(server: Service, entry: EnvironmentEntry, names: list[str]) -> Evidence:
    old = _outdated(server, names)
    angular = f"; {listed(old)} {'is' if len(old) == 1 else 'are'} on Angular, which it doesn't load" if old else ""
    kept = [name for name in names if name not in old]
    drop = f"take {listed(old)} out of {entry.name}" if old else ""
    step = f"Name the version of {listed(kept)} in {entry.name}" if kept else ""
    text = ",".join(f"{name}{_BETWEEN[entry.name]}<version>" for name in kept)
    return Evidence(
        f"{server.name} installs {listed(names)} in whatever version is newest when its container is made{angular}.",
        entry.location,
        subject=f"{server.name}/{entry.name}",
        service=server.name,
        recommendation=f"{', and '.join(filter(None, (step, drop if step else drop.replace('take', 'Take', 1))))}.",
        severity=Severity.MEDIUM if old else None,
        example=compose_lines.of_service(server, f'environment:\n  {entry.name}: "{text}"'),
    )
