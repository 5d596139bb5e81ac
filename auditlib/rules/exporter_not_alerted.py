"""An exporter is scraped, and no alert looks at what it tells.

It is there to say when a database or a queue is in trouble. Where no alert names any of its metrics, that is only seen
by who happens to look at a dashboard; `up` of its job tells of the exporter alone, which answers on while the database
is down. The same holds for a job of probes that the alerts on probes leave out.

Anti-pattern:

    # prometheus.yml scrapes redis-exporter:9121; the only alert on it:
    - alert: RedisDown
      expr: up{job="redis"} == 0

Better:

    - alert: RedisDown
      expr: redis_up == 0
      for: 2m

Recommendation:

    Alert on the exporter's own word on what it watches (`pg_up`, `redis_up`, the lag of a queue), or leave it out.

References:

- https://prometheus.io/docs/practices/alerting/
- https://prometheus.io/docs/instrumenting/writing_exporters/#failed-scrapes
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule, PrometheusConfig, ScrapeJob
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import MetricSource

_DATABASES = regex(r"(?:^|_)(?:db|database|sql|pool|connections?)(?:_|$)|postgres|mysql|mongo")
_TOLD = {
    "PostgreSQL exporter": ("pg_up == 0", _DATABASES),
    "MySQL exporter": ("mysql_up == 0", _DATABASES),
    "MongoDB exporter": ("mongodb_up == 0", _DATABASES),
    "Redis exporter": ("redis_up == 0", regex(r"redis|valkey|cache|queue|stream")),
    "Elasticsearch exporter": ('elasticsearch_cluster_health_status{color="red"} == 1', regex(r"elastic|search|index")),
    "Kafka exporter": ("sum by (consumergroup) (kafka_consumergroup_lag) > 1000", regex(r"kafka|lag|consumer|queue")),
    "RabbitMQ exporter": ("rabbitmq_queue_messages_ready > 1000", regex(r"rabbit|queue|amqp")),
}
"""By exporter what to alert on, and what says in the name of another metric that it may tell the same."""
_PROBED = "probe_"
_ALERT = """- alert: {name}
  expr: {expression}
  for: 5m
  labels: {{severity: critical}}"""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each Prometheus whose alerts are known the exporters of databases and queues that no alert asks."""
    for config in monitoring.prometheus_in_use(inventory):
        alerts = monitoring.all_alerts(inventory, config)
        rules = [*alerts, *(item for item in inventory.alert_rules if item.kind == "record")] if alerts else []
        if not rules or config.remote_write or any(item.query.error for item in rules):
            continue
        metrics = {metric for item in rules for metric in item.query.metrics}
        sources = scraping.sources(inventory, graph, monitoring.jobs(inventory, (config,)))
        found = {item.exporter.name: item for item in sources if item.exporter and _is_unasked(item, metrics)}
        if found:
            yield _evidence(config, alerts, list(found.values()))
        if not any(
            metric.startswith(_PROBED) for item in rules if item.kind == "record" for metric in item.query.metrics
        ):
            yield from _of_probes(inventory, config, alerts)


def _of_probes(inventory: Inventory, config: PrometheusConfig, alerts: list[AlertRule]) -> Iterator[Evidence]:
    """Each job of a blackbox exporter that no alert on probes selects, beside others that one does."""
    asked = [item for item in alerts if any(metric.startswith(_PROBED) for metric in item.query.metrics)]
    jobs = [item for item in monitoring.jobs(inventory, (config,)) if _probes(item)]
    if jobs and all(_tells_expiry(item) for item in asked) and not _ask_for(alerts, jobs):
        yield _unheard(jobs, asked, alerts)
        return
    for job in jobs:
        if asked and not any(_selects(item, job) for item in asked):
            yield _probe_evidence(job, asked)


def _probes(job: ScrapeJob) -> bool:
    return bool(job.proxy and job.targets) and job.metrics_path.endswith("/probe")


def _tells_expiry(alert: AlertRule) -> bool:
    """Whether all that an alert asks of a probe is the date of a certificate, which there is only with an answer."""
    probed = [metric for metric in alert.query.metrics if metric.startswith(_PROBED)]
    return all(metric.startswith("probe_ssl_") for metric in probed) and "absent" not in alert.query.expression


def _ask_for(alerts: list[AlertRule], jobs: list[ScrapeJob]) -> bool:
    """Whether an alert asks for series of the jobs by their names, whatever they are called."""
    names = {dict(job.labels).get("job", job.name) for job in jobs}
    return any(
        item.name == "job" and any(monitoring.takes(item, name) for name in names)
        for alert in alerts
        for item in alert.query.matchers
        if "up" not in alert.query.metrics
    )


