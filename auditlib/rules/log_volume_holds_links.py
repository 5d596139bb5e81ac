"""A service reads Nginx's logs in a volume, in which they are links to the standard output.

The image of Nginx has `access.log` and `error.log` as links to its standard streams. A new volume over their folder is
filled with these links: what Nginx writes goes to `docker logs`, and whoever reads the volume finds its own standard
output there, and no line. A guard against attacks that reads so never sees one.

Anti-pattern:

    nginx:
      image: nginx:1.27
      volumes: ["nginx_logs:/var/log/nginx"]
    crowdsec:
      image: crowdsecurity/crowdsec:v1.6.3
      volumes: ["nginx_logs:/var/log/nginx:ro"]

Better:

    # nginx.conf, as the image has no link of this name
    access_log /var/log/nginx/requests.log;

Recommendation:

    Have Nginx log to files of other names, and rotate them; or read the log of its container.

References:

- https://github.com/nginx/docker-nginx
- https://docs.docker.com/engine/storage/volumes/#populate-a-volume-using-a-container
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import linked_logs, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_LINES = """# the configuration of {}
access_log /var/log/nginx/requests.log{};
error_log /var/log/nginx/problems.log warn;"""
_KEEPS = regex(r"back-?up|restic|borg|duplicati|kopia|rclone", 2)
"""What copies volumes as they are, and reads no line."""
_GUARDS = regex(r"crowdsec|fail2ban|ossec|wazuh")

_Reader = tuple[Service, Mount]


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Nginx whose volume of links other services read, those left out whose configuration names the files."""
    if linked_logs.are_others_written(inventory):
        return
    told = {item.key for shipper in inventory.log_shippers for item in monitoring.runners(inventory, shipper.file)}
    found: defaultdict[str, list[_Reader]] = defaultdict(list)
    servers: dict[str, Service] = {}
    for service in inventory.distinct_services:
        for mount in service.mounts if service.key not in told else ():
            server = linked_logs.server(inventory, service, mount) if mount.read_only else None
            keeps = _KEEPS.search(f"{service.name} {service.image} {mount.target}")
            if server is not None and server.name != service.name and not keeps:
                servers[server.key] = server
                found[server.key].append((service, mount))
    for key, readers in found.items():
        yield _evidence(servers[key], readers)


def _evidence(server: Service, readers: list[_Reader]) -> Evidence:
    (service, mount), *others = readers
    names = listed(item.name for item, _ in readers)
    one = not others
    guards = any(_GUARDS.search(f"{item.name} {item.image}") for item, _ in readers)
    return Evidence(
        f"{names} {'reads' if one else 'read'} the logs of {server.name} in the volume {mount.source}, and the image "
        f"{server.image} has links to its standard streams in place of access.log and error.log: the volume takes them "
        f"over, and {names} {'finds' if one else 'find'} no line there.",
        mount.location,
        subject=f"{server.name}/{mount.source}",
        service=service.name,
        related=(
            Related(server.location, f"{server.name} shares the volume"),
            *(Related(place.location, f"{item.name} reads it too", member=True) for item, place in others),
        ),
        recommendation=f"Let {server.name} log to files of other names for {names}, and rotate them.",
        severity=Severity.HIGH if guards else None,
        example=_LINES.format(server.name, " <its format>"),
    )
