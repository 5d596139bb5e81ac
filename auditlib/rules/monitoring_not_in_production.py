"""The monitoring is in the Compose file for development, and not in that for production.

Two Compose files run the same services, each by itself. Prometheus, with what it scrapes, is in the one that nobody
depends on; the one that users depend on has nothing that watches, though the repository looks as if it had.

Anti-pattern:

    # docker-compose.yml
    services: {api: …, db: …, prometheus: …, grafana: …}
    # docker-compose.prod.yml, which is started alone
    services: {api: …, db: …}

Better:

    # docker-compose.prod.yml
    services: {api: …, db: …, prometheus: …, grafana: …}

Recommendation:

    Put the monitoring into a file that is started with production, too, such as by `include`.

References:

- https://docs.docker.com/compose/how-tos/multiple-compose-files/include/
- https://sre.google/sre-book/monitoring-distributed-systems/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PRODUCTION = regex(r"(?:^|[._/-])prod(?:uction)?(?:[._/-]|$)")
_SHARED = 2
"""Services that two files have in common if they are editions of one stack."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Compose file of production without a watcher, beside another edition whose Prometheus scrapes the same."""
    projects = [item for item in inventory.base_projects if len(item.files) == 1]
    production = [item for item in projects if _PRODUCTION.search(posixpath.basename(item.location.file))]
    others = [item for item in projects if item not in production]
    if not production or any(_watchers(inventory, item) for item in production):
        return
    for project in production:
        for other in others:
            watching = _watchers(inventory, other) if _are_editions(project, other) else []
            seen = _seen(inventory, graph, project, other) if watching else []
            if seen and not _is_watched_from_outside(inventory, project, other):
                yield _evidence(project, other, watching, seen)
                return


def _watchers(inventory: Inventory, project: Project) -> list[Service]:
    """What watches in a project, those that overlays add included; exporters and stores of logs alone do not."""
    names = inventory.family(project.name)
    mine = (item for name in names for item in inventory.services_of(name).values())
    return [item for item in {item.name: item for item in mine}.values() if services.is_watching(inventory, item)]


def _are_editions(one: Project, other: Project) -> bool:
    return posixpath.dirname(one.location.file) == posixpath.dirname(other.location.file)


def _seen(inventory: Inventory, graph: DependencyGraph, project: Project, other: Project) -> list[str]:
    """The services of production whose namesakes the other edition's Prometheus watches, if the two are one stack."""
    mine, theirs = inventory.services_of(project.name), inventory.services_of(other.name)
    if len(mine.keys() & theirs.keys()) < max(_SHARED, len(mine) // 2):
        return []
    configs = [item for item in inventory.prometheus
               if any(runner.project == other.name for runner in monitoring.runners(inventory, item.file))]  # fmt: skip
    watched = scraping.watched(inventory, graph, monitoring.jobs(inventory, configs)) if configs else set()
    return [name for name in mine if name in theirs and theirs[name].key in watched]


def _is_watched_from_outside(inventory: Inventory, project: Project, other: Project) -> bool:
    """Whether a third project has a Prometheus, or that of the other edition may reach production by a network."""
    apart = [item for item in inventory.base_projects if item not in (project, other) and _watchers(inventory, item)]
    called = [{item.called or item.name for item in inventory.networks if item.project == each.name and item.external}
              for each in (project, other)]  # fmt: skip
    return bool(apart or called[0] & called[1])


def _evidence(project: Project, other: Project, watching: list[Service], seen: list[str]) -> Evidence:
    first = watching[0]
    names = listed((item.name for item in watching), limit=4)
    return Evidence(
        f"{project.location.file} is a stack of its own without monitoring: {names} "
        f"{'is' if len(watching) == 1 else 'are'} in {other.location.file} alone, so that nothing watches "
        f"{listed(seen, limit=4)} in production, unless it is watched from elsewhere.",
        project.location,
        subject=f"{project.name}/watched",
        related=(Related(first.location, f"{first.name} watches the other edition"),),
        recommendation=f"Put the monitoring of {other.location.file} into a file that {project.location.file} "
        "includes.",
        example=files.into(project.location.file, "include:\n  - <a file with Prometheus and what it needs>"),
    )
