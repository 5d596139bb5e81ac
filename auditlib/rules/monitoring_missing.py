"""Nothing watches what runs in production.

No metrics are collected, no alert is raised, no outside service asks whether the site answers, and no tracker gets the
errors: the first to notice a full disk, a dead worker or a failing login are the users.

Anti-pattern:

    services:
      api: {build: .}
      worker: {build: .}
      db: {image: postgres:17.2}
    # and no Prometheus, no error tracker, no check from outside

Better:

    services:
      # …
      prometheus:
        image: prom/prometheus:v2.55.0
        volumes: ["./prometheus.yml:/etc/prometheus/prometheus.yml:ro"]

Recommendation:

    Have something outside the host ask whether the site answers, then collect metrics and have alerts raised.

References:

- https://prometheus.io/docs/practices/alerting/
- https://sre.google/sre-book/monitoring-distributed-systems/
- https://github.com/prometheus/blackbox_exporter
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Set

from auditlib.conventions import deployment, environments, kept_data, published_ports, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules import _monitoring_lines as monitoring_lines
from auditlib.rules._rule import Evidence, rule

_FEW = 3
"""Services from which on somebody has to look at more than one program."""
_TRACKERS = regex(r"sentry|glitchtip|rollbar|bugsnag|honeybadger|raygun|airbrake|flareapp", re.I)
"""Whom programs report their errors to; a program that is down, or a full disk, reports none."""
_WRITTEN = {"glitchtip": "GlitchTip", "flareapp": "Flare"}
_WATCHERS = regex(
    r"prometheus|victoria-?metrics|vmagent|vmalert|zabbix|nagios|icinga|checkmk|netdata|telegraf|datadog|dd-agent|newrelic|"
    r"new-relic|grafana|alloy|otel|opentelemetry|collector|signoz|uptime|gatus|statping|healthchecks|hc-ping|"
    r"appsignal|elastic-apm|apm-agent|applicationinsights|dynatrace|"
    r"instana|scout[-_]apm|better-?stack|logtail|highlight|honeycomb|betteruptime|pingdom|pagerduty|opsgenie|crashlytics|"
    r"monit(?:or|$)|watchdog|beszel|dozzle|munin|cockpit|loki|statsd|graphite|influx"
)
"""Programs, libraries and services that watch others."""
_VARIABLES = regex(r"NEW_RELIC|^DD_|DATADOG|OTEL_|HEALTHCHECKS?_(?:URL|PING)|APM_|UPTIME|HEARTBEAT_URL|MONITOR")
"""Variables that lead to one of these."""
_WORDS = regex(
    r"monitor|surveillance|überwach|supervisi|мониторинг|наблюдаем|observab|监控|監視|uptime|prometheus|grafana|"
    r"datadog|zabbix|netdata|cloudwatch|alerting"
)
"""Words of a document from which on somebody may watch by other means."""
_GENERAL = regex(r"monitor|surveillance|überwach|supervisi|мониторинг|наблюдаем|observab|监控|監視|alerting")
"""Those of them that name no program: beside an error tracker they may mean that one."""
_AGAIN = frozenset({"always", "unless-stopped"})

_SERVICES = """services:
  blackbox-exporter:
    image: prom/blackbox-exporter:<version>
  prometheus:
    image: prom/prometheus:<version>
    volumes:
      - ./prometheus.yml:/etc/prometheus/prometheus.yml:ro
      - ./alert_rules.yml:/etc/prometheus/alert_rules.yml:ro"""
_RULES = """groups:
  - name: availability
    rules:
      - alert: SiteDown
        expr: probe_success == 0
        for: 2m
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.instance }} is not answering"}"""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The first deployed project of applications and a store, in a repository without any sign of a watcher."""
    if _has_records(inventory) or deployment.uses_orchestrator(inventory):
        return
    for project in inventory.deployed_projects:
        running = _running(inventory, project)
        meant = _is_meant_for_production(inventory, project, running)
        if meant or _keeps_running(inventory, project, running):
            names = _names(inventory)
            tracker = _tracker(names)
            if not _is_watched(inventory, names, tracker):
                yield _evidence(inventory, project, running, tracker, meant)
            return


def _has_records(inventory: Inventory) -> bool:
    """Whether the repository holds a part of a monitoring; metrics that nothing collects have a rule of their own."""
    return any((inventory.prometheus, inventory.scrape_jobs, inventory.alert_rules, inventory.receivers,
                inventory.datasources, inventory.dashboards, inventory.log_shippers, inventory.instrumentations,
                inventory.own_metrics))  # fmt: skip


def _running(inventory: Inventory, project: Project) -> list[Service]:
    """The services of a project that users' work needs all the time."""
    found = inventory.services_of(project.name).values()
    return [item for item in found if not services.is_one_shot(item) and not services.serves_operators(inventory, item)
            and not environments.is_for_developers(inventory, item)]  # fmt: skip


