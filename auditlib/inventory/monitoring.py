"""Records of Prometheus: what it asks, what code gives it, and what its rules ask of that."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location

CLIENT_LIBRARIES = {
    "prometheus-client": "prometheus_client", "prometheus-flask-exporter": "prometheus_flask_exporter",
    "prometheus-fastapi-instrumentator": "prometheus_fastapi_instrumentator", "prom-client": "prom-client",
    "starlette-exporter": "starlette_exporter", "starlette-prometheus": "starlette_prometheus",
    "django-prometheus": "django_prometheus", "express-prom-bundle": "express-prom-bundle",
    "client-golang": "promhttp",
}  # fmt: skip
"""Libraries that give metrics only where code calls them: the package, and the word by which code does."""


MULTIPROCESS = "multiprocess"
"""In the place of a library: that code gathers the metrics of several processes."""


class Instrumentation(Struct, frozen=True):
    """A file of code that names a client library; `library` is the word by which it does."""

    library: str
    location: Location


class OwnMetric(Struct, frozen=True):
    """A metric that code makes by a client library of Prometheus."""

    name: str
    """As the library is told; empty where the code makes the name up when it runs."""
    labelled: bool
    """Whether its series come with the first values of their labels, not at the start."""
    location: Location
    buckets: tuple[float, ...] = ()
    """Of a histogram the bounds of its buckets, if the code spells them or the library's own ones hold."""


class RawPathLabel(Struct, frozen=True):
    """A metric's label that code gives the path of each request as it came; `source` is how it writes that."""

    source: str
    location: Location


class PlainVariable(Struct, frozen=True):
    """What looks like a variable in a file of Prometheus, which replaces none; `field` is where it stands."""

    name: str
    field: str
    location: Location


class IdleMetric(Struct, frozen=True):
    """A metric that code defines as `holder` and names nowhere else; `kind` is `counter`, `gauge` …"""

    name: str
    holder: str
    kind: str
    location: Location
    labelled: bool = False
    """Whether it has labels, so that a value is set for some of theirs."""


class Target(Struct, frozen=True):
    """A `host:port` that is scraped, or alerted to. `port` is empty if none is given."""

    host: str
    port: str
    location: Location
    of_swarm: bool = False
    """Whether it is asked for as `tasks.host`, a name that only Swarm knows."""
    scheme: str = ""
    """The scheme of a URL, as the targets of a probe may be; empty where none is written."""

    @property
    def address(self) -> str:
        """The host and, where one is given, its port, as Prometheus writes them: `api:8000`, `[::1]:9100`."""
        return f"{self.bracketed}:{self.port}" if self.port else self.bracketed

    @property
    def bracketed(self) -> str:
        """The host; an address of IPv6 in its brackets, which keep it apart from a port."""
        return f"[{self.host}]" if ":" in self.host else self.host


class PathPattern(Struct, frozen=True):
    """A path or glob as a configuration names it, with its place."""

    path: str
    location: Location


class LabelMatcher(Struct, frozen=True):
    """`name`, `operator` (`=`, `!=`, `=~`, `!~`) and `value` of a matcher, in PromQL or in a route."""

    name: str
    operator: str
    value: str


class ScrapeJob(Struct, frozen=True):
    """A job of `scrape_configs`. `discovery` names the mechanisms (`docker_sd_configs`) that find further targets."""

    file: str
    name: str
    metrics_path: str
    scheme: str
    targets: tuple[Target, ...]
    discovery: tuple[str, ...]
    location: Location
    interval: float = 0
    """The seconds from one scrape to the next where the job says so itself, else 0."""
    timeout: PathPattern | None = None
    """How long it waits for an answer, where the job says so itself."""
    labels: tuple[tuple[str, str], ...] = ()
    """What `static_configs` put on the targets' series; `job` among them takes the place of the job's name."""
    relabels: bool = False
    """Whether `relabel_configs` or `metric_relabel_configs` may change names and labels in ways not followed here."""
    renames: bool = False
    """Whether one of these rules may give the series another `job`."""
    proxy: Target | None = None
    """The exporter that is scraped in the place of the targets, which it probes (blackbox, snmp)."""
    discovery_files: tuple[PathPattern, ...] = ()
    """The files of `file_sd_configs`; the targets of those in the repository are among `targets`."""
    kept_labels: tuple[LabelMatcher, ...] = ()
    """The labels of containers that Docker's discovery keeps itself to, by names with `_` for what is no letter."""
    honors_labels: bool = False
    """Whether what is scraped decides over `job` and `instance` itself (a Pushgateway, a federation)."""
    discovered: tuple[Target, ...] = ()
    """The hosts whose addresses `dns_sd_configs` asks for."""
    modules: tuple[PathPattern, ...] = ()
    """The modules that `params` tells the exporter to probe with."""
    authenticates: bool = False
    """Whether it sends a password, a token or a certificate."""
    rewrites_targets: bool = False
    """Whether what an exporter is asked to probe is another text than the target (`https://$1`)."""


