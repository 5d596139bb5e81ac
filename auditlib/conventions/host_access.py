"""What well-known programs need of the host that they run on, and the least with which they do their work.

Such access is what the program is for: to take it away ends its work, so the advice keeps what is needed and closes the
rest. Each program's source is its vendor's own document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from msgspec import Struct

from auditlib.conventions import images, mounts
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Severity


class Access(Enum):
    """What of the host a container is given."""

    SOCKET = "the socket of the container runtime, or a folder that holds it"
    PRIVILEGED = "all of it"
    DEVICE = "a device"
    FOLDER = "a folder of the system"
    NETWORK = "its network"
    PROCESSES = "its processes"
    PORT = "a port on all its addresses"


class Need(Struct, frozen=True):
    """One way in which a program is given access, and what to do about it."""

    advice: str
    severity: Severity | None = None
    """At most this, where the access is the program's purpose and harms little; None where it harms as any other's."""
    read_only: bool = False
    """Whether this is said of a mount that can't be written."""
    below: tuple[str, ...] = ("/",)
    """The folders of the host for which it is said."""
    user: str = ""
    """The image's own user, if what is said rests on the container running as it."""
    example: str = ""
    """Lines to write, `{service}` in them the service's name."""


class Program(Struct, frozen=True):
    """A well-known program. `image` matches the last part of an image's name; of an access the first need that fits."""

    name: str
    image: str
    manual: str
    needs: Mapping[Access, tuple[Need, ...]]


_PROXY = """docker-proxy:
  # with a network of {{service}}, if it names any
  image: tecnativa/docker-socket-proxy:<version>
  environment: {{{{{allowed}}}}}
  volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]"""
_ASKS_CONTAINERS = _PROXY.format(allowed="CONTAINERS: 1")
_ASKS_NETWORKS = _PROXY.format(allowed="CONTAINERS: 1, NETWORKS: 1")
"""What finds containers as Prometheus does asks for their networks, too."""
_OF_CONTAINERS = ("/sys", "/cgroup", "/dev/disk", "/var/lib/docker", "/var/lib/containerd")
_SCRAPED = Need(
    "Publish the port on the one address that Prometheus scrapes; 127.0.0.1 shuts out a Prometheus on another host",
)
_READS_LOGS = Need(
    "Keep the mount read-only and as narrow as the folder of the logs, or remove it if the program asks Docker alone",
    Severity.INFO,
    read_only=True,
    below=("/var/log", "/run/log", "/var/lib/docker/containers"),
)
_SHIPPER = {
    Access.SOCKET: (
        Need(
            "Let it ask a proxy of the socket that only answers questions on containers, or read their log files alone",
            example="{service}:\n  # in its configuration tcp://docker-proxy:2375 for the socket\n" + _ASKS_NETWORKS,
        ),
    ),
    Access.FOLDER: (_READS_LOGS,),
}

