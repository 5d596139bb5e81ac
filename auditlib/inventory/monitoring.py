"""Records of Prometheus, Alertmanager, Grafana and log shippers."""

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


class LogHabit(Struct, frozen=True):
    """Code that says how a program logs: `kind` is `sql` for every statement, `terminal` for lines made for people,
    `personal` for personal data that an error tracker gets.
    """

    kind: str
    product: str
    """Whose setting it is: `GORM`, `zerolog` …"""
    source: str
    """What it says, as the code writes it."""
    location: Location


class OtlpExporter(Struct, frozen=True):
    """Code that gives an exporter of OTLP over HTTP a variable as its whole address; `signal` is `traces` …"""

    signal: str
    variable: str
    default: str
    """What it takes where the variable isn't set, if the code spells that; empty for nothing."""
    location: Location


class CoarseHistogram(Struct, frozen=True):
    """A histogram of seconds that code makes by OpenTelemetry with the bounds which that has for milliseconds."""

    name: str
    location: Location


class OtelInstrument(Struct, frozen=True):
    """What code measures by OpenTelemetry and exports for Prometheus under a name with its unit and kind."""

    name: str
    exported: str
    kind: str
    """`counter`, `gauge`, `histogram` or `updowncounter`."""
    unit: str
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
    proxy: Target | None = None
    """The exporter that is scraped in the place of the targets, which it probes (blackbox, snmp)."""
    discovery_files: tuple[PathPattern, ...] = ()
    """The files of `file_sd_configs`; the targets of those in the repository are among `targets`."""
    honors_labels: bool = False
    """Whether what is scraped decides over `job` and `instance` itself (a Pushgateway, a federation)."""
    discovered: tuple[Target, ...] = ()
    """The hosts whose addresses `dns_sd_configs` asks for."""
    modules: tuple[PathPattern, ...] = ()
    """The modules that `params` tells the exporter to probe with."""
    authenticates: bool = False
    """Whether it sends a password, a token or a certificate."""


class ProbeModule(Struct, frozen=True):
    """A module of blackbox_exporter's configuration; `prober` is `http`, `tcp`, `icmp`, `dns` or `grpc`."""

    file: str
    name: str
    prober: str
    location: Location


class CollectorPart(Struct, frozen=True):
    """A component that an OpenTelemetry Collector's configuration sets up: `section` is `exporters`, `receivers` …;
    `kind` is its type, without the name that may follow a slash.
    """

    section: str
    kind: str
    location: Location


class MissingStage(Struct, frozen=True):
    """A stage that a pipeline of telemetry (of the collector, Vector or Alloy) names and the file doesn't define."""

    program: str
    asked_by: str
    """What names it, in words: `The pipeline traces`."""
    kind: str
    """`receiver`, `processor`, `exporter`, `extension`, `source or transform` …"""
    name: str
    defined: tuple[str, ...]
    """The stages of this kind that the file defines."""
    location: Location


class IdleStage(Struct, frozen=True):
    """A stage of a pipeline of telemetry that is set up, and that nothing passes anything to or takes from."""

    program: str
    kind: str
    name: str
    location: Location


class OtlpListener(Struct, frozen=True):
    """Where a collector or Tempo listens for telemetry; `endpoint` is empty where its configuration names none."""

    program: str
    """`collector` or `Tempo`."""
    receiver: str
    protocol: str
    endpoint: str
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


class LabelMatcher(Struct, frozen=True):
    """`name`, `operator` (`=`, `!=`, `=~`, `!~`) and `value` of a matcher, in PromQL or in a route."""

    name: str
    operator: str
    value: str


class Ratio(Struct, frozen=True):
    """A division in a query whose two metrics nothing aggregates, so that series match by all their labels."""

    left: str
    right: str
    of_itself: bool
    """Whether each series of the left side is divided by itself."""


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


class Integration(Struct, frozen=True):
    """One way in which a receiver reaches someone: `kind` is `email`, `slack`, `webhook` …; the endpoint is masked."""

    kind: str
    endpoint: str
    host: str
    """The host of the endpoint's URL, or of the mail server; empty where there is none."""
    placeholder: bool
    location: Location
    endpoint_location: Location | None = None
    """Where the endpoint stands, in the receiver or in the global settings; None if there is no endpoint at all."""
    foreign_fields: tuple[tuple[str, Location], ...] = ()
    """The fields that no version of Alertmanager has in such an integration, with their places."""
    lacks_password: bool = False
    """Whether the mail server's user has an empty password."""
    host_location: Location | None = None
    """Where the host stands; of mail often in the global settings."""
    credential_variables: tuple[tuple[str, Location], ...] = ()
    """The variables (`${TOKEN}`) that stand in the place of a password or token of its requests."""
    address_variables: tuple[tuple[str, Location], ...] = ()
    """The variables in the address of the mail server and of the sender."""


class Receiver(Struct, frozen=True):
    """A receiver of Alertmanager."""

    file: str
    name: str
    integrations: tuple[Integration, ...]
    location: Location
    explained: bool = False
    """Whether a comment of the file speaks of receivers and the like, so that an empty one is no oversight."""


