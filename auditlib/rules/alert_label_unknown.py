"""An alert selects a label value that nothing has.

`job="api"` matches only series of a scrape job of that name. With another name the expression is empty and the alert
never fires; with `absent()` it fires for ever. Judged are `job`, `instance`, the names of containers, and metrics that
an exporter gives without any label; which values other labels have, only the running system knows.

Anti-pattern:

    # prometheus.yml: job_name: shop-api
    - alert: ApiDown
      expr: up{job="api"} == 0

Better:

    - alert: ApiDown
      expr: up{job="shop-api"} == 0

Recommendation:

    Use the names of the scrape jobs and containers in the expressions; `promtool test rules` holds them together.

References:

- https://prometheus.io/docs/concepts/jobs_instances/
- https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
- https://docs.docker.com/engine/deprecated/
- https://github.com/nginx/nginx-prometheus-exporter#exported-metrics
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import msgspec

from auditlib import scraping
from auditlib.conventions import exporters, images, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule, LabelMatcher, ScrapeJob, Target
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_RULER = """# in the configuration of Loki
ruler:
  storage: {type: local, local: {directory: <the folder of its rules>}}
  alertmanager_url: <the address of Alertmanager>
  enable_api: true"""
_Uses = dict[LabelMatcher, list[AlertRule]]
_GONE = {("fstype", "aufs"): "a file system that Docker no longer supports since version 24"}
"""Label values that nothing current has, whatever the host."""
_BARE = {
    "nginx/nginx-prometheus-exporter": regex(r"nginx_(?:up|http_requests_total|connections_\w+)"),
    "prom/node-exporter": regex(r"node_(?:load(?:1|5|15)|memory_\w+_bytes|boot_time_seconds)"),
    "oliver006/redis_exporter": regex(r"redis_(?:up|memory_(?:used|max)_bytes|connected_clients)"),
}
"""The metrics that these images give without labels of their own, by each exporter's documentation."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Of each rule file the jobs, instances and containers that are selected and that are none, once for each value."""
    for file in dict.fromkeys(item.file for item in inventory.alert_rules):
        uses: defaultdict[LabelMatcher, list[AlertRule]] = defaultdict(list)
        for item in inventory.alert_rules:
            for matcher in item.query.matchers if item.file == file else ():
                if matcher.operator in ("=", "=~") and not re.search(r"[${]", matcher.value):
                    uses[matcher].append(item)
        configs = monitoring.loading(inventory, file) or monitoring.prometheus_in_use(inventory)
        jobs = monitoring.jobs(inventory, configs)
        yield from _jobs(inventory, jobs, uses)
        yield from _instances(jobs, uses)
        yield from _containers(inventory, _here(inventory, graph, jobs, uses))
        yield from _gone(uses)
        yield from _bare(inventory, jobs, uses)


def _jobs(inventory: Inventory, jobs: tuple[ScrapeJob, ...], uses: _Uses) -> Iterator[Evidence]:
    if not jobs or any(_names_are_open(job) for job in jobs):
        return
    names = {job.name for job in jobs} | {value for job in jobs for name, value in job.labels if name == "job"}
    for matcher, rules in uses.items():
        if matcher.name == "job" and matcher.value and not any(monitoring.takes(matcher, name) for name in names):
            reason = f"no job of {jobs[0].file} is called so; there are {listed(sorted(names), limit=10)}"
            related = tuple(Related(job.location, f"the job {job.name}") for job in jobs[:6])
            found = _evidence(matcher, rules, reason, related)
            yield _of_logs(found, rules) if _ask_for_logs(inventory, rules) else found


def _ask_for_logs(inventory: Inventory, rules: list[AlertRule]) -> bool:
    """Whether expressions name no metric, as those of Loki, which is there, ask for streams of logs."""
    kept = any(item.kind == "loki" for item in inventory.log_shippers)
    return kept and not any(item.query.metrics for item in rules)


