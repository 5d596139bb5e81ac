"""Traces, metrics or logs are sent to an address at which nobody takes them.

OTLP has a port for gRPC (4317) and one for HTTP (4318), and over HTTP a path for each signal. The SDKs add `/v1/traces`
to OTEL_EXPORTER_OTLP_ENDPOINT, and to no other address: neither to OTEL_EXPORTER_OTLP_TRACES_ENDPOINT nor to the `url`
that code gives an exporter. What goes elsewhere is answered by 404 and lost; the application runs as if nothing were.

Anti-pattern:

    OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4317
    OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf          # at the port for gRPC

    new OTLPTraceExporter({ url: process.env.OTEL_EXPORTER_OTLP_ENDPOINT })     // http://collector:4318, without a path

Better:

    OTEL_EXPORTER_OTLP_ENDPOINT: http://collector:4318
    OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf

    new OTLPTraceExporter()                             // it reads the variable, and adds the path

Recommendation:

    Set OTEL_EXPORTER_OTLP_ENDPOINT to the port of the protocol, without a path, and leave the rest to the SDK.

References:

- https://opentelemetry.io/docs/specs/otel/protocol/exporter/
- https://opentelemetry.io/docs/languages/sdk-configuration/otlp-exporter/
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from urllib.parse import urlsplit

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.inventory.telemetry import OtlpExporter
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_VARIABLE = regex(r"OTEL_EXPORTER_OTLP_(?:(?P<signal>TRACES|METRICS|LOGS)_)?ENDPOINT")
_PREFIX = "OTEL_EXPORTER_OTLP_"
_BASE = f"{_PREFIX}ENDPOINT"
_GRPC, _HTTP = "4317", "4318"


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service whose variables name the wrong port or path, and each exporter that is given none at all."""
    read = {name for item in inventory.settings for name in (item.name, *item.aliases)}
    read |= {item.variable for item in inventory.otlp_exporters}
    for service in inventory.distinct_services:
        if any(entry.name.startswith(_PREFIX) for entry in service.environment):
            yield from _of_service(service, read)
    for exporter in inventory.otlp_exporters:
        if found := _of_code(inventory, exporter):
            yield found


def _of_service(service: Service, read: Collection[str]) -> Iterator[Evidence]:
    """The faults of a service's variables; what code does with one that it reads by itself nobody knows."""
    given = {entry.name: entry for entry in service.environment if entry.value}
    for name, entry in given.items():
        match = _VARIABLE.fullmatch(name)
        address = _address(_text(entry)) if match else None
        signal = match["signal"] or "" if match else ""
        if address and not (name in read or _is_off(given, signal)):
            protocol = _text(given.get(f"{_PREFIX}{signal}_PROTOCOL")) or _text(given.get(f"{_PREFIX}PROTOCOL"))
            if found := _fault(*address, signal, protocol):
                yield _evidence(service, entry, *found)


def _is_off(given: Mapping[str, EnvironmentEntry], signal: str) -> bool:
    """Whether the SDK, or what sends the signal, is switched off."""
    exporters = [f"OTEL_{name}_EXPORTER" for name in ((signal,) if signal else ("TRACES", "METRICS", "LOGS"))]
    off = _text(given.get("OTEL_SDK_DISABLED")).lower() == "true"
    return off or all(_text(given.get(name)).lower() == "none" for name in exporters)


def _text(entry: EnvironmentEntry | None) -> str:
    return entry.value.text.strip() if entry and entry.value else ""


def _address(written: str) -> tuple[str, str] | None:
    """The port and the path of an address; None for what isn't known."""
    try:
        found = urlsplit(written if "://" in written else f"//{written}")
        return (str(found.port or ""), found.path.rstrip("/")) if "$" not in written and found.hostname else None
    except ValueError:
        return None


def _fault(port: str, path: str, signal: str, protocol: str) -> tuple[str, str] | None:
    """What is wrong with an address, and what stands in its place."""
    if protocol.startswith("http/") and port == _GRPC:
        return f"says {protocol} and names port {_GRPC}, which takes gRPC", _HTTP
    if protocol == "grpc" and port == _HTTP:
        return f"says grpc and names port {_HTTP}, which takes HTTP", _GRPC
    over_http = protocol.startswith("http/") or (not protocol and port == _HTTP)
    if signal and over_http and not path:
        return f"names no path, which nothing adds to this variable: `/v1/{signal.lower()}`", ""
    if not signal and over_http and path.startswith("/v1/"):
        return f"ends in {path}, and the SDK adds the path of the signal to it once more", ""
    return None


def _evidence(service: Service, entry: EnvironmentEntry, what: str, port: str) -> Evidence:
    lines = f"environment:\n  {_BASE}: http://<the collector>:{port or _HTTP}"
    change = (f":{_GRPC if port == _HTTP else _HTTP}", f":{port}") if port else ("", "")
    return Evidence(
        f"{service.name}: {entry.name} {what}. What it sends is lost.",
        entry.location,
        subject=f"{service.name}/{entry.name}",
        service=service.name,
        recommendation=f"Correct {entry.name} of {service.name}, or set {_BASE} alone, without a path.",
        severity=Severity.LOW if environments.only_for_development(service) else None,
        change=change if change[0] in _text(entry) and entry.origin == "environment" else ("", ""),
        example=compose_lines.of_service(service, lines),
    )


def _of_code(inventory: Inventory, exporter: OtlpExporter) -> Evidence | None:
    """An exporter that is given an address without the path of its signal, by any value that the variable has here."""
    values = list(_values(inventory, exporter.variable))
    bare = [(text, place) for text, place in values if (address := _address(text)) and not address[1]]
    if not bare:
        return None
    text, place = bare[0]
    return Evidence(
        f"{exporter.location.file} gives its exporter {exporter.variable} as the whole address, and it is {text}: the "
        f"{exporter.signal} go to `/` instead of `/v1/{exporter.signal}`, are answered by 404 and lost.",
        exporter.location,
        subject=f"{exporter.location.file}/{exporter.variable}",
        related=(Related(place, f"{exporter.variable} has no path"),),
        recommendation=_advice(exporter),
        example=files.into(exporter.location.file, _lines(exporter)),
    )


def _advice(exporter: OtlpExporter) -> str:
    if exporter.variable == _BASE:
        return f"Take the address out of {exporter.location.file}: the SDK reads {_BASE}, and adds the path."
    return f"Add `/v1/{exporter.signal}` to the address in {exporter.location.file}."


def _lines(exporter: OtlpExporter) -> str:
    kind = exporter.signal.removesuffix("s").capitalize()
    if exporter.location.file.endswith(".py"):
        name = f"OTLP{'Span' if kind == 'Trace' else kind}Exporter"
        return f"{name}()  # reads {_BASE}" if exporter.variable == _BASE else (
            f'{name}(endpoint=os.environ["{exporter.variable}"] + "/v1/{exporter.signal}")'
        )  # fmt: skip
    name = f"new OTLP{kind}Exporter"
    return f"{name}()  // reads {_BASE}" if exporter.variable == _BASE else (
        f"{name}({{ url: `${{process.env.{exporter.variable}}}/v1/{exporter.signal}` }})"
    )  # fmt: skip


def _values(inventory: Inventory, name: str) -> Iterator[tuple[str, Location]]:
    """What Compose and the files of variables set a variable to."""
    for service in inventory.distinct_services:
        yield from ((_text(entry), entry.location) for entry in service.environment if entry.name == name)
    for file in inventory.env_files:
        yield from ((line.value.text, line.location) for line in file.lines if line.name == name and line.value)