class Route(Struct, frozen=True):
    """A node of Alertmanager's routing tree, in depth-first order; the root has depth 0."""

    file: str
    receiver: str
    """Inherited from the parent where the file gives none."""
    matchers: tuple[LabelMatcher, ...]
    depth: int
    continues: bool
    location: Location
    blank: str = ""
    """The key of matchers (`match_re`) that stands there with nothing after its colon."""


class AlertmanagerRefusal(Struct, frozen=True):
    """Something for which Alertmanager refuses its configuration; `key` is where it stands, `what` what is wrong."""

    file: str
    key: str
    what: str
    location: Location
    placeholder: bool = False
    """Whether a placeholder is what is wrong."""
    known: tuple[str, ...] = ()
    """The names that could be meant."""


class TemplateUse(Struct, frozen=True):
    """A template of notifications that a receiver names and that Alertmanager doesn't bring itself."""

    file: str
    receiver: str
    name: str
    patterns: tuple[str, ...]
    """The paths in which the configuration has templates looked for."""
    defined_in: tuple[str, ...]
    """The files of the repository that define it."""
    location: Location


class InhibitRule(Struct, frozen=True):
    """A rule of Alertmanager by which one alert keeps another quiet; `equal` are the labels that both must share."""

    file: str
    source: tuple[LabelMatcher, ...]
    target: tuple[LabelMatcher, ...]
    equal: tuple[str, ...]
    location: Location


class Datasource(Struct, frozen=True):
    """A provisioned data source of Grafana."""

    file: str
    name: str
    type: str
    uid: str
    url: str
    default: bool
    location: Location
    foreign_fields: tuple[tuple[str, Location], ...] = ()
    """The fields of the format's other version, which Grafana passes over, with their places."""
    organisation: str = "1"
    user: str = ""
    """Whom it logs in as."""
    database: str = ""
    links: tuple[tuple[str, str, Location], ...] = ()
    """The data sources that it leads to (`derivedFields`, `tracesToLogsV2`): the field, the identifier, the place."""


class DashboardProvider(Struct, frozen=True):
    """Where Grafana looks for dashboards, as a path inside its container."""

    file: str
    name: str
    path: str
    location: Location
    organisation: str = "1"


class Panel(Struct, frozen=True):
    """A panel of a dashboard with the queries of one data source (name, uid, or variable; empty for the default)."""

    title: str
    datasource: str
    datasource_type: str
    queries: tuple[Query, ...]
    location: Location


class Dashboard(Struct, frozen=True):
    """A dashboard as JSON."""

    file: str
    title: str
    uid: str
    panels: tuple[Panel, ...]
    location: Location
    variables: tuple[DashboardVariable, ...] = ()
    below: str = ""
    """The key that all of it stands below, if any: `dashboard`, as Grafana's API takes it and no provider does."""


class DashboardVariable(Struct, frozen=True):
    """A template variable of a dashboard; `kind` is `query`, `datasource`, `custom` …, or `input` for an import's."""

    name: str
    kind: str
    query: Query | None
    """The expression that gives the values of a Prometheus variable."""
    datasource: str
    datasource_type: str
    """Of `datasource` and `input` the type of the data sources to choose from."""
    location: Location


class LogShipper(Struct, frozen=True):
    """A configuration that collects or stores logs: Loki, Promtail, Alloy, Fluent Bit, Vector, Filebeat, Logstash."""

    file: str
    kind: str
    sources: tuple[PathPattern, ...]
    sinks: tuple[str, ...]
    location: Location
    folders: tuple[PathPattern, ...] = ()
    """The folders in which Loki keeps what it stores, where its configuration names any."""
    positions: PathPattern | None = None
    """The file in which Promtail remembers how far it has read, where its configuration names one."""
    sockets: tuple[PathPattern, ...] = ()
    """The sockets of Docker that it asks for containers, by their paths."""
    names_tenant: bool = False
    """Whether it says for which tenant of Loki its logs are."""


class UnknownParser(Struct, frozen=True):
    """A parser that an input or a filter of Fluent Bit names in a configuration that reads no file of parsers."""

    file: str
    name: str
    location: Location


class LogLabel(Struct, frozen=True):
    """A label of Loki, or a metric, that a stage of Promtail or Alloy makes of a value of each line."""

    file: str
    name: str
    source: str
    """The value that it is made of."""
    extracted: bool
    """Whether a stage before takes that value out of the line, as far as the file tells."""
    metric: bool
    """Whether it is a metric, which costs no series of its own for each value."""
    location: Location


class LokiSettings(Struct, frozen=True):
    """What a configuration of Loki says of logins and of how long logs are kept."""

    file: str
    asks_for_tenant: bool
    """Whether requests must name a tenant, as without `auth_enabled: false`."""
    deletes: bool
    """Whether something deletes old logs."""
    period: PathPattern | None
    """How long logs are to be kept, where that is said."""
    in_files: bool
    """Whether it keeps logs in files, not in a bucket."""
    has_schema: bool
    location: Location
    switched_off: Location | None = None
    """Where it says expressly that nothing deletes old logs."""
    refused: tuple[tuple[str, Location], ...] = ()
    """What release 3 refuses: fields that it has no more, as `compactor.shared_store`, and the words of `LOKI_…`."""


LOKI_NO_DELETE_STORE = "retention without delete_request_store"
LOKI_OLD_SCHEMA = "structured metadata with an older schema"
