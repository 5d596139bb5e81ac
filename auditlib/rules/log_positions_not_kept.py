"""A log shipper forgets how far it has read.

Promtail notes in its positions file up to where it has read each log. In a folder that no volume holds, the note is
gone with the container: the next one sends all files again, so that lines come twice and counts over logs are wrong.

Anti-pattern:

    # promtail.yml: positions: {filename: /tmp/positions.yaml}
    promtail:
      image: grafana/promtail:3.2.1
      volumes: ["./promtail.yml:/etc/promtail/config.yml:ro"]

Better:

    # promtail.yml: positions: {filename: /positions/positions.yaml}
    promtail:
      volumes:
        - ./promtail.yml:/etc/promtail/config.yml:ro
        - promtail_positions:/positions

Recommendation:

    Mount a named volume, and name a file in it as the positions file.

References:

- https://grafana.com/docs/loki/latest/send-data/promtail/configuration/#positions
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PathPattern
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every positions file that lies in no mount of the container that reads with it, or in one that is read-only."""
    for shipper in inventory.log_shippers:
        runners = [item for item in monitoring.runners(inventory, shipper.file) if item.build is None]
        place = shipper.positions
        if place is None or not place.path.startswith("/") or len(runners) != 1 or not shipper.sources:
            continue
        if monitoring.is_template(shipper.file, place.path) or environments.only_for_development(runners[0]):
            continue
        mount = _mount(runners[0], place.path)
        if mount is None or mount.kind == "tmpfs":
            yield _evidence(runners[0], place, "no volume holds it", "each new container sends all logs again", mount)
        elif mount.read_only:
            yield _evidence(runners[0], place, f"{mount.target} is mounted read-only", "it can't be written", mount)


def _mount(service: Service, path: str) -> Mount | None:
    """The mount that a file lies in."""
    found = (mount for mount in service.mounts if mounts.is_below(path, mount.target))
    return max(found, key=lambda mount: len(mount.target), default=None)


def _evidence(service: Service, place: PathPattern, why: str, so: str, mount: Mount | None) -> Evidence:
    folder = posixpath.dirname(place.path)
    kept = "/positions" if mount or folder in ("/", "/tmp") else folder  # noqa: S108 -- of the container
    return Evidence(
        f"{service.name} notes in {place.path} how far it has read, and {why}: {so}.",
        place.location,
        subject=place.path,
        service=service.name,
        related=(Related(mount.location if mount else service.location, f"what {service.name} mounts"),),
        recommendation=f"Mount a named volume at {kept} of {service.name}, and keep the positions file in it.",
        example=compose_lines.named_volume(service, kept, "positions"),
    )
