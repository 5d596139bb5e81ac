"""Stages take apart a wrapper that the lines don't have.

Docker writes each line into its files as JSON with `log`, `stream` and `time`. A job that asks Docker for its
containers gets the lines themselves: a stage that looks for `log` finds nothing, and what is made of it, such as the
level, is never set.

Anti-pattern:

    - job_name: docker
      docker_sd_configs: [{host: "unix:///var/run/docker.sock"}]
      pipeline_stages:
        - json: {expressions: {output: log}}
        - json: {expressions: {level: level}, source: output}
        - output: {source: output}

Better:

    - job_name: docker
      docker_sd_configs: [{host: "unix:///var/run/docker.sock"}]
      pipeline_stages:
        - json: {expressions: {level: level}}

Recommendation:

    Parse the line as the program writes it, without the stages for Docker's wrapper.

References:

- https://grafana.com/docs/loki/latest/send-data/promtail/configuration/#docker_sd_configs
- https://grafana.com/docs/loki/latest/send-data/promtail/stages/json/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration of Promtail that looks for Docker's `log` in lines that Docker's interface gives."""
    for shipper in inventory.log_shippers:
        if not shipper.unwrapped or monitoring.is_template(shipper.file):
            continue
        first, *others = shipper.unwrapped
        yield Evidence(
            f"{shipper.file} looks for `log` of Docker's JSON in lines that it gets from Docker itself, which have no "
            "such wrapper: what is made of it stays empty.",
            first.location,
            subject=f"{shipper.file}/wrapper",
            related=tuple(Related(item.location, "so does this job", member=True) for item in others),
            recommendation=f"Take the stages for Docker's wrapper from this job of {shipper.file}, and parse the line.",
            example=files.into(
                shipper.file, "pipeline_stages:\n  - json: {expressions: {level: level}}\n  - labels: {level: }"
            ),
        )