_PROGRAMS = (
    Program(
        "node_exporter", r"node[-_]?exporter", "https://github.com/prometheus/node_exporter#docker",
        {
            Access.SOCKET: (
                Need("Keep `/` read-only and the image's user, nobody, who can't open the socket: it is never asked",
                     Severity.INFO, read_only=True, user="nobody"),
                Need("Mount `/` read-only and run it as its image's user, nobody, who can't open the socket"),
            ),
            Access.FOLDER: (
                Need("Keep the mount read-only: the host's figures are read there", Severity.INFO, read_only=True,
                     below=("/proc", "/sys", "/run")),
                Need("Mount it read-only, as the host's figures are only read there", below=("/proc", "/sys", "/run")),
            ),
            Access.NETWORK: (
                Need("Keep `network_mode: host`, or it tells of its container's network; open its port to Prometheus "
                     "alone, by a firewall", Severity.LOW),
            ),
            Access.PROCESSES: (
                Need("Keep `pid: host`, with which the manual runs it, and the image's user, nobody", Severity.INFO,
                     user="nobody"),
            ),
            Access.PORT: (_SCRAPED,),
        },
    ),
    Program(
        "cAdvisor", r"cadvisor", "https://github.com/google/cadvisor/blob/master/docs/running.md",
        {
            Access.SOCKET: (
                Need("Keep cAdvisor's mounts read-only and publish no port of it, as it asks Docker for its containers",
                     Severity.MEDIUM, read_only=True),
                Need("Mount it read-only, and publish no port of cAdvisor, which asks Docker for its containers"),
            ),
            Access.PRIVILEGED: (
                Need("Start cAdvisor without `privileged`, which its manual needs on RHEL and CentOS, and see what is "
                     "missing", Severity.MEDIUM),
            ),
            Access.DEVICE: (
                Need("Keep /dev/kmsg only to count processes killed for want of memory, which it alone tells cAdvisor",
                     Severity.LOW),
            ),
            Access.FOLDER: (
                Need("Keep the mount read-only: cAdvisor reads there what the containers use", Severity.INFO,
                     read_only=True, below=_OF_CONTAINERS),
                Need("Mount it read-only, as cAdvisor only reads there what the containers use", below=_OF_CONTAINERS),
            ),
            Access.NETWORK: (
                Need("Remove `network_mode: host`, and publish the port on the one address that Prometheus scrapes",
                     example='{service}:\n  # without network_mode\n  ports:\n    - "<address>:8080:8080"'),
            ),
            Access.PORT: (_SCRAPED,),
        },
    ),
    Program("Prometheus exporter", r".+[-_]exporter", "https://prometheus.io/docs/operating/security/#exporters",
            {Access.PORT: (_SCRAPED,)}),
    Program("Promtail", r"promtail",
            "https://grafana.com/docs/loki/latest/send-data/promtail/configuration/#docker_sd_config", _SHIPPER),
    Program("Vector", r"vector", "https://vector.dev/docs/reference/configuration/sources/docker_logs/", _SHIPPER),
    Program("Fluent Bit", r"fluent-?bit", "https://docs.fluentbit.io/manual/data-pipeline/inputs/tail",
            {Access.FOLDER: (_READS_LOGS,)}),
    Program(
        "Portainer", r"portainer(?:-ce|-ee)?", "https://docs.portainer.io/start/install-ce/server/docker/linux",
        {
            Access.SOCKET: (
                Need("Let only administrators reach Portainer's page: it governs Docker by the socket, and whoever "
                     "signs in does"),
            ),
        },
    ),
    Program(
        "Traefik", r"traefik", "https://doc.traefik.io/traefik/providers/docker/#docker-api-access",
        {
            Access.SOCKET: (
                Need("Put a proxy of the socket before Traefik that only answers questions on containers",
                     example="{service}:\n  # --providers.docker.endpoint=tcp://docker-proxy:2375 beside its options\n"
                     + _ASKS_CONTAINERS),
            ),
        },
    ),
    Program(
        "Watchtower", r"watchtower", "https://containrrr.dev/watchtower/arguments/",
        {
            Access.SOCKET: (
                Need("Raise versions by Renovate in Git instead; Watchtower starts containers, so that a proxy of the "
                     "socket protects little"),
            ),
        },
    ),
)  # fmt: skip


def need(service: Service, access: Access, mount: Mount | None = None) -> tuple[Program, Need] | None:
    """The program that a service runs, and what it needs of an access; None for one that isn't known to need it."""
    name = images.repository(service.image).rpartition("/")[2]
    found = next((item for item in _PROGRAMS if name and re.fullmatch(item.image, name)), None)
    fitting = (each for each in found.needs.get(access, ()) if _fits(each, service, mount)) if found else iter(())
    first = next(fitting, None)
    return (found, first) if found and first else None


def _fits(each: Need, service: Service, mount: Mount | None) -> bool:
    as_itself = not each.user or service.user in ("", each.user)
    if mount is None:
        return as_itself and not each.read_only
    within = any(mounts.is_below(mount.source, folder) for folder in each.below)
    return as_itself and within and (mount.read_only or not each.read_only)
