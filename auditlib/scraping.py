"""What Prometheus collects: the sources of metrics behind its scrape jobs, and whether an application gives any.

Sources: https://prometheus.io/docs/instrumenting/clientlibs/ and the libraries' own documentation.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from auditlib.conventions import deployment, exporters, images, monitoring, mounts, programs, services
from auditlib.conventions import peers as peers_of
from auditlib.conventions.exporters import Exporter
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Manifest, Requirement
from auditlib.inventory.monitoring import CLIENT_LIBRARIES, PrometheusConfig, ScrapeJob, Target
from auditlib.inventory.stack import Endpoint, Service
from auditlib.patterns import regex

_INSTRUMENTATION = regex(r"prom(?:etheus|-client|-bundle)|metrics|opentelemetry|micrometer|statsd|instrumentator")
_OF_HOST = frozenset({"host.docker.internal", "host.containers.internal", "172.17.0.1"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_UNREAD = tuple(ending for ending in programs.OTHER_LANGUAGES if ending != ".go")
"""Code in whose files no metrics are looked for."""
_KINDS = frozenset({"", "api", "app", "backend", "server", "service"})
_BARE_NAME = regex(r"(?!gateway$|host$)[a-z][a-z0-9_-]+")
_FOLLOWED = frozenset({"dns_sd_configs", "file_sd_configs"})


class MetricSource(Struct, frozen=True):
    """One thing that is scraped. `exporter` is what it is, as far as known; `silent` if it gives no metrics at all.

    Of what runs on a host outside the repository (`foreign`) nobody knows more than its job's name and its port tell.
    """

    job: ScrapeJob
    target: Target
    service: Service | None
    exporter: Exporter | None
    silent: bool = False
    foreign: bool = False

    def gives(self, wanted: Exporter) -> bool:
        """Whether it may give the metrics of `wanted`."""
        if self.silent or self.foreign:
            return self.foreign
        return not wanted.own if self.exporter is None else self.exporter == wanted or self._relays(wanted)

    def might_give(self, wanted: Exporter) -> bool:
        """Whether somebody could arrange that it gives them: by pushing to it, or by writing a file."""
        return self.gives(wanted) or bool(self.exporter and self.exporter.relays) or self._reads_files()

    def _relays(self, wanted: Exporter) -> bool:
        return not wanted.own and bool((self.exporter and self.exporter.relays) or self._reads_files())

    def _reads_files(self) -> bool:
        return self.service is not None and "textfile" in " ".join(self.service.command)


def is_open(job: ScrapeJob) -> bool:
    """Whether a job finds targets that the files don't name."""
    unfollowed = any(name not in _FOLLOWED for name in job.discovery)
    elsewhere = job.discovery_files and not job.targets
    return bool(unfollowed or elsewhere or job.metrics_path == "/federate") or monitoring.is_template(
        job.file, *(target.host for target in job.targets)
    )


def sources(inventory: Inventory, graph: DependencyGraph, found: Iterable[ScrapeJob]) -> Iterator[MetricSource]:
    """What the jobs scrape; of a probe the exporter that does it."""
    for job in found:
        for target in (job.proxy,) if job.proxy else (*job.targets, *job.discovered):
            service = service_at(inventory, graph, job, target)
            if service is None:
                guess = exporters.of_host("prometheus" if is_own(target) else target.host, target.port)
                guess = guess or exporters.of_host(job.name, "")
                yield MetricSource(job, target, None, guess, foreign=guess is None and "." in target.host)
            else:
                exporter = _exporter(inventory, service)
                silent = exporter is None and exposes(inventory, service, job.metrics_path) is False
                yield MetricSource(job, target, service, exporter, silent)


def service_at(inventory: Inventory, graph: DependencyGraph, job: ScrapeJob, target: Target) -> Service | None:
    """The service that a target is."""
    return service_named(inventory, graph, target.host, target.port, job.file)


def service_named(
    inventory: Inventory, graph: DependencyGraph, host: str, port: str = "", near: str = "", project: str | None = None
) -> Service | None:
    """The service that a host name leads to, as the file `near` means it, or seen from a project."""
    node = graph.hosts.resolve(host, project, port, near) if host else None
    return service_of(inventory, graph, node) if node else None


def service_of(inventory: Inventory, graph: DependencyGraph, node: str) -> Service | None:
    """The record of a service's node."""
    data = graph.nodes[node]
    return inventory.services_of(data["project"]).get(data["name"]) if data["kind"] == "service" else None


def peers(inventory: Inventory, graph: DependencyGraph, service: Service) -> Iterator[Service]:
    """The services that a service needs, or whose addresses it is given: of an exporter what it tells about."""
    node = graph.service(service.project, service.name)
    for edge in graph.edges_from(node, "depends_on") if node else ():
        if peer := service_of(inventory, graph, edge.target):
            yield peer


def is_own(target: Target) -> bool:
    """Whether a target is the Prometheus itself that scrapes it."""
    return target.host in _LOCAL and target.port in ("9090", "")


