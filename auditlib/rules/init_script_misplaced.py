"""A database doesn't read a script that is meant for its first start.

The images of PostgreSQL, MySQL, MariaDB and MongoDB run what lies directly in /docker-entrypoint-initdb.d and has an
ending that they know: `.sql`, its compressed forms and `.sh`, or `.js` and `.sh` for MongoDB. What lies in a folder
below, in one that is called nearly so, or ends otherwise is left out with a line in the log at most. The database
starts empty, and what connects to it misses its tables or users.

Anti-pattern:

    db:
      image: postgres:16
      volumes:
        - ./sql/schema.sql:/docker-entrypoint-initdb.d/schema/01.sql

Better:

    db:
      image: postgres:16
      volumes:
        - ./sql/schema.sql:/docker-entrypoint-initdb.d/01-schema.sql

Recommendation:

    Put the script directly into /docker-entrypoint-initdb.d, under a name with an ending that the image knows.

References:

- https://hub.docker.com/_/postgres
- https://hub.docker.com/_/mysql
- https://hub.docker.com/_/mongo
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, init_scripts
from auditlib.conventions.init_scripts import Unread
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each database and reason one finding for all scripts that it leaves out."""
    told: set[tuple[str, str]] = set()
    for service in inventory.services:
        found: dict[str, list[Unread]] = {}
        for item in init_scripts.unread(inventory, service):
            if (item.path, item.inside) not in told:
                told.add((item.path, item.inside))
                found.setdefault(item.why, []).append(item)
        for scripts in found.values():
            yield _evidence(service, scripts)


def _evidence(service: Service, scripts: list[Unread]) -> Evidence:
    first, *others = scripts
    names = listed(item.path for item in scripts)
    places = {item.location: item.path for item in others if item.location != first.location}
    return Evidence(
        f"{service.name} never runs {names} at its first start: {first.why}.",
        first.location,
        subject=f"{service.name}/{first.path}",
        service=service.name,
        related=tuple(Related(place, f"brings {path} here", member=True) for place, path in places.items()),
        recommendation=f"Put {names} directly into {init_scripts.FOLDER}, with an ending that the image runs.",
        severity=Severity.LOW if environments.is_for_development(first.location.file) else None,
        change=_moved(first),
        example=_example(service, first),
    )


def _moved(item: Unread) -> tuple[str, str]:
    """The edit of the line that puts a single script at a place where it isn't read."""
    return (f":{item.inside}", f":{item.wanted}") if item.wanted and item.direct else ("", "")


def _example(service: Service, item: Unread) -> str:
    if not item.wanted:
        stem = posixpath.join(posixpath.dirname(item.path), posixpath.basename(item.path).partition(".")[0])
        return f"git mv {item.path} {stem}{item.ending}"
    if item.location.file == service.location.file or service.build is None:
        return compose_lines.mount_of(service, item.path, item.wanted)
    return files.into(item.location.file, f"COPY {item.path} {item.wanted}")
