"""Promtail reads the logs of the same containers by two jobs.

One job reads Docker's files below `/var/lib/docker/containers`, another asks Docker for its containers: Loki gets each
line twice, with other labels. Searches and alerts that count lines count double, and so does the disk.

Anti-pattern:

    scrape_configs:
      - job_name: files
        static_configs:
          - labels: {__path__: /var/lib/docker/containers/*/*-json.log}
      - job_name: docker
        docker_sd_configs: [{host: "unix:///var/run/docker.sock"}]

Better:

    scrape_configs:
      - job_name: docker
        docker_sd_configs: [{host: "unix:///var/run/docker.sock"}]

Recommendation:

    Keep one of the two jobs; the discovery knows the names of the containers.

References:

- https://grafana.com/docs/loki/latest/send-data/promtail/configuration/#docker_sd_configs
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogShipper
from auditlib.inventory.stack import Mount
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_FOLDER = "/var/lib/docker/containers"


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration of Promtail with both jobs, where the service that reads it has the files and the socket."""
    for shipper in inventory.log_shippers:
        runners = monitoring.runners(inventory, shipper.file) if shipper.twice else ()
        reading = [item for item in runners if _has(item.mounts, _FOLDER) and _has(item.mounts, "docker.sock")]
        if reading:
            aside = all(environments.is_for_developers(inventory, item) for item in reading)
            yield _evidence(shipper, reading[0].name, Severity.LOW if aside else None)


def _has(mounted: tuple[Mount, ...], what: str) -> bool:
    return any(mounts.is_below(what, item.target) or item.target.endswith(what) for item in mounted)


def _evidence(shipper: LogShipper, name: str, severity: Severity | None) -> Evidence:
    path, discovery = shipper.twice
    return Evidence(
        f"{shipper.file} has {name} read {path.path}, and asks Docker for the same containers as well: Loki gets each "
        "of their lines twice.",
        path.location,
        subject=f"{shipper.file}/twice",
        service=name,
        related=(Related(discovery.location, "the job that asks Docker"),),
        recommendation=f"Delete the job of {shipper.file} that reads {path.path}.",
        severity=severity,
        example=files.into(shipper.file, "scrape_configs:  # and no job with static_configs over Docker's files\n"
                           "  - job_name: docker\n    docker_sd_configs: [{host: \"unix:///var/run/docker.sock\"}]"),
    )  # fmt: skip
