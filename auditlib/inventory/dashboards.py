"""Records of Grafana: its data sources, and the dashboards with what they ask."""

from __future__ import annotations

from msgspec import Struct

from auditlib.inventory.monitoring import Query
from auditlib.model import Location


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