def _is_meant_for_production(inventory: Inventory, project: Project, running: list[Service]) -> bool:
    """Whether a project of an application with others around it is deployed, as far as the files tell."""
    few = _FEW - 1 if kept_data.stores(inventory, project) else _FEW
    if len(running) < few or not _serves(inventory, project, running):
        return False
    return bool(
        project.started_at
        or deployment.signs_of_production(inventory)
        or any(map(environments.production_entry, running))
    )


def _keeps_running(inventory: Inventory, project: Project, running: list[Service]) -> bool:
    """Whether nothing speaks of production, but applications that keep data are started again whenever they stop."""
    if (
        len(running) < _FEW
        or not kept_data.stores(inventory, project)
        or not any(map(published_ports.is_exposed, running))
    ):
        return False
    again = (item for item in running if item.restart in _AGAIN and services.product(inventory, item) is None)
    return any(again) and _serves(inventory, project, running)


def _serves(inventory: Inventory, project: Project, running: list[Service]) -> bool:
    """Whether a project has an application of its own and isn't for development."""
    applications = (item for item in running if services.product(inventory, item) is None)
    return any(applications) and not environments.in_development_file(inventory, project.location.file)


def _names(inventory: Inventory) -> list[str]:
    """What services, packages, scripts and steps of workflows are called, and the variables that somebody sets."""
    names = [f"{item.image} {item.name}" for item in inventory.services]
    names += [item.name for manifest in inventory.manifests for item in manifest.requirements]
    names += [item.path.rpartition("/")[2] for item in inventory.scripts]
    return names + [f"{step.uses} {step.run}" for step in inventory.steps]


def _variables(inventory: Inventory) -> set[str]:
    variables = {entry.name for item in inventory.services for entry in item.environment}
    variables |= {item.name for item in inventory.settings}
    return variables | {line.name for file in inventory.env_files for line in file.lines}


def _tracker(names: list[str]) -> str:
    """The error tracker that a package or a service is of; empty without one."""
    found = next((match[0].lower() for name in names if (match := _TRACKERS.search(name))), "")
    return _WRITTEN.get(found, found.capitalize())


def _is_watched(inventory: Inventory, names: list[str], tracker: str) -> bool:
    """Whether anything in the repository leads to somebody who watches; an error tracker alone doesn't."""
    if any(_WATCHERS.search(name.lower()) for name in names):
        return True
    variables = _variables(inventory)
    if any(map(_VARIABLES.search, variables)) or (not tracker and any(map(_TRACKERS.search, variables))):
        return True
    return any(_speaks(document.words - document.denied, tracker) for document in inventory.documents)


def _speaks(words: Set[str], tracker: str) -> bool:
    """Whether a document speaks of who watches, and doesn't mean the error tracker that it names."""
    told = [word for word in words if _WORDS.search(word)]
    tracks = any(map(_TRACKERS.search, words))
    if tracker and tracks:
        told = [word for word in told if not _GENERAL.search(word)]
    return bool(told) or (tracks and not tracker)


def _evidence(inventory: Inventory, project: Project, running: list[Service], tracker: str, meant: bool) -> Evidence:
    reached = (item for item in running if published_ports.is_exposed(item))
    front = next((item for item in reached if not services.is_datastore(inventory, item)), None)
    site = front or next(item for item in running if services.product(inventory, item) is None)
    names = listed((item.name for item in running), limit=5)
    return Evidence(
        f"{project.location.file} runs {names}, and the repository has no metrics, alerts{_missing(tracker)}: unless "
        f"somebody watches from elsewhere, {_effect(tracker)}.",
        project.location,
        subject=f"{project.name}/monitoring",
        service=site.name,
        related=(Related(front.location, f"{front.name} is what users reach"),) if front else (),
        recommendation=f"Have a check outside of the host ask {site.name}, and add a Prometheus with alerts to "
        f"{project.location.file}.",
        severity=None if meant and not tracker else Severity.LOW,
        example=_lines(project, site),
    )


def _missing(tracker: str) -> str:
    return " or check from outside" if tracker else ", error tracker or check from outside"


def _effect(tracker: str) -> str:
    if not tracker:
        return "users notice a failure first"
    return (
        f"nobody is told what the code can't report to {tracker}: a program that is down, a full disk, a growing queue"
    )


def _lines(project: Project, front: Service) -> str:
    """A Prometheus that asks for the site by the blackbox exporter, and says when that doesn't answer."""
    folder = posixpath.dirname(project.location.file)
    config, rules = (posixpath.join(folder, name) for name in ("prometheus.yml", "alert_rules.yml"))
    address = f"<the address at which users reach {front.name}>"
    job = monitoring_lines.PROBE.format("site", address, "blackbox-exporter:9115")
    blocks = {project.location.file: _SERVICES, config: f"rule_files: [alert_rules.yml]\n{job}", rules: _RULES}
    return "\n".join(files.into(file, lines) for file, lines in blocks.items())