class ProbeModule(Struct, frozen=True):
    """A module of blackbox_exporter's configuration; `prober` is `http`, `tcp`, `icmp`, `dns` or `grpc`."""

    file: str
    name: str
    prober: str
    location: Location


class PrometheusCall(Struct, frozen=True):
    """A request to Prometheus that it only takes if an option says so; `path` is `/-/reload`, `/api/v1/write` …"""

    path: str
    host: str
    port: str
    location: Location


class WebLogin(Struct, frozen=True):
    """A file by which Prometheus, Alertmanager or an exporter (`--web.config.file`) asks everybody for a password."""

    file: str
    location: Location


class PrometheusConfig(Struct, frozen=True):
    """A Prometheus configuration file."""

    file: str
    rule_files: tuple[PathPattern, ...]
    alertmanagers: tuple[Target, ...]
    external_labels: tuple[tuple[str, str], ...]
    remote_write: bool
    location: Location
    alertmanager_discovery: tuple[str, ...] = ()
    """The mechanisms that find alertmanagers beside the static ones."""
    scrape_config_files: tuple[PathPattern, ...] = ()
    interval: float = 60
    """The seconds from one scrape to the next of the jobs that say nothing else."""
    timeout: PathPattern | None = None
    """How long jobs wait for an answer, where the global settings say so."""
    foreign: tuple[PathPattern, ...] = ()
    """The fields that no release of Prometheus knows, by their path (`storage.tsdb.retention_time`)."""


class Ratio(Struct, frozen=True):
    """A division in a query whose two metrics nothing aggregates, so that series match by all their labels."""

    left: str
    right: str
    of_itself: bool
    """Whether each series of the left side is divided by itself."""
    kept_from_zero: bool = False
    """Whether the divisor is given a trifle, so that it is never zero."""


class Labels(Struct, frozen=True):
    """The labels of a vector: those that an aggregation leaves if it is `known`, else whatever the metric has."""

    known: bool = False
    names: tuple[str, ...] = ()
    metric: str = ""


class Join(Struct, frozen=True):
    """An operation on two vectors whose series have to match by all their labels."""

    operator: str
    left: Labels
    right: Labels


class QuantileLimit(Struct, frozen=True):
    """A number above which a quantile of a histogram is looked for, or a metric that may record one."""

    histogram: str
    recorded: str
    operator: str
    number: float


class ShareLimit(Struct, frozen=True):
    """A comparison of a share of a whole, which is never above `most` (1, or 100 of a percentage), with a number."""

    most: int
    operator: str
    number: float


class Query(Struct, frozen=True):
    """A PromQL expression, taken apart. `error` says why it could not be; then the rest is empty."""

    expression: str
    metrics: tuple[str, ...]
    matchers: tuple[LabelMatcher, ...]
    error: str = ""
    location: Location | None = None
    """Where the expression stands."""
    ratios: tuple[Ratio, ...] = ()
    thin: tuple[str, ...] = ()
    """The counters of which it holds one part against all, where nothing in it asks how many there were."""
    floors_rate: bool = False
    """Whether it divides by a rate for which it takes at least one a second (`clamp_min(rate(…), 1)`)."""
    grown: tuple[str, ...] = ()
    """The metrics whose growth it asks for (`rate`, `increase`), as counters have one."""
    exceeded: tuple[str, ...] = ()
    """The metrics that it asks as they stand whether they are above a number."""
    joins: tuple[Join, ...] = ()
    """Its operations on two vectors without `on`, of whose labels something is known."""
    labels: Labels = Labels()
    """Those of what it gives."""
    quantile: str = ""
    """The histogram of which it is a quantile, and nothing more."""
    limits: tuple[QuantileLimit, ...] = ()
    """What it holds quantiles against."""
    shares: tuple[ShareLimit, ...] = ()
    """What it holds shares of a whole against."""
    windows: tuple[tuple[str, float], ...] = ()
    """The metrics whose growth it asks for, each with the seconds within which."""


class AlertRule(Struct, frozen=True):
    """A rule of a rule file; `kind` is `alert` or `record`."""

    file: str
    group: str
    kind: str
    name: str
    query: Query
    duration: str
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    location: Location
    expression_location: Location


LOKI_NO_DELETE_STORE = "retention without delete_request_store"
LOKI_OLD_SCHEMA = "structured metadata with an older schema"
