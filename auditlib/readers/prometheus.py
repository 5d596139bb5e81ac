"""Reads Prometheus: scrape jobs and their targets, alerting, remote storage.

Follows https://prometheus.io/docs/prometheus/latest/configuration/configuration/. The OpenTelemetry Collector and the
Grafana Agent carry the same scrape configuration inside their own; its jobs are read there too.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from auditlib.inventory.monitoring import LabelMatcher, PathPattern, PrometheusConfig, ScrapeJob, Target
from auditlib.model import Coverage, Read
from auditlib.patterns import regex
from auditlib.readers import prometheus_fields, reading, selection
from auditlib.readers.nodes import Entries, is_true, location, pairs, seconds, text
from auditlib.redaction import Vault
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node, YamlError, parse

KIND = "prometheus"
_CREDENTIALS = (
    ("basic_auth",), ("authorization",), ("oauth2",), ("bearer_token",), ("bearer_token_file",), ("http_headers",),
    ("tls_config", "cert_file"),
)  # fmt: skip
_RELABELLING = ("relabel_configs", "metric_relabel_configs")
_OF_CONTAINER = "__meta_docker_container_label_"
_EACH = 60
"""Seconds from one scrape to the next where a configuration says nothing."""
_ADDRESS = regex(r"(?:([a-z][a-z0-9+.-]*)://)?(?:[^@/]*@)?(\[[^\]]*\]|[^:/\[\]]*)(?::([^/]*))?", re.I)


def read(source: Source) -> reading.Reading:
    """The scrape jobs and the alerting of every Prometheus configuration."""
    files = selection.containing(source, selection.with_templates(*selection.YAML), "scrape_configs", "rule_files")
    return reading.each(source, (file for file in files if _is_prometheus(source, file)), KIND, _read)


def target(node: Node, file: str) -> Target:
    """A `host:port`; of a URL, as the targets of a probe are, its host and port."""
    match = _ADDRESS.match(node.text.strip())
    scheme, host, port = match.groups() if match else ("", node.text, "")
    return Target(host.strip("[]"), port or "", location(node, file), scheme=(scheme or "").lower())


def _is_prometheus(source: Source, file: str) -> bool:
    """Whether a file is Prometheus's; one that is no YAML is, if its name says so, and then fails where it is read."""
    try:
        return any(_configurations(document) for document in selection.documents(source, file))
    except Unreadable:
        return "prometheus" in file.lower()


def _configurations(document: Node) -> list[Node]:
    """The mappings that hold `scrape_configs` and `rule_files`: the document itself, or parts of an agent's."""
    if document.get("scrape_configs") or document.get("rule_files"):
        is_promtail = document.get("clients") or document.get("positions")
        return [] if is_promtail else [document]
    found = [instance for key in ("metrics", "prometheus") for instance in _elements(document.get(key, "configs"))]
    receivers = document.get("receivers")
    for key, receiver in receivers.items() if receivers else ():
        if key.text.partition("/")[0] == "prometheus" and (config := receiver.get("config")):
            found.append(config)
    return [config for config in found if config.get("scrape_configs")]


def _elements(node: Node | None) -> list[Node]:
    return node.elements() if node else []


def _read(source: Source, file: str) -> Iterator[Any]:
    entries = Entries(file, KIND)
    for document in selection.documents(source, file):
        for config in _configurations(document):
            yield _config(config, file, entries, source.vault)
            for job in entries.of(config, "scrape_configs"):
                yield _job(job, source, entries)
    yield from entries.problems
    if selection.is_template(file):
        yield Coverage(file, KIND, Read.PARTIAL, "is a template; it was read as if its expressions were words")


def _config(node: Node, file: str, entries: Entries, vault: Vault) -> PrometheusConfig:
    managers = entries.of(node, "alerting", "alertmanagers")
    return PrometheusConfig(
        file=file,
        rule_files=_paths(node.get("rule_files"), entries),
        alertmanagers=tuple(found for manager in managers for found in _static_targets(manager, entries)),
        external_labels=pairs(node.get("global", "external_labels"), vault),
        remote_write=bool(_elements(node.get("remote_write"))),
        location=location(node, file),
        alertmanager_discovery=tuple(name for manager in managers for name in _discovery(manager)),
        scrape_config_files=_paths(node.get("scrape_config_files"), entries),
        interval=seconds(text(node, "global", "scrape_interval")) or _EACH,
        timeout=next(iter(_paths(node.get("global", "scrape_timeout"), entries)), None),
        foreign=tuple(prometheus_fields.foreign(node, file)),
    )


def _paths(node: Node | None, entries: Entries) -> tuple[PathPattern, ...]:
    return tuple(PathPattern(item.text, location(item, entries.file)) for item in entries.scalars(node))


