"""A probe of the blackbox exporter can't succeed, however well its target is.

A target that is always red hides those that are: plain HTTP at a port that speaks TLS, HTTP at a database, an address
that the prober can't read, or a module that its configuration doesn't have.

Anti-pattern:

    params: {module: [http_2xx]}
    static_configs:
      - targets: ["http://shop.example.com:443", "http://db:5432"]

Better:

    params: {module: [http_2xx]}
    static_configs: [{targets: ["https://shop.example.com"]}]
    # and a job with the module tcp_connect for db:5432

Recommendation:

    Give each target the prober that it understands: https for TLS, tcp for what isn't HTTP.

References:

- https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import exporters, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PathPattern, ScrapeJob, Target
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TLS = frozenset({"443", "8443"})
_OTHERS = {
    "22": "SSH", "25": "SMTP", "1433": "SQL Server", "3306": "MySQL", "5432": "PostgreSQL", "5672": "AMQP",
    "6379": "Redis", "11211": "Memcached", "27017": "MongoDB",
}  # fmt: skip
"""Ports at which nobody answers HTTP, by what listens there."""
_AS_SHIPPED = frozenset({
    "http_2xx", "http_post_2xx", "tcp_connect", "pop3s_banner", "grpc", "grpc_plain", "ssh_banner",
    "ssh_banner_extract", "irc_banner", "icmp", "icmp_ttl5",
})  # fmt: skip
"""The modules of the configuration that the image brings."""


_TCP = """- job_name: {name}
  metrics_path: /probe
  params: {{module: [tcp_connect]}}
  static_configs: [{{targets: ["{target}"]}}]
  relabel_configs:
    - {{source_labels: [__address__], target_label: __param_target}}
    - {{source_labels: [__param_target], target_label: instance}}
    - {{target_label: __address__, replacement: "{exporter}"}}"""
"""A job by which the blackbox exporter opens a connection."""
_MODULE = "modules:\n  tcp_connect:\n    prober: tcp\n    timeout: 5s"


class _Vain(Struct, frozen=True):
    """A target with the reason why a probe of it fails each time."""

    target: Target
    why: str
    certain: bool


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job that probes: with a module that no configuration has, or targets that its prober can't speak to."""
    probers = {item.name: item.prober for item in inventory.probe_modules}
    for job in inventory.scrape_jobs:
        if not _probes(job) or len(job.modules) != 1 or monitoring.is_template(job.file, job.modules[0].path):
            continue
        module = job.modules[0]
        if module.path not in probers and module.path not in (() if probers else _AS_SHIPPED):
            yield from _unknown(inventory, job, module)
            continue
        prober = probers.get(module.path) or module.path.partition("_")[0]
        targets = () if job.rewrites_targets else job.targets
        wrong = [_Vain(target, *why) for target in targets if (why := _in_vain(prober, target))]
        if wrong:
            yield _evidence(inventory, job, module, wrong)


def _probes(job: ScrapeJob) -> bool:
    """Whether the targets of a job are probed by a blackbox exporter."""
    known = exporters.of_host(job.proxy.host, job.proxy.port) if job.proxy else None
    return job.metrics_path == "/probe" and known is not None and known.name == "blackbox exporter"


def _in_vain(prober: str, target: Target) -> tuple[str, bool] | None:
    """Why a probe of a target fails each time, and whether it does whatever listens there; None if it needn't."""
    if prober == "http" and target.port in _TLS and target.scheme in ("http", ""):
        return f"plain HTTP at port {target.port}, where TLS is spoken", False
    if prober == "http" and target.port in _OTHERS:
        return f"HTTP at the port of {_OTHERS[target.port]}", False
    if prober == "tcp" and target.scheme in ("http", "https"):
        return "a URL, where the prober tcp wants host:port", True
    if prober == "icmp" and (target.scheme in ("http", "https") or target.port):
        return "more than a host, where the prober icmp wants nothing else", True
    return None


def _unknown(inventory: Inventory, job: ScrapeJob, module: PathPattern) -> Iterator[Evidence]:
    """A module that no configuration of the repository has, where there is one."""
    if not inventory.probe_modules or not job.targets:
        return
    first = inventory.probe_modules[0]
    names = listed(item.name for item in inventory.probe_modules)
    yield Evidence(
        f"The job {job.name} probes with the module {module.path}, and {first.file} has {names} only: each probe is "
        "answered by an error.",
        module.location,
        subject=f"{job.name}/{module.path}",
        related=(Related(first.location, "the modules that there are"),),
        recommendation=f"Add the module {module.path} to {first.file}, or name one that it has.",
        example=files.into(first.file, f"modules:\n  {module.path}:\n    prober: <http, tcp or icmp>"),
        severity=Severity.HIGH,
    )


def _evidence(inventory: Inventory, job: ScrapeJob, module: PathPattern, wrong: list[_Vain]) -> Evidence:
    first, certain = wrong[0].target, all(item.certain for item in wrong)
    shown = f"{first.scheme}://{first.address}" if first.scheme else first.address
    number = counted(len(wrong), "target")
    doubt = "" if certain else ", unless something unusual listens there"
    return Evidence(
        f"The job {job.name} probes {number} in vain with {module.path}, {shown} first, which is {wrong[0].why}: red "
        f"at all times{doubt}.",
        first.location,
        subject=f"{job.name}/{'/'.join(item.target.address for item in wrong)}",
        related=tuple(Related(item.target.location, item.why, member=True) for item in wrong[1:]),
        recommendation=f"Write https:// for TLS, and probe what isn't HTTP by a job with a tcp module, in {job.file}.",
        confidence=Confidence.HIGH if certain else None,
        example=_lines(inventory, job, first),
    )


def _lines(inventory: Inventory, job: ScrapeJob, target: Target) -> str:
    """The same in its file, and the module that it takes where the configuration of the exporter lacks it."""
    lines = files.into(job.file, _instead(job, target))
    modules = inventory.probe_modules
    if "[tcp_connect]" not in lines or not modules or any(item.name == "tcp_connect" for item in modules):
        return lines
    return f"{lines}\n{files.into(modules[0].file, _MODULE)}"


def _instead(job: ScrapeJob, target: Target) -> str:
    """A target that can be probed, in place of the first one that can't."""
    if target.port in _TLS:
        port = "" if target.port == "443" else f":{target.port}"
        return f'- targets: ["https://{target.bracketed}{port}"]'
    if target.port in _OTHERS and job.proxy:
        return _TCP.format(name=f"{job.name}-tcp", target=target.address, exporter=job.proxy.address)
    return f'- targets: ["{target.address}"]'