def _of_logs(found: Evidence, rules: list[AlertRule]) -> Evidence:
    """What to do about expressions that count lines of logs: Prometheus has none."""
    return msgspec.structs.replace(
        found,
        recommendation=f"Move what counts lines of logs from {rules[0].file} into rules that Loki's ruler reads.",
        example=_RULER,
    )


def _instances(jobs: tuple[ScrapeJob, ...], uses: _Uses) -> Iterator[Evidence]:
    """Addresses of targets; one that is relabelled, or that series bring along, may be called anything."""
    if not jobs or any(job.relabels or _names_are_open(job) for job in jobs):
        return
    targets = [target for job in jobs for target in (*job.targets, *job.discovered)]
    names = [f"{target.bracketed}:{target.port or '80'}" for target in targets]
    names += [value for job in jobs for name, value in job.labels if name == "instance"]
    for matcher, rules in uses.items():
        if matcher.name == "instance" and matcher.value and not any(monitoring.takes(matcher, name) for name in names):
            reason = f"no target of {jobs[0].file} has that address; there are {listed(names)}"
            related = tuple(Related(job.location, f"the job {job.name}") for job in jobs[:6])
            yield _evidence(matcher, rules, reason, related)


def _names_are_open(job: ScrapeJob) -> bool:
    """Whether series may come with a job's name that the file doesn't give them."""
    return job.honors_labels or job.renames or scraping.is_open(job)


def _here(inventory: Inventory, graph: DependencyGraph, jobs: tuple[ScrapeJob, ...], uses: _Uses) -> _Uses:
    """The same without the alerts that select jobs which scrape other hosts, whose containers no file here names.

    How the whole host is called is the same everywhere.
    """
    foreign = {job.name for job in jobs if any(_is_elsewhere(inventory, graph, job, each) for each in job.targets)}
    kept: _Uses = {}
    for matcher, rules in uses.items():
        mine = [item for item in rules if matcher.value == "/" or not any(_selects(item, name) for name in foreign)]
        if mine:
            kept[matcher] = mine
    return kept


def _selects(item: AlertRule, job: str) -> bool:
    """Whether an alert asks for a job's series; without a job for those of every cAdvisor."""
    asked = [each for each in item.query.matchers if each.name == "job"]
    return any(monitoring.takes(each, job) for each in asked) if asked else "cadvisor" in job.lower()


def _is_elsewhere(inventory: Inventory, graph: DependencyGraph, job: ScrapeJob, target: Target) -> bool:
    """Whether a target is addressed as a host of the network, not as a service or as the host of the services."""
    local = target.host.startswith("127.") or target.host.endswith(".docker.internal")
    full = "." in target.host or ":" in target.host
    return full and not local and scraping.service_at(inventory, graph, job, target) is None


def _containers(inventory: Inventory, uses: _Uses) -> Iterator[Evidence]:
    """Names of containers, in metrics of cAdvisor; a container that Compose names holds its service's name."""
    names = {item.container_name or item.name for item in inventory.services}
    for matcher, rules in uses.items():
        about = [item for item in rules if any(_is_of_container(metric) for metric in item.query.metrics)]
        plain = matcher.operator == "=" and matcher.name in ("name", "container_name") and matcher.value
        if about and plain and matcher.value == "/":
            reason = 'cAdvisor gives the whole host as id="/" and without a name'
            yield _evidence(matcher, about, reason, (), instead='id="/"')
        elif names and about and plain and not any(name in matcher.value for name in names):
            reason = "no service or container of the Compose files is called so, unless it is started elsewhere"
            yield _evidence(matcher, about, reason, (), Confidence.MEDIUM)
        elif about and (called := _called_otherwise(inventory, matcher)):
            reason = f"the Compose files call their containers otherwise ({listed(called)}), unless others are meant"
            yield _evidence(matcher, about, reason, (), Confidence.MEDIUM)


