"""A rate is asked for over less time than two scrapes need.

`rate` and `increase` need two samples within their window. With a scrape each minute a window of one minute holds one,
or two by chance: the result is empty, an alert never fires, and a panel has no data or gaps.

Anti-pattern:

    # prometheus.yml
    global: {scrape_interval: 1m}
    # rules.yml
    expr: rate(http_requests_total{status="500"}[1m]) > 1

Better:

    expr: rate(http_requests_total{status="500"}[5m]) > 1

Recommendation:

    Take a window of at least four times the scrape interval, so that one failed scrape leaves enough samples.

References:

- https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
- https://www.robustperception.io/what-range-should-i-use-with-rate/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from auditlib.conventions import monitoring
from auditlib.conventions.monitoring import Asking
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PrometheusConfig, Query
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ENOUGH = 2
_ADVISED = 4
_TAKES = "-receiver"
"""The end of the options by which Prometheus takes what others write to it."""
_OTHER = regex(r"victoria-?metrics|vmagent|vmalert|vmsingle")
"""What takes the sample before the window into account."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each file of rules or panels with windows that hold fewer than two scrapes of any job."""
    asked = [item for item in monitoring.asking(inventory) if item.query.windows]
    others = any(_OTHER.search(item.image) for item in inventory.services)
    configs = monitoring.prometheus_in_use(inventory) if asked and not others else ()
    found: defaultdict[str, list[tuple[Asking, str, float, float]]] = defaultdict(list)
    for item in asked:
        loading = [config for config in monitoring.loading(inventory, item.location.file) if config in configs]
        interval = _interval(inventory, loading or configs, item.query)
        for metric, window in item.query.windows:
            if window < _ENOUGH * interval:
                found[item.location.file].append((item, metric, window, interval))
                break
    for file, uses in found.items():
        yield _evidence(file, sorted(uses, key=lambda use: use[2] / use[3]), configs)


def _interval(inventory: Inventory, configs: Iterable[PrometheusConfig], query: Query) -> float:
    """The least seconds from one scrape to the next among the jobs that a query may ask for; 0 if that isn't known."""
    named = [item for item in query.matchers if item.name == "job"]
    found = []
    pushed = any(_TAKES in word for item in inventory.services for word in item.command if "prom" in item.image)
    for config in configs:
        jobs = monitoring.jobs(inventory, (config,))
        meant = [job for job in jobs if all(monitoring.takes(matcher, job.name) for matcher in named)]
        if pushed and (not named or not meant):
            return 0  # another program sends it, as often as it likes
        found += [job.interval or config.interval for job in meant or jobs]
        if config.scrape_config_files or monitoring.is_template(config.file):
            return 0
    return min(found, default=0)


def _evidence(
    file: str, uses: list[tuple[Asking, str, float, float]], configs: tuple[PrometheusConfig, ...]
) -> Evidence:
    (first, metric, window, interval), *others = uses
    alike = [use for use in uses if use[1:] == uses[0][1:]]
    names = list(dict.fromkeys(item.called for item, *_ in alike))
    rest = len({item.called for item, *_ in uses} - set(names))
    more = f" ({rest} more ask{'s' if rest == 1 else ''} for too little as well)" if rest else ""
    never = window <= interval
    panels = all(item.of_panel for item, *_ in uses)
    empty = "there are never two samples in it, and the result is empty" if never else "often there is one sample in it"
    severity = (Severity.MEDIUM if never else Severity.LOW) if panels else None if never else Severity.MEDIUM
    return Evidence(
        f"{listed(names, limit=4)} of {file} {'asks' if len(names) == 1 else 'ask'} for the growth of {metric} within "
        f"{window:g} s, and it is scraped every {interval:g} s: {empty}{more}.",
        first.location,
        subject=f"{file}/{first.name}",
        related=(
            *(
                Related(item.location, f"{item.called} asks for {each} within {seconds:g} s", member=True)
                for item, each, seconds, _ in others
            ),
            *(Related(config.location, "how often is scraped") for config in configs[:1]),
        ),
        recommendation=f"Take a window of {_ADVISED * interval:g} s or more in {file}, or scrape more often.",
        severity=severity,
        example=files.into(file, f"rate({metric}[{_ADVISED * interval:g}s])"),
    )