def _job(node: Node, source: Source, entries: Entries) -> ScrapeJob:
    file = entries.file
    discovery_files = tuple(
        path for entry in entries.of(node, "file_sd_configs") for path in _paths(entry.get("files"), entries)
    )
    labels = [
        label for entry in entries.of(node, "static_configs") for label in pairs(entry.get("labels"), source.vault)
    ]
    labels += [("job", name) for entry in _elements(node.get("relabel_configs")) if (name := _fixed_job(entry))]
    found = [target for path in discovery_files for target in _targets_of_files(source, path, entries)]
    return ScrapeJob(
        file=file,
        name=text(node, "job_name"),
        metrics_path=text(node, "metrics_path") or "/metrics",
        scheme=text(node, "scheme") or "http",
        targets=(*_static_targets(node, entries), *found),
        discovery=_discovery(node),
        location=location(node, file),
        interval=seconds(text(node, "scrape_interval")),
        timeout=next(iter(_paths(node.get("scrape_timeout"), entries)), None),
        labels=tuple(dict.fromkeys(labels)),
        relabels=any(node.get(key) for key in _RELABELLING),
        renames=any(_renames(entry) for key in _RELABELLING for entry in _elements(node.get(key))),
        proxy=_proxy(node, file),
        discovery_files=discovery_files,
        kept_labels=tuple(_kept(node)),
        honors_labels=is_true(node, "honor_labels"),
        discovered=tuple(_discovered(node, entries)),
        modules=_paths(node.get("params", "module"), entries),
        authenticates=any(node.get(*key) for key in _CREDENTIALS),
        rewrites_targets=any(map(_rewrites, _elements(node.get("relabel_configs")))),
    )


def _renames(entry: Node) -> bool:
    """Whether a rule may set the label `job`: by name, or by a pattern for the names of labels."""
    label = text(entry, "target_label")
    elsewhere = label == "job" and not _fixed_job(entry)
    return elsewhere or "$" in label or text(entry, "action").startswith("label")


def _fixed_job(entry: Node) -> str:
    """The one name that a rule gives the job of all its series, whatever labels they have; empty for none."""
    always = text(entry, "target_label") == "job" and not (entry.get("source_labels") or entry.get("regex"))
    name = text(entry, "replacement") if always and text(entry, "action") in ("", "replace") else ""
    return "" if "$" in name else name


def _kept(node: Node) -> Iterator[LabelMatcher]:
    """The labels that containers must have for Docker's discovery to leave them among the targets."""
    for entry in _elements(node.get("relabel_configs")):
        sources = [item.text for item in _elements(entry.get("source_labels"))]
        if text(entry, "action") == "keep" and len(sources) == 1 and sources[0].startswith(_OF_CONTAINER):
            yield LabelMatcher(sources[0].removeprefix(_OF_CONTAINER), "=~", text(entry, "regex") or ".*")


def _rewrites(entry: Node) -> bool:
    """Whether a rule makes another text of a target before it becomes the one that is probed."""
    same = text(entry, "replacement") in ("", "$1", "${1}") and not entry.get("regex")
    return text(entry, "target_label") == "__param_target" and not same


def _static_targets(node: Node, entries: Entries) -> tuple[Target, ...]:
    lists = [entry.get("targets") for entry in entries.of(node, "static_configs")]
    for found in lists:
        if found and not found.is_sequence:
            entries.problem(found, "`targets` is no list")
    return tuple(target(item, entries.file) for found in lists for item in entries.scalars(found))


def _discovery(node: Node) -> tuple[str, ...]:
    return tuple(key.text for key, _ in node.items() if key.text.endswith("_sd_configs"))


def _discovered(node: Node, entries: Entries) -> Iterator[Target]:
    for entry in entries.of(node, "dns_sd_configs"):
        for item in entries.scalars(entry.get("names")):
            name, of_swarm = item.text.removeprefix("tasks."), item.text.startswith("tasks.")
            yield Target(name, text(entry, "port"), location(item, entries.file), of_swarm)


def _proxy(node: Node, file: str) -> Target | None:
    """The exporter whose address takes the place of the targets' own, as blackbox_exporter's documentation shows."""
    for entry in _elements(node.get("relabel_configs")):
        replacement = entry.get("replacement")
        if replacement and text(entry, "target_label") == "__address__" and "$" not in replacement.text:
            return target(replacement, file)
    return None


def _targets_of_files(source: Source, path: PathPattern, entries: Entries) -> Iterator[Target]:
    """The targets of `file_sd_configs`: a path as the container sees it is looked for beside the configuration."""
    pattern = _beside(path.path, entries.file)
    for file in source.files:
        if not fnmatchcase(file, pattern):
            continue
        try:
            documents = source.yaml(file) if not file.endswith(".json") else parse(source.text(file))
        except (Unreadable, YamlError) as error:
            entries.problems.append(Coverage(file, KIND, Read.PARTIAL, error.reason, error.line))
            continue
        for group in (group for document in documents for group in document.elements()):
            for item in _elements(group.get("targets")):
                yield target(item, file)


def _beside(path: str, file: str) -> str:
    folder = posixpath.dirname(file)
    if path.startswith("/"):
        path = path.removeprefix("/etc/prometheus/").lstrip("/")
    return posixpath.normpath(posixpath.join(folder, path))
