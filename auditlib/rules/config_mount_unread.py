"""A configuration is mounted where its program doesn't look for it.

Each published image starts with one path of its own. A file beside it is never read: the program runs with the
example that is in the image, without a word, and with other targets, paths and limits than those in the repository.

Anti-pattern:

    loki:
      image: grafana/loki:3.2.0
      volumes: ["./loki.yml:/etc/loki/loki.yml:ro"]      # it reads /etc/loki/local-config.yaml

Better:

    loki:
      image: grafana/loki:3.2.0
      command: ["-config.file=/etc/loki/loki.yml"]
      volumes: ["./loki.yml:/etc/loki/loki.yml:ro"]

Recommendation:

    Name the mounted path in the `command`, or mount the file at the path that the image reads.

References:

- https://grafana.com/docs/loki/latest/setup/install/docker/
- https://github.com/prometheus/prometheus/blob/main/Dockerfile
- https://opentelemetry.io/docs/collector/install/docker/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import images, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_READS = {
    "grafana/promtail": "/etc/promtail/config.yml",
    "grafana/loki": "/etc/loki/local-config.yaml",
    "grafana/alloy": "/etc/alloy/config.alloy",
    "prom/prometheus": "/etc/prometheus/prometheus.yml",
    "prom/alertmanager": "/etc/alertmanager/alertmanager.yml",
    "prom/blackbox-exporter": "/etc/blackbox_exporter/config.yml",
    "otel/opentelemetry-collector": "/etc/otelcol/config.yaml",
    "otel/opentelemetry-collector-contrib": "/etc/otelcol-contrib/config.yaml",
    "eclipse-mosquitto": "/mosquitto/config/mosquitto.conf",
    "haproxy": "/usr/local/etc/haproxy/haproxy.cfg",
}
"""The path that the command of each published image names (the images' Dockerfiles)."""
_WITH_OPTION = frozenset(name for name in _READS if name.startswith(("grafana/loki", "grafana/promtail", "prom/")))
_OPTION = regex(r"(?:^|\s)--?config\.file[= ]((?:/[\w-]+)+/\w(?:[\w.-]*\w)?\.\w+)(?=\s|$)")
"""The option of these for one path, of whose name no variable without a value has taken a part."""
_CONFIGURES = regex(
    r"(?:config|promtail|loki|alloy|prometheus|alertmanager|blackbox|otel|collector|mosquitto|haproxy)[\w.-]*"
    r"\.(?:ya?ml|conf|cfg|alloy|river)$"
)
_OTHER_PURPOSE = regex(r"rules?|alerts|web|record|runtime|datasource|dashboard|file_sd|targets|tenant|overrides")


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service of such an image that mounts a configuration beside the path that is read."""
    for service in inventory.distinct_services:
        path = _read(service)
        if not path or any(mounts.is_below(path, mount.target) for mount in service.mounts):
            continue
        beside = next((mount for mount in service.mounts if _is_configuration(mount, posixpath.dirname(path))), None)
        if beside is not None:
            yield _evidence(service, beside, path)


def _read(service: Service) -> str:
    """The one path that a service reads: of its image, or of an option that says it in full; empty if unknown."""
    path = _READS.get(images.repository(service.image), "")
    if not path or service.build or service.entrypoint or service.configs:
        return ""
    if service.command:
        told = _OPTION.findall(" ".join(service.command))
        return told[0] if len(told) == 1 and images.repository(service.image) in _WITH_OPTION else ""
    return "" if service.environment else path


def _is_configuration(mount: Mount, folder: str) -> bool:
    """Whether a mount is a file in the folder of the configuration and is, by its name, meant to be it."""
    name = posixpath.basename(mount.target)
    beside = mount.kind == "bind" and posixpath.dirname(mount.target) == folder
    return beside and bool(_CONFIGURES.search(name)) and not _OTHER_PURPOSE.search(name)


def _evidence(service: Service, mount: Mount, path: str) -> Evidence:
    reads = "its command reads" if service.command else "its image reads"
    doubt = "" if service.command else ", and no command says otherwise"
    return Evidence(
        f"{service.name} mounts {posixpath.basename(mount.source)} at {mount.target}, but {reads} {path}{doubt}: what "
        "the file says has no effect.",
        mount.location,
        subject=f"{service.project}/{service.name}/{mount.target}",
        service=service.name,
        recommendation=f"Mount the file at {path}, or name {mount.target} in the `command` of {service.name}.",
        change=compose_lines.mounted_at(mount, path),
        example=compose_lines.mount_of(service, mount.source, path),
    )
