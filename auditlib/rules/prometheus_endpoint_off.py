"""Something calls Prometheus in a way that it is not told to allow.

Prometheus answers 403 or 404 to a request to reload, to samples that others write to it and to its administration,
unless an option opens each of them. A script goes on as if the new alerts were loaded; what a collector or Tempo writes
is lost.

Anti-pattern:

    # compose.yaml
    prometheus:
      image: prom/prometheus:v3.0.0
      command: ["--config.file=/etc/prometheus/prometheus.yml"]
    # deploy.sh
    curl -X POST http://localhost:9090/-/reload      # 403: Lifecycle API is not enabled

Better:

    command: ["--config.file=/etc/prometheus/prometheus.yml", "--web.enable-lifecycle"]

Recommendation:

    Give Prometheus the option, in a network where only those who need it reach the port, or do without the call.

References:

- https://prometheus.io/docs/prometheus/latest/management_api/#reload
- https://prometheus.io/docs/prometheus/latest/querying/api/#remote-write-receiver
- https://prometheus.io/docs/prometheus/latest/querying/api/#tsdb-admin-apis
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PrometheusCall
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


class _Endpoint(Struct, frozen=True):
    """What a path is for, the option that opens it, words of options that open it, and what follows without one."""

    does: str
    option: str
    words: tuple[str, ...]
    effect: str
    instead: str = ""


_ENDPOINTS = {
    "/-/reload": _Endpoint(
        "has Prometheus read its configuration again", "--web.enable-lifecycle", ("enable-lifecycle",),
        "it answers 403 and keeps the configuration that it started with", "kill -s HUP",
    ),
    "/api/v1/write": _Endpoint(
        "writes samples to Prometheus", "--web.enable-remote-write-receiver", ("remote-write-receiver",),
        "it answers 404, and the samples are lost",
    ),
    "/api/v1/otlp": _Endpoint(
        "writes metrics to Prometheus", "--web.enable-otlp-receiver", ("otlp-receiver", "otlp-write-receiver"),
        "it answers 404, and the metrics are lost",
    ),
    "/api/v1/admin/tsdb": _Endpoint(
        "administers the data of Prometheus", "--web.enable-admin-api", ("enable-admin-api",),
        "it answers that the administration is disabled, and no snapshot is made",
    ),
}  # fmt: skip
_LOCAL = frozenset({"localhost", "127.0.0.1", "0.0.0.0"})  # noqa: S104
_IMAGES = frozenset({"prom/prometheus", "prometheus/prometheus", "bitnami/prometheus", "ubuntu/prometheus"})
_PORT = "9090"


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each kind of call that no Prometheus which it may reach is told to take, its places."""
    found: defaultdict[str, list[PrometheusCall]] = defaultdict(list)
    for call in inventory.prometheus_calls:
        if not (_is_document(call) and _tells(inventory, call)):
            found[call.path].append(call)
    running = [item for item in inventory.distinct_services if _is_prometheus(item)] if found else []
    for path, calls in found.items():
        closed = [item for item in running if not _is_open(inventory, item, _ENDPOINTS[path])]
        meant = [call for call in calls if (asked := _asked(running, call)) and all(item in closed for item in asked)]
        if meant:
            service = _asked(running, meant[0])[0]
            yield _evidence(inventory, service, _ENDPOINTS[path], sorted(meant, key=_is_document))


def _is_prometheus(service: Service) -> bool:
    return images.repository(service.image) in _IMAGES and not service.build and not service.configs


def _is_open(inventory: Inventory, service: Service, endpoint: _Endpoint) -> bool:
    """Whether an option opens it, here or in an overlay; what a variable or a script says isn't known."""
    words = [word for version in inventory.versions(service) for word in (*version.command, *version.entrypoint)]
    unknown = bool(service.entrypoint) or any("$" in word for word in words if not word.startswith("--storage"))
    return unknown or any(each in word for word in words for each in endpoint.words)


def _asked(running: list[Service], call: PrometheusCall) -> list[Service]:
    """The services that a call may reach: the one that its host names, or those behind a port of the host."""
    named = [item for item in running if call.host in (item.name, item.container_name) and call.port == _PORT]
    if named or call.host in {item.name for item in running}:
        return named
    if call.host not in _LOCAL and call.host[0] not in "<$":
        return []
    published = [item for item in running if any(call.port == port.host_port for port in item.ports)]
    return published or [item for item in running if call.port == _PORT and call.host in _LOCAL]


def _is_document(call: PrometheusCall) -> bool:
    return call.location.file.lower().endswith(".md")


def _tells(inventory: Inventory, call: PrometheusCall) -> bool:
    """Whether a document names the option that its call needs, and so tells people to set it."""
    words = _ENDPOINTS[call.path].words
    documents = (item for item in inventory.documents if item.path == call.location.file)
    return any(document.names(word) for document in documents for word in words)


def _option(service: Service, endpoint: _Endpoint) -> str:
    """The option in the release that a service runs."""
    old = images.tag(service.image).removeprefix("v").startswith(("2.", "1."))
    return "--enable-feature=otlp-write-receiver" if old and "otlp" in endpoint.option else endpoint.option


def _evidence(inventory: Inventory, service: Service, endpoint: _Endpoint, calls: list[PrometheusCall]) -> Evidence:
    first, *others = calls
    quiet = _is_document(first) or environments.only_for_development(service)
    files = listed(dict.fromkeys(item.location.file for item in calls), limit=3)
    return Evidence(
        f"In {files} something {endpoint.does} by {first.path}, and {service.name} isn't started with "
        f"`{_option(service, endpoint)}`: {endpoint.effect}.",
        first.location,
        subject=f"{service.name}{first.path}",
        service=service.name,
        related=(
            *(Related(item.location, "another such call", member=True) for item in others),
            Related(service.command_location or service.location, f"how {service.name} is started"),
        ),
        recommendation=_advice(service, endpoint),
        severity=Severity.LOW if quiet else None,
        example=compose_lines.of_service(service, f"command:\n{_options(service)}  - {_option(service, endpoint)}"),
    )


def _advice(service: Service, endpoint: _Endpoint) -> str:
    instead = f", or use `docker compose {endpoint.instead} {service.name}`" if endpoint.instead else ""
    return f"Start {service.name} with `{_option(service, endpoint)}`{instead}."


def _options(service: Service) -> str:
    """The options so far; those that the image starts with where Compose gives none."""
    home = "/opt/bitnami/prometheus" if "bitnami" in service.image else ""
    said = service.command or (
        (f"--config.file={home}/conf/prometheus.yml", f"--storage.tsdb.path={home}/data")
        if home
        else ("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus")
    )
    return "".join(f"  - {word}\n" for word in said)