def _called_otherwise(inventory: Inventory, matcher: LabelMatcher) -> list[str]:
    """The names of all containers, if Compose files give each its own and a pattern takes none; else none."""
    names = list(dict.fromkeys(item.container_name for item in inventory.services))
    known = bool(names) and all(names) and not any("$" in name or "‹" in name for name in names)
    asks = matcher.operator == "=~" and matcher.name in ("name", "container_name") and bool(matcher.value)
    return [] if not (known and asks) or any(monitoring.takes(matcher, name) for name in names) else names


def _is_of_container(metric: str) -> bool:
    exporter = exporters.of_metric(metric)
    return exporter is not None and exporter.name == "cAdvisor"


def _gone(uses: _Uses) -> Iterator[Evidence]:
    for matcher, rules in uses.items():
        if reason := _GONE.get((matcher.name, matcher.value)):
            yield _evidence(matcher, rules, f"that is {reason}", (), Confidence.MEDIUM)


def _bare(inventory: Inventory, jobs: tuple[ScrapeJob, ...], uses: _Uses) -> Iterator[Evidence]:
    """Labels of metrics that have none but those that Prometheus gives to the targets of its jobs."""
    if not jobs or any(job.relabels or _names_are_open(job) for job in jobs):
        return
    given = {"job", "instance", "__name__"} | {name for job in jobs for name, _ in job.labels}
    for matcher, rules in uses.items():
        metrics = {metric for item in rules for metric in item.query.metrics}
        metric = metrics.pop() if len(metrics) == 1 else ""
        exporter = _giving(inventory, metric)
        if exporter and matcher.value and matcher.name not in given and not monitoring.takes(matcher, ""):
            related = (Related(exporter.location, f"{exporter.name} runs {exporter.image}"),)
            yield _evidence(matcher, rules, f"{exporter.image} gives {metric} without such a label", related)


def _giving(inventory: Inventory, metric: str) -> Service | None:
    """The only service that gives a metric without labels."""
    exporter = exporters.of_metric(metric)
    found = [item for item in inventory.distinct_services if exporter and exporters.of_image(item.image) == exporter]
    bare = [item for item in found if (names := _BARE.get(images.repository(item.image))) and names.fullmatch(metric)]
    adds = any("const-label" in word for item in found for word in item.command)
    return bare[0] if bare and bare == found and not adds else None


def _corrected(item: AlertRule, matcher: LabelMatcher, written: str, instead: str) -> str:
    """The alert with a place for the value that is meant."""
    expression = " ".join(item.query.expression.split())
    wanted = instead or f'{matcher.name}{matcher.operator}"<the {matcher.name} that is meant>"'
    lines = f"- {item.kind}: {item.name}\n  expr: {expression.replace(written, wanted)}"
    return files.into(item.file, lines) if written in expression else ""


def _evidence(
    matcher: LabelMatcher,
    rules: list[AlertRule],
    reason: str,
    related: tuple[Related, ...],
    confidence: Confidence | None = None,
    instead: str = "",
) -> Evidence:
    names = listed(item.name for item in rules)
    written = f'{matcher.name}{matcher.operator}"{matcher.value}"'
    always = ": absent() holds all the time" if all("absent(" in item.query.expression for item in rules) else ""
    others = list(dict.fromkeys((item.expression_location, item.name) for item in rules))[1:]
    return Evidence(
        f"{names} {'selects' if len(set(rules)) == 1 else 'select'} {written}, but {reason}{always}.",
        rules[0].expression_location,
        subject=written,
        related=(*(Related(place, f"{name} selects it too", member=True) for place, name in others), *related),
        recommendation=f"Write {instead} in place of {written} in {rules[0].file}."
        if instead
        else f"Correct {written} in {rules[0].file}, or remove {names}.",
        severity=Severity.MEDIUM if confidence else None,
        example=_corrected(rules[0], matcher, written, instead),
        confidence=confidence,
    )