def watched(inventory: Inventory, graph: DependencyGraph, found: Iterable[ScrapeJob]) -> set[str]:
    """The keys of the services that jobs name as targets, those that a probe asks among them."""
    ends = ((job, target) for job in found for target in (*job.targets, *job.discovered))
    return {service.key for job, target in ends if (service := service_at(inventory, graph, job, target))}


def asked_from_outside(inventory: Inventory, graph: DependencyGraph, found: Iterable[ScrapeJob]) -> set[str]:
    """The keys of the services that jobs may ask under the name of their host, by a port that is published there."""
    ends = ((job, target) for job in found for target in job.targets if not is_own(target))
    ports = {
        target.port
        for job, target in ends
        if target.port and (target.host in _OF_HOST or not service_at(inventory, graph, job, target))
    }
    return {item.key for item in inventory.services if any(port.host_port in ports for port in item.ports)}


def _exporter(inventory: Inventory, service: Service) -> Exporter | None:
    found = exporters.of_image(service.image) if service.build is None else None
    product = services.product(inventory, service) if found is None else None
    if found or product is None:
        return found
    known = exporters.of_host(product.name, "")
    own_metrics_only = Exporter(product.name, "", ()) if product.kind in services.DATASTORES else None
    return known or own_metrics_only


def exposes(inventory: Inventory, service: Service, path: str) -> bool | None:
    """Whether an application that the repository builds answers at a metrics path; None where that can't be told."""
    folder = code_folder(inventory, service)
    if folder is None:
        return None
    manifests = [item for item in inventory.manifests if _belongs(item, folder) and item.requirements]
    routes = [item for item in inventory.web_routes if mounts.is_below(item.location.file, folder)]
    if any(item.path.rstrip("/") == path.rstrip("/") for item in routes):
        return True
    installed = _installed(inventory, service) if not manifests else ()
    if not (manifests or installed) or not routes:
        return None
    if any(path.endswith(programs.OTHER_LANGUAGES) and mounts.is_below(path, folder) for path in inventory.files):
        return None
    needed = [*(need.name for item in manifests for need in item.requirements), *installed]
    giving = {name for name in needed if _INSTRUMENTATION.search(name)}
    instrumented = giving - {need.name for need in idle_libraries(inventory, folder)}
    return None if instrumented or any("*" in item.path or item.path == "/{path}" for item in routes) else False


def _installed(inventory: Inventory, service: Service) -> tuple[str, ...]:
    """The packages that a Dockerfile has pip install by name; none if it takes any from a file."""
    found = services.dockerfile(inventory, service)
    lines = [command.words for item in (found.instructions if found else ()) for command in item.commands]
    pip = [words for words in lines if {"pip", "pip3"} & set(words[:3]) and "install" in words]
    if any(word.startswith(("-r", "--requirement", ".", "/")) for words in pip for word in words):
        return ()
    return tuple(word.lower() for words in pip for word in words[words.index("install") + 1 :] if word[:1].isalnum())


def idle_libraries(inventory: Inventory, folder: str) -> list[Requirement]:
    """The client libraries that the manifests of a folder list, and that no code in it names."""
    used = {item.library for item in inventory.instrumentations if mounts.is_below(item.location.file, folder)}
    return [
        need
        for item in inventory.manifests
        if _belongs(item, folder)
        for need in item.requirements
        if need.name in CLIENT_LIBRARIES and CLIENT_LIBRARIES[need.name] not in used
    ]


def code_folder(inventory: Inventory, service: Service) -> str | None:
    """The folder of the code that a service's image is built of; empty for the root, None if it isn't built here."""
    if service.build is None or service.build.outside:
        return None
    context = posixpath.normpath(service.build.context or ".")
    if context != ".":
        return context
    found = services.dockerfile(inventory, service)
    return _with_manifest(inventory, posixpath.dirname(found.path)) if found else ""


def _with_manifest(inventory: Inventory, folder: str) -> str:
    """The nearest folder above a Dockerfile that lists dependencies, since `app/docker/Dockerfile` builds `app`."""
    known = {posixpath.dirname(item.path) for item in inventory.manifests if _belongs(item, "") and item.requirements}
    candidate = folder
    while candidate and candidate not in known:
        candidate = posixpath.dirname(candidate)
    return candidate if candidate in known else folder


def _belongs(manifest: Manifest, folder: str) -> bool:
    return manifest.kind in ("python", "npm") and mounts.is_below(manifest.path, folder)


class Gap(Struct, frozen=True):
    """Metrics that nothing scraped gives. Not `sure` if somebody may push them to a gateway that is scraped."""

    exporter: Exporter
    metrics: tuple[str, ...]
    sure: bool


def all_sources(
    inventory: Inventory, graph: DependencyGraph, configs: Iterable[PrometheusConfig]
) -> list[MetricSource] | None:
    """What is scraped by these configurations; None if the files don't name all of it."""
    found = monitoring.jobs(inventory, configs)
    if not found or any(is_open(job) for job in found) or any(c.scrape_config_files for c in configs):
        return None
    return list(sources(inventory, graph, found))


