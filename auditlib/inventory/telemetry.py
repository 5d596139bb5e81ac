"""Records of OpenTelemetry, and of pipelines built of stages: what code sends, and what takes it."""

from __future__ import annotations

from msgspec import Struct

from auditlib.model import Location


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


class CollectorPart(Struct, frozen=True):
    """A component that an OpenTelemetry Collector's configuration sets up: `section` is `exporters`, `receivers` …, or
    `pipelines`; `kind` is its type, without the name that may follow a slash, and of a pipeline what it carries.
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
