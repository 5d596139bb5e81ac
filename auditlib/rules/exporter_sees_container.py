"""The node exporter, or cAdvisor, runs in a container and is shown too little of the host.

Without the host's folders the file systems and network interfaces that it reports are those of its own container: an
alert on a full disk or a lost interface watches the wrong thing. With the host's `/proc` alone it knows the names of
the host's file systems and measures what its container has under them. Interfaces and connections are those of its
network, whatever it mounts. cAdvisor without folders knows itself only.

Anti-pattern:

    node-exporter:
      image: prom/node-exporter:v1.8.2

Better:

    node-exporter:
      image: prom/node-exporter:v1.8.2
      command: ["--path.rootfs=/host"]
      network_mode: host
      pid: host
      volumes: ["/:/host:ro,rslave"]

Recommendation:

    Mount the root of the host and name it with `--path.rootfs`; where interfaces and connections matter, start it in
    the network of the host.

References:

- https://github.com/prometheus/node_exporter#docker
- https://github.com/google/cadvisor/blob/master/docs/running.md
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_NAMES = frozenset({"node-exporter", "node_exporter"})

_SHOWN = """command: ["--path.rootfs=/host"]
pid: host
volumes: ["/:/host:ro,rslave"]
# the host's network interfaces: network_mode: host in place of networks, and the host's address as the target"""
_HOST = """network_mode: host  # in place of networks and ports
command: ["--web.listen-address=<the address of the host that Prometheus reaches>:9100"]  # beside the others"""
_OF_NETWORK = regex(r"node_(?:network|netstat|sockstat|nf_conntrack)_")
"""Metrics of what each network namespace has for itself (https://github.com/prometheus/node_exporter#docker)."""
_CADVISOR = """volumes:
  - /:/rootfs:ro
  - /var/run:/var/run:ro
  - /sys:/sys:ro
  - /var/lib/docker/:/var/lib/docker:ro"""
"""What their own documentation asks for."""
_STEP = "Mount `/:/host:ro,rslave` into {}, and start it with `--path.rootfs=/host`."
_FOLDERS = "Mount the folders that its documentation names into {}."
_ALONE = (
    "{} is given no folder of the host: the file systems and network interfaces that it reports are those of its own "
    "container."
)
_BLIND = "{} is given no folder of the host: it sees its own container and no other one."


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every such exporter that lacks the folders of the host, or the option that says where its root is."""
    users = _users(inventory)
    for service in inventory.distinct_services:
        name = images.repository(service.image).rpartition("/")[2]
        if name == "cadvisor" and not any(item.mounts for item in inventory.versions(service)):
            yield _evidence(service, _BLIND.format(service.name), _FOLDERS, _CADVISOR)
        elif name in _NAMES and not any(item.mounts or _is_of_host(item) for item in inventory.versions(service)):
            yield _evidence(service, _ALONE.format(service.name), _STEP, _SHOWN)
        elif name in _NAMES and users and not any(map(_is_of_host, inventory.versions(service))):
            yield _of_network(service, users)
        elif name in _NAMES and (mount := _unnamed_root(service)):
            told = compose_lines.of_service(service, f'command: ["--path.rootfs={mount.target}"]  # beside the others')
            yield Evidence(
                f"{service.name} has the root of the host at {mount.target}, and no --path.rootfs says so: it takes "
                "the names of the file systems from the host, and measures what its own container has there.",
                mount.location,
                subject=f"{service.name}/rootfs",
                service=service.name,
                recommendation=f"Start {service.name} with `--path.rootfs={mount.target}`.",
                example=told,
            )


def _users(inventory: Inventory) -> dict[str, Location]:
    """The alerts, and then the other rules, that ask for what the kernel keeps for each network namespace."""
    return {
        item.name: item.expression_location
        for item in sorted(inventory.alert_rules, key=lambda rule: rule.kind != "alert")
        if any(_OF_NETWORK.match(name) for name in item.query.metrics)
    }


def _of_network(service: Service, users: dict[str, Location]) -> Evidence:
    looks = "looks" if len(users) == 1 else "look"
    return Evidence(
        f"{service.name} is in a network of Docker, where it sees its own container's interfaces and connections, not "
        f"the host's; {listed(users, limit=3)} {looks} at them.",
        service.location,
        subject=f"{service.name}/network",
        service=service.name,
        related=tuple(Related(place, f"{name} asks for them") for name, place in list(users.items())[:5]),
        recommendation=f"Start {service.name} with `network_mode: host`, and let Prometheus ask the host's address.",
        example=compose_lines.of_service(service, _HOST),
    )


def _is_of_host(service: Service) -> bool:
    return service.network_mode == "host"


def _unnamed_root(service: Service) -> Mount | None:
    """The mount of the host's root that no option names, where the host's processes tell of its file systems."""
    words = " ".join(service.command)
    if "path.procfs" not in words or "path.rootfs" in words:
        return None
    return next((mount for mount in service.mounts if mount.source == "/" and mount.target != "/"), None)


def _evidence(service: Service, message: str, step: str, lines: str) -> Evidence:
    return Evidence(
        message,
        service.location,
        subject=service.name,
        service=service.name,
        recommendation=step.format(service.name),
        example=compose_lines.of_service(service, lines),
    )