def gaps(inventory: Inventory, found: list[MetricSource] | None, metrics: Iterable[str]) -> list[Gap]:
    """The metrics that none of the scraped sources gives, by what would; none if the sources aren't all known."""
    if found is None:
        return []
    recorded = {item.name for item in inventory.alert_rules if item.kind == "record"}
    wanted: dict[Exporter, list[str]] = {}
    for metric in metrics:
        exporter = exporters.of_metric(metric)
        if exporter and metric not in recorded and not any(source.gives(exporter) for source in found):
            wanted.setdefault(exporter, []).append(metric)
    return [
        Gap(exporter, tuple(dict.fromkeys(names)), not any(source.might_give(exporter) for source in found))
        for exporter, names in wanted.items()
    ]


def unrecorded(inventory: Inventory, configs: Iterable[PrometheusConfig], metrics: Iterable[str]) -> tuple[str, ...]:
    """The metrics that by their name (`job:requests:rate5m`) a rule records, though none of the rule files does.

    None if rules may come from elsewhere: from files that the repository lacks, or from another Prometheus.
    """
    found = tuple(configs)
    patterns = [pattern for config in found for pattern in monitoring.rule_patterns(inventory, config)]
    absent = any(not any(fnmatchcase(file, pattern) for file in inventory.files) for pattern in patterns)
    federated = any(job.metrics_path == "/federate" or job.honors_labels for job in monitoring.jobs(inventory, found))
    if not found or absent or federated:
        return ()
    recorded = {item.name for item in inventory.alert_rules if item.kind == "record"}
    return tuple(dict.fromkeys(metric for metric in metrics if ":" in metric and metric not in recorded))


_BY_THEMSELVES = regex(
    r"up$|ALERTS|scrape_|target_info$|(?:\w+_)?(?:process|nodejs|python|go|promhttp|prometheus)_|"
    r"(?:grpc|gorm|prisma|celery|rq|kafka|temporal|bullmq|sql|otel)_"
)
"""What client libraries give of themselves, under a prefix too, and the plug-ins of other libraries."""


def unmade(inventory: Inventory, found: list[MetricSource] | None, metrics: Iterable[str]) -> tuple[str, ...]:
    """The metrics that no program makes whose code is here, where all code spells the names of its metrics.

    None where what is scraped isn't all known; what an image of others may give by its name is left out.
    """
    made = {series for item in inventory.own_metrics for series in series_of(item.name)}
    spelt = all(item.name for item in inventory.own_metrics)
    if not made or not spelt or found is None or any(path.endswith(_UNREAD) for path in inventory.files):
        return ()
    if any(_may_give_anything(inventory, source) for source in found):
        return ()
    words = {word for source in found if source.exporter is None for word in _words(source)}
    recorded = {item.name for item in inventory.alert_rules if item.kind == "record"}
    return tuple(
        metric
        for metric in dict.fromkeys(metrics)
        if metric not in made | recorded
        and ":" not in metric
        and metric.partition("_")[0] not in words
        and not _BY_THEMSELVES.match(metric)
        and exporters.of_metric(metric) is None
    )


def series_of(name: str) -> tuple[str, ...]:
    """What the series of a metric may be called; of one without a known name none."""
    return (name, *(f"{name}_{end}" for end in ("total", "count", "sum", "bucket", "created", "info"))) if name else ()


def _may_give_anything(inventory: Inventory, source: MetricSource) -> bool:
    """Whether nobody knows what a source gives: it relays what others send, or runs code that isn't here."""
    service = source.service
    if source.exporter is None and service is None and source.target.host in _LOCAL | _OF_HOST:
        return not any(_is_named_after(source.job.name, item.name) for item in inventory.manifests)
    if source.exporter is not None:
        return source.exporter.relays
    if service is None:
        return not _leads_nowhere(inventory, source)
    if service.build is not None:
        return service.build.outside
    own = {item.image for item in inventory.services if item.image and item.build and not item.build.outside}
    owner, _, name = images.repository(service.image).rpartition("/")
    published = owner.rpartition("/")[2] == name  # `ollama/ollama`, by those who make it
    return service.image not in own and services.product(inventory, service) is None and not published


def _leads_nowhere(inventory: Inventory, source: MetricSource) -> bool:
    """Whether a target is a bare name that nobody answers to in the networks of the Prometheus that Compose runs."""
    end = Endpoint("", source.target.host, source.target.port)
    running = monitoring.runners(inventory, source.job.file)
    known = any(peers_of.may_be_known(inventory, item, end) for item in running)
    bare = _BARE_NAME.fullmatch(end.host) is not None
    return bare and bool(running) and not known and not deployment.orchestrator_files(inventory)


def _is_named_after(job: str, name: str) -> bool:
    """Whether a job asks the program that a manifest is of: `acme-shop-server` for `acme-shop-backend`."""
    words = [[word for word in re.split(r"[^a-z0-9]+", text.lower()) if word not in _KINDS] for text in (job, name)]
    return len(words[0]) > 1 and words[0] == words[1]


def _words(source: MetricSource) -> list[str]:
    """The words by which a program of others may begin the names of its metrics; none of one that is built here."""
    if source.service is None or source.service.build is not None:
        return []
    text = f"{source.service.name} {source.service.image} {source.job.name}"
    return [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]
