"""A log shipper forgets how far it has read.

Promtail notes in its positions file up to where it has read each log. In a folder that no volume holds, the note is
gone with the container: the next one sends all files again, so that lines come twice and counts over logs are wrong.
Alloy keeps the same note in its storage folder.

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
- https://grafana.com/docs/alloy/latest/reference/cli/run/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, images, monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogShipper
from auditlib.inventory.monitoring import PathPattern
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_STORAGE = regex(r"--storage\.path[= ](?P<path>\S+)")
"""Where Alloy keeps its state; the image's own command names /var/lib/alloy/data."""


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every positions file, or storage of Alloy, in no mount of its container, or in one that is read-only."""
    for shipper in inventory.log_shippers:
        runners = [item for item in monitoring.runners(inventory, shipper.file) if item.build is None]
        if len(runners) != 1 or environments.only_for_development(runners[0]):
            continue
        place = _place(shipper, runners[0])
        if place is None or not place.path.startswith("/") or monitoring.is_template(shipper.file, place.path):
            continue
        mount = mounts.holding(runners[0], place.path)
        if mount is None or mount.kind == "tmpfs":
            why = "no volume holds it: a new container doesn't know where to go on"
            yield _evidence(shipper, runners[0], place, why, mount)
        elif mount.read_only:
            why = f"{mount.target} is mounted read-only: nothing can be written there"
            yield _evidence(shipper, runners[0], place, why, mount)


def _place(shipper: LogShipper, service: Service) -> PathPattern | None:
    """Where a shipper notes how far it has read, with the place that says so."""
    if shipper.kind != "alloy":
        return shipper.positions if shipper.sources else None
    if images.repository(service.image) != "grafana/alloy" or not shipper.sinks:
        return None
    told = _STORAGE.search(" ".join(service.command))
    folder = told["path"] if told else "/data-alloy" if service.command else "/var/lib/alloy/data"
    return PathPattern(folder, service.command_location or service.location)


def _evidence(shipper: LogShipper, service: Service, place: PathPattern, why: str, mount: Mount | None) -> Evidence:
    folder, what = place.path, "its storage"
    if shipper.kind != "alloy":
        above, what = posixpath.dirname(place.path), "the positions file"
        folder = "/positions" if mount or above in ("/", "/tmp") else above  # noqa: S108 -- of the container
    return Evidence(
        f"{service.name} notes in {place.path} how far it has read each log, and {why}.",
        place.location,
        subject=place.path,
        service=service.name,
        related=(Related(mount.location if mount else service.location, f"what {service.name} mounts"),),
        recommendation=f"Mount a named volume at {folder} of {service.name}, and keep {what} in it.",
        example=_lines(shipper, service, place.path, folder),
    )


def _lines(shipper: LogShipper, service: Service, path: str, folder: str) -> str:
    """The volume, and the configuration where the file has to move into it."""
    volume = compose_lines.named_volume(service, folder, "positions")
    if shipper.kind == "alloy" or posixpath.dirname(path) == folder:
        return volume
    moved = files.into(shipper.file, f"positions:\n  filename: {posixpath.join(folder, posixpath.basename(path))}")
    return f"{moved}\n{files.into(service.location.file, volume)}"
