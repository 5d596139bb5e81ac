"""As whom well-known images run that write without ever being root, and where they write.

Sources: the images' Dockerfiles (https://github.com/prometheus/prometheus, https://github.com/prometheus/alertmanager,
https://github.com/grafana/grafana, https://github.com/grafana/loki, https://github.com/jenkinsci/docker …).
"""

from __future__ import annotations

from msgspec import Struct

from auditlib.conventions import images
from auditlib.inventory.stack import Service


class ImageUser(Struct, frozen=True):
    """The numbers of a user and of its group, and the folder that its program can't do without."""

    number: str
    group: str
    folder: str


_USERS = {
    "prom/prometheus": ImageUser("65534", "65534", "/prometheus"),
    "prom/alertmanager": ImageUser("65534", "65534", "/alertmanager"),
    "grafana/grafana": ImageUser("472", "0", "/var/lib/grafana"),
    "grafana/grafana-oss": ImageUser("472", "0", "/var/lib/grafana"),
    "grafana/grafana-enterprise": ImageUser("472", "0", "/var/lib/grafana"),
    "grafana/loki": ImageUser("10001", "10001", "/loki"),
    "jenkins/jenkins": ImageUser("1000", "1000", "/var/jenkins_home"),
    "n8nio/n8n": ImageUser("1000", "1000", "/home/node/.n8n"),
    "dpage/pgadmin4": ImageUser("5050", "5050", "/var/lib/pgadmin"),
    "elasticsearch/elasticsearch": ImageUser("1000", "0", "/usr/share/elasticsearch/data"),
    "elasticsearch": ImageUser("1000", "0", "/usr/share/elasticsearch/data"),
}


def of(service: Service) -> ImageUser | None:
    """The user that a service runs as by its image; None for another image, and where the service names one."""
    known = None if service.build is not None else _USERS.get(images.repository(service.image))
    if known is None or not service.user:
        return known
    number = service.user.partition(":")[0]
    return known if number == known.number else None
