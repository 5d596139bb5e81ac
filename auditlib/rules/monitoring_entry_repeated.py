"""A configuration of the monitoring says something twice, and is refused.

Prometheus takes no second job of a name, Alertmanager no second receiver, Grafana no second default data source. None
of them starts then: there are no metrics, no alerts or no graphs at all.

Anti-pattern:

    datasources:
      - {name: Prometheus, type: prometheus, url: "http://prometheus:9090", isDefault: true}
      - {name: Loki, type: loki, url: "http://loki:3100", isDefault: true}

Better:

    datasources:
      - {name: Prometheus, type: prometheus, url: "http://prometheus:9090", isDefault: true}
      - {name: Loki, type: loki, url: "http://loki:3100"}

Recommendation:

    Give the second one another name, or leave out what makes it the default.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config
- https://prometheus.io/docs/alerting/latest/configuration/#receiver
- https://github.com/grafana/grafana/issues/12229
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from auditlib.conventions import grafana, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Datasource
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_Places = dict[tuple[str, str], list[Location]]


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job and receiver whose name another one of its file has, and every second default data source."""
    several = {file for file, number in Counter(item.file for item in inventory.prometheus).items() if number > 1}
    jobs: _Places = defaultdict(list)
    for job in inventory.scrape_jobs:
        if job.file not in several:  # an agent runs several configurations, each with jobs of its own
            jobs[job.file, job.name].append(job.location)
    receivers: _Places = defaultdict(list)
    for receiver in inventory.receivers:
        receivers[receiver.file, receiver.name].append(receiver.location)
    yield from _repeated(inventory, jobs, "job", "Prometheus", "job_name")
    yield from _repeated(inventory, receivers, "receiver", "Alertmanager", "name")
    for defaults in _defaults(inventory):
        yield _of_sources(defaults)


def _repeated(inventory: Inventory, found: _Places, what: str, program: str, key: str) -> Iterator[Evidence]:
    """One finding for each file; a sample that nothing runs with, beside others that are run, harms nobody yet."""
    twice: defaultdict[str, list[tuple[str, list[Location]]]] = defaultdict(list)
    for (file, name), places in found.items():
        if name and len(places) > 1 and not monitoring.is_template(file, name):
            twice[file].append((name, places))
    for file, items in twice.items():
        names = listed(name for name, _ in items)
        first, places = items[0]
        idle = not monitoring.runners(inventory, file) and any(
            monitoring.runners(inventory, config.file) for config in inventory.prometheus
        )
        yield Evidence(
            f"{file} has more than one {what} of the name {names}: {program} refuses the file.",
            places[1],
            subject=f"{what} {names}",
            related=tuple(Related(each[0], f"the first {what} {name}") for name, each in items),
            recommendation=f"Give the second {what} {first} of {file} another name, or merge the two.",
            severity=Severity.LOW if idle else None,
            example=files.into(file, f"- {key}: {first}-2"),
        )


def _defaults(inventory: Inventory) -> Iterator[list[Datasource]]:
    """The data sources of one file, or else of one Grafana, that are all to be an organisation's default."""
    groups: defaultdict[tuple[str, str], list[Datasource]] = defaultdict(list)
    servers = grafana.servers(inventory)
    for item in inventory.datasources:
        unread = any(name == "isDefault" for name, _ in item.foreign_fields)
        if not item.default or unread or monitoring.is_template(item.file, item.name, item.url):
            continue
        groups[item.file, item.organisation].append(item)
        seeing = (each for each in servers if grafana.sees(each, grafana.SOURCES, item.file))
        for key in dict.fromkeys(server.key for server in seeing):  # an overlay has the server again
            groups[key, item.organisation].append(item)
    seen: set[Location] = set()
    for items in groups.values():
        if len(items) > 1 and items[1].location not in seen:
            seen |= {item.location for item in items}
            yield items


def _of_sources(items: list[Datasource]) -> Evidence:
    first, second, *_ = items
    return Evidence(
        f"{first.name} and {second.name} are both to be the default data source: Grafana doesn't start.",
        second.location,
        subject=f"default {second.name}",
        related=(Related(first.location, f"{first.name} is the default already"),),
        recommendation=f"Leave `isDefault` out of {second.name} in {second.file}.",
        example=files.into(second.file, f"- name: {second.name}\n  isDefault: false"),
    )