def _unheard(jobs: list[ScrapeJob], asked: list[AlertRule], alerts: list[AlertRule]) -> Evidence:
    first, *others = jobs
    hosts = listed(dict.fromkeys(target.host for job in jobs for target in job.targets))
    expiry = f"{listed(item.name for item in asked)} {'asks' if len(asked) == 1 else 'ask'} for the certificate alone"
    return Evidence(
        f"{first.file} probes {hosts}, and no alert asks for probe_success{f': {expiry}' if asked else ''}; `up` tells "
        "of the exporter, so nobody is told when no answer comes.",
        first.location,
        subject=f"{first.file}/probes",
        related=(
            *(Related(job.location, f"{job.name} probes too", member=True) for job in others),
            *(Related(item.location, "asks for the certificate") for item in asked[:4]),
        ),
        recommendation=f"Add an alert on `probe_success == 0` to {(asked or alerts)[0].file}.",
        example=files.into(
            (asked or alerts)[0].file, _ALERT.format(name="ProbeFailed", expression="probe_success == 0")
        ),
    )


def _selects(alert: AlertRule, job: ScrapeJob) -> bool:
    """Whether the matchers of an alert may take a job, by its name."""
    told = [item for item in alert.query.matchers if item.name == "job"]
    name = dict(job.labels).get("job", job.name)
    return not told or any(monitoring.takes(item, name) for item in told)


def _probe_evidence(job: ScrapeJob, asked: list[AlertRule]) -> Evidence:
    hosts = listed(dict.fromkeys(target.host for target in job.targets))
    return Evidence(
        f"The job {job.name} probes {hosts}, and the alerts on probes ask for other jobs: nobody is told when no "
        "answer comes.",
        job.location,
        subject=f"{job.file}/{job.name}",
        related=tuple(Related(item.location, f"{item.name} asks for another job") for item in asked[:4]),
        recommendation=f'Add an alert on `probe_success{{job="{job.name}"}} == 0` to {asked[0].file}.',
        example=files.into(
            asked[0].file, _ALERT.format(name="ProbeFailed", expression=f'probe_success{{job="{job.name}"}} == 0')
        ),
    )


def _is_unasked(source: MetricSource, metrics: set[str]) -> bool:
    """Whether no metric is one of an exporter's, or may come from an application and tell the same."""
    exporter = source.exporter
    if exporter is None or exporter.name not in _TOLD or source.service is None or source.job.proxy:
        return False
    alike = _TOLD[exporter.name][1]
    return not any(metric.startswith(exporter.prefixes) or alike.search(metric) for metric in metrics)


def _evidence(config: PrometheusConfig, alerts: list[AlertRule], found: list[MetricSource]) -> Evidence:
    first = found[0]
    names = [item.exporter.name for item in found if item.exporter]
    products = listed(dict.fromkeys(product for item in found for product in _watched(item)))
    hosts = listed(dict.fromkeys(item.target.host for item in found))
    ups = [item for item in alerts if "up" in item.query.metrics]
    still = f" `up` tells of {'the exporter' if len(found) == 1 else 'the exporters'} alone." if ups else ""
    expressions = [_TOLD[name][0] for name in names]
    lines = [_ALERT.format(name=_named(name), expression=text) for name, text in zip(names, expressions, strict=True)]
    asks = f"none of its {len(alerts)} alerts asks for" if len(alerts) > 1 else "its only alert doesn't ask for"
    return Evidence(
        f"{config.file} scrapes {hosts}, and {asks} a metric of {'it' if len(found) == 1 else 'them'}: nobody is told "
        f"when {products} {'is' if len(names) == 1 else 'are'} in trouble.{still}",
        first.target.location,
        subject=f"{config.file}/{','.join(sorted(names))}",
        service=first.service.name if first.service else "",
        related=(
            *(Related(item.target.location, f"{item.target.host} is scraped", member=True) for item in found[1:]),
            Related(alerts[0].location, "the alerts"),
        ),
        recommendation=f"Add alerts on {listed(f'`{text}`' for text in expressions[:2])} to {alerts[0].file}.",
        example=files.into(alerts[0].file, "\n".join(lines)),
    )


def _watched(source: MetricSource) -> tuple[str, ...]:
    return source.exporter.watches[:1] if source.exporter else ()


def _named(exporter: str) -> str:
    """A name for the alert: `RedisDown`, `KafkaBehind`."""
    product = exporter.split(maxsplit=1)[0]
    return f"{product}{'Behind' if product in ('Kafka', 'RabbitMQ') else 'Down'}"
