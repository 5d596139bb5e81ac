"""Records of logs: how code writes them, what ships them, and what keeps them."""

from __future__ import annotations

from msgspec import Struct

from auditlib.inventory.monitoring import PathPattern
from auditlib.model import Location


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
    twice: tuple[PathPattern, ...] = ()
    """The path and the discovery by which Promtail reads the logs of the same containers, if it does so by two jobs."""
    kept: PathPattern | None = None
    """The names of Compose's services to which Promtail's one job for containers keeps itself (`api|web`)."""
    port: PathPattern | None = None
    """The port at which Loki and Promtail serve their own metrics, where the configuration says one."""
    unwrapped: tuple[PathPattern, ...] = ()
    """The stages of Promtail that take Docker's JSON apart where Docker's discovery gives the bare lines."""


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
    metadata: bool | None = None
    """Whether lines may have structured metadata; None where the release decides."""
