"""A command in Compose is handed to the image's entry point as its arguments.

`command` takes the place of CMD, not of ENTRYPOINT. An entry point that is a program itself gets the words of the
command as arguments: `python sh -c "…"` looks for a file called `sh`.

Anti-pattern:

    # Dockerfile: ENTRYPOINT ["python", "manage.py"]
    services:
      web:
        build: .
        command: sh -c "python manage.py migrate && gunicorn shop.wsgi"

Better:

    services:
      web:
        build: .
        entrypoint: ["sh", "-c"]
        command: ["python manage.py migrate && exec gunicorn shop.wsgi"]

Recommendation:

    Set `entrypoint` in Compose too, or let the image use CMD.

References:

- https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact
- https://docs.docker.com/reference/compose-file/services/#command
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import images, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_SHELLS = frozenset({"sh", "bash", "ash", "/bin/sh", "/bin/bash"})
_PROGRAMS = frozenset({
    "python", "python3", "node", "java", "ruby", "php", "dotnet", "gunicorn", "uvicorn", "hypercorn", "daphne",
    "celery", "flask", "fastapi", "streamlit", "npm", "yarn", "pnpm", "nginx", "caddy",
})  # fmt: skip
"""Programs that take what follows for their own arguments, and start nothing else."""
_PASSES_ON = regex(
    r"(?:entry|wait|init|start|run|boot|launch|wrap|exec|prestart|migrate)[\w.-]*\.(?:py|js|mjs|cjs|ts|rb|php)$"
)
"""Scripts that by their names may start what they are given."""
_OF_IMAGES = {
    "prom/prometheus": "/bin/prometheus", "prom/alertmanager": "/bin/alertmanager", "grafana/grafana": "/run.sh",
    "grafana/loki": "/usr/bin/loki", "grafana/promtail": "/usr/bin/promtail",
    "prom/node-exporter": "/bin/node_exporter", "certbot/certbot": "certbot", "restic/restic": "/usr/bin/restic",
    "rclone/rclone": "rclone", "minio/mc": "mc", "amazon/aws-cli": "/usr/local/bin/aws", "mikefarah/yq": "/usr/bin/yq",
    "hashicorp/terraform": "/bin/terraform",
}  # fmt: skip
"""The entry points of images, by their Dockerfiles."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service whose command starts a program, though the entry point of its image is one already."""
    for service in inventory.distinct_services:
        entry = _entry_point(inventory, service)
        if entry and service.command and not (service.entrypoint or service.clears_entrypoint):
            words, place = entry
            first = service.command[0].split()[0] if service.command[0].split() else ""
            program = posixpath.basename(words[0])
            again = len(words) > 1 and first == words[0] and service.command[:2] == words[:2]
            if first in _SHELLS or (again and program in _PROGRAMS):
                yield _evidence(service, words, place)


def _entry_point(inventory: Inventory, service: Service) -> tuple[tuple[str, ...], Location] | None:
    """The words of an entry point that passes nothing on, and where they stand."""
    if service.build is None:
        known = _OF_IMAGES.get(images.repository(service.image))
        return ((known,), service.image_location) if known else None
    _, instructions = services.built_from(inventory, service)
    last = next((item for item in reversed(instructions) if item.keyword == "ENTRYPOINT"), None)
    if last is None or last.shell or not last.words or posixpath.basename(last.words[0]) not in _PROGRAMS:
        return None
    if any(_PASSES_ON.search(word) for word in last.words[1:]):
        return None
    return last.words, last.location


def _evidence(service: Service, words: tuple[str, ...], place: Location) -> Evidence:
    shown = " ".join((*words, *service.command))[:120]
    return Evidence(
        f"The command of {service.name} is given to the entry point `{' '.join(words)}` as arguments: what starts is "
        f"`{shown}`.",
        service.command_location or service.location,
        subject=service.name,
        service=service.name,
        related=(Related(place, "the entry point"),),
        recommendation=f"Set `entrypoint` of {service.name} too, or let its command hold arguments alone.",
        example=compose_lines.of_service(service, "entrypoint: []      # so that the command starts by itself"),
    )
