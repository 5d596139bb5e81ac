"""Reads configurations that collect or store logs and are written in YAML or TOML.

Follows https://grafana.com/docs/loki/latest/configure/, …/send-data/promtail/configuration/,
https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/yaml, https://vector.dev/docs/reference/,
https://www.elastic.co/docs/reference/beats/filebeat and https://opentelemetry.io/docs/collector/configuration/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from auditlib.inventory.logs import LogShipper, LokiSettings
from auditlib.inventory.monitoring import LOKI_NO_DELETE_STORE, LOKI_OLD_SCHEMA, PathPattern
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import reading, selection
from auditlib.readers.nodes import Entries, is_true, location, text
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

_WORDS = (
    "schema_config", "auth_enabled", "clients:", "pipeline:", "sinks:", "filebeat", "filelog", "exporters:",
    "parsers_file",
)  # fmt: skip
_SOCKET = regex(r"\bunix://(/[\w./-]{1,200}\.sock)\b")
_TENANT = regex(r"tenant|orgid|org_id", re.I)
_NOTHING = ("", "0", "0s", "0h", "0d")
"""Periods that mean for ever."""
_GONE = (
    ("compactor", "shared_store"), ("compactor", "shared_store_key_prefix"),
    ("storage_config", "boltdb_shipper", "shared_store"), ("storage_config", "tsdb_shipper", "shared_store"),
    ("limits_config", "enforce_metric_name"), ("chunk_store_config", "max_look_back_period"),
    ("ingester", "max_transfer_retries"),
)  # fmt: skip
"""Fields that Loki's release 3 has no more (https://grafana.com/docs/loki/latest/setup/upgrade/#300)."""
_OF_SERVICE = "__meta_docker_container_label_com_docker_compose_service"
_NAMES = regex(r"\(?[\w-]{1,60}(?:\|[\w-]{1,60}){0,60}\)?")
_DISCOVERY = "docker_sd_configs"
_CONTAINER_LOGS = regex(r"/var/lib/docker/containers/\*/[*\w-]*\*?[\w.-]*log$")
_WITH_SERVER = frozenset({"loki", "promtail"})
_Part = tuple[list[PathPattern], list[str]]


def read(source: Source) -> reading.Reading:
    """Every Loki, Promtail, Fluent Bit, Vector, Filebeat and collector configuration in YAML or TOML."""
    files = selection.containing(source, selection.with_templates(*selection.YAML), *_WORDS)
    found = reading.each(source, (file for file in files if _is_shipper(source, file)), "logs", _read)
    toml = reading.each(source, selection.containing(source, ("*.toml",), "[sinks."), "logs", _vector_toml)
    return reading.Reading(found.records + toml.records, found.coverage + toml.coverage)


def _is_shipper(source: Source, file: str) -> bool:
    try:
        return any(_kind(document) or _is_loki(document, file) for document in selection.documents(source, file))
    except Unreadable:
        return bool(re.search(r"(?:^|/)(?:loki|promtail|filebeat|fluent-?bit|vector)\b[^/]*$", file))


def _kind(document: Node) -> str:
    """The program that a document configures, by the keys that only it has."""
    return next((kind for kind, (belongs, _) in _PROGRAMS.items() if belongs(document)), "")


def _read(source: Source, file: str) -> Iterator[Any]:
    entries = Entries(file, "logs")
    for document in selection.documents(source, file):
        if kind := _kind(document):
            sources, sinks = _PROGRAMS[kind][1](document, entries)
            shown = tuple(source.vault.mask(sink) for sink in dict.fromkeys(sinks) if sink)
            folders = tuple(_folders(document, entries)) if kind == "loki" else ()
            positions = _patterns(document.get("positions", "filename"), entries)
            ports = _patterns(document.get("server", "http_listen_port"), entries) if kind in _WITH_SERVER else []
            yield LogShipper(
                file, kind, tuple(sources), shown, location(document, file), folders,
                positions=positions[0] if positions else None, sockets=sockets(source, file),
                names_tenant=names_tenant(source.text(file)), port=ports[0] if ports else None,
                **(_by_jobs(document, file) if kind == "promtail" else {}),
            )  # fmt: skip
        if kind == "loki" or _is_loki(document, file):
            yield _settings(document, entries)
    yield from entries.problems


def sockets(source: Source, file: str) -> tuple[PathPattern, ...]:
    """The sockets that a configuration names, comments left out."""
    lines = ((number, line) for number, line in enumerate(source.lines(file), 1) if "unix://" in line)
    told = ((number, line) for number, line in lines if not line.lstrip().startswith(("#", "//")))
    found = ((path, number) for number, line in told for path in _SOCKET.findall(line.partition(" #")[0]))
    return tuple(PathPattern(path, Location(file, number)) for path, number in found)


def names_tenant(written: str) -> bool:
    """Whether a configuration that sends to Loki says for which tenant."""
    return bool(_TENANT.search(written))


def _is_loki(document: Node, file: str) -> bool:
    """Whether a document is Loki's by its name and its keys, though it may lack the schema that Loki can't do without.

    Other programs of the same family have these two keys as well.
    """
    return "loki" in file.lower() and all(document.get(key) for key in ("auth_enabled", "server"))


def _settings(document: Node, entries: Entries) -> LokiSettings:
    period = next(iter(_patterns(document.get("limits_config", "retention_period"), entries)), None)
    switches = (("compactor", "retention_enabled"), ("table_manager", "retention_deletes_enabled"))
    asks = document.get("auth_enabled")
    off = (found for keys in switches if (found := document.get(*keys)) and found.value is False)
    return LokiSettings(
        file=entries.file,
        asks_for_tenant=asks is None or asks.value is True,
        deletes=any(is_true(document, *keys) or "$" in text(document, *keys) for keys in switches),
        period=None if period is None or period.path in _NOTHING else period,
        in_files=any("filesystem" in store.lower() for store in _loki(document, entries)[1]),
        has_schema=bool(entries.of(document, "schema_config", "configs")),
        location=location(document, entries.file),
        switched_off=next((location(found, entries.file) for found in off), None),
        refused=tuple(_refused(document, entries)),
        metadata=_metadata(document, entries),
    )


def _metadata(document: Node, entries: Entries) -> bool | None:
    """Whether Loki takes lines with structured metadata, which wants a schema from v13 on."""
    periods = entries.of(document, "schema_config", "configs")
    allowed = document.get("limits_config", "allow_structured_metadata")
    if (periods and not _is_new(periods[-1])) or (allowed and allowed.value is False):
        return False
    return True if allowed and allowed.value is True else None


def _refused(document: Node, entries: Entries) -> Iterator[tuple[str, Location]]:
    """What keeps Loki's release 3 from starting with a configuration."""
    for keys in _GONE:
        parent = document.get(*keys[:-1])
        for key, _ in parent.items() if parent else ():
            if key.text == keys[-1]:
                yield ".".join(keys), location(key, entries.file)
    compactor = document.get("compactor")
    if compactor and is_true(compactor, "retention_enabled") and not compactor.get("delete_request_store"):
        yield LOKI_NO_DELETE_STORE, location(compactor, entries.file)
    periods = entries.of(document, "schema_config", "configs")
    allowed = document.get("limits_config", "allow_structured_metadata")
    if periods and (allowed is None or allowed.value is not False) and not _is_new(periods[-1]):
        yield LOKI_OLD_SCHEMA, location(periods[-1], entries.file)


def _is_new(period: Node) -> bool:
    """Whether a schema can hold structured metadata, or may, as far as it is spelt."""
    store, schema = text(period, "store"), text(period, "schema")
    number = schema.removeprefix("v")
    return (store == "tsdb" or "$" in store) and (not number.isdecimal() or int(number) >= 13)


def _children(document: Node, *keys: str) -> list[tuple[Node, Node]]:
    found = document.get(*keys)
    return found.items() if found else []


def _patterns(node: Node | None, entries: Entries) -> list[PathPattern]:
    return [PathPattern(item.text, location(item, entries.file)) for item in entries.scalars(node)]


def _loki(document: Node, entries: Entries) -> _Part:
    """Where Loki keeps what it stores."""
    stores = [text(item, "object_store") for item in entries.of(document, "schema_config", "configs")]
    return [], stores or [key.text for key, _ in _children(document, "common", "storage")]


def _folders(document: Node, entries: Entries) -> Iterator[PathPattern]:
    """Where Loki keeps its chunks, if it keeps them in files: the folder that holds its index and the log of what it
    hasn't written yet too, where that lies above.
    """
    prefix = next(iter(_patterns(document.get("common", "path_prefix"), entries)), None)
    for keys in (
        ("common", "storage", "filesystem", "chunks_directory"),
        ("storage_config", "filesystem", "directory"),
    ):
        for item in _patterns(document.get(*keys), entries):
            above = prefix is not None and item.path.startswith(f"{prefix.path.rstrip('/')}/")
            yield prefix if above and prefix else item


def _promtail(document: Node, entries: Entries) -> _Part:
    sources: list[PathPattern] = []
    for job in entries.of(document, "scrape_configs"):
        for static in entries.of(job, "static_configs"):
            sources += _patterns(static.get("labels", "__path__"), entries)
        found = [key for key, _ in job.items() if key.text.endswith("_sd_configs") or key.text in ("journal", "syslog")]
        sources += [PathPattern(key.text, location(key, entries.file)) for key in found]
    return sources, [text(item, "url") for item in entries.of(document, "clients")]


def _by_jobs(document: Node, file: str) -> dict[str, Any]:
    """What the jobs of a Promtail do to the logs of Docker's containers."""
    found = document.get("scrape_configs")
    jobs = [item for item in found.elements() if item.is_mapping] if found else []
    by_path = [place for job in jobs if not _drops(job) and (place := _of_containers(job))]
    discovering = [job for job in jobs if job.get(_DISCOVERY) and not job.get("static_configs")]
    places = [key for job in discovering for key, _ in job.items() if key.text == _DISCOVERY]
    both = [by_path[0], places[0]] if by_path and places else []
    kept = _kept(jobs[0]) if len(jobs) == 1 and discovering else None
    stages = [stage for job in discovering if (stage := _unwrapping(job))]
    return {
        "twice": tuple(PathPattern(item.text, location(item, file)) for item in both),
        "kept": PathPattern(kept.text, location(kept, file)) if kept else None,
        "unwrapped": tuple(PathPattern("log", location(item, file)) for item in stages),
    }


def _of_containers(job: Node) -> Node | None:
    """The path by which a job reads all logs of Docker's containers."""
    static = job.get("static_configs")
    for item in static.elements() if static else ():
        path = item.get("labels", "__path__") if item.is_mapping else None
        if path is not None and _CONTAINER_LOGS.match(path.text):
            return path
    return None


def _drops(job: Node) -> bool:
    """Whether a job leaves lines out."""
    return any(node.text in ("drop", "keep") for node in job.walk() if node.kind == "scalar")


def _kept(job: Node) -> Node | None:
    """The names of services that a job keeps, where it lists them as they are."""
    relabelling = job.get("relabel_configs")
    for item in relabelling.elements() if relabelling else ():
        sources = item.get("source_labels") if item.is_mapping else None
        names = item.get("regex") if sources and text(item, "action") == "keep" else None
        asked = [each.text for each in sources.texts()] if sources else []
        if names and asked == [_OF_SERVICE] and _NAMES.fullmatch(names.text):
            return names
    return None


def _unwrapping(job: Node) -> Node | None:
    """The stage that looks for Docker's own field of the line, where a later one makes the line of it."""
    found = job.get("pipeline_stages")
    for stage in found.elements() if found else ():
        fields = stage.get("json", "expressions") if stage.is_mapping else None
        for key, value in fields.items() if fields and stage.get("json", "source") is None else ():
            if (value.text or key.text) == "log" and _takes(found, key.text):
                return key
    return None


def _takes(stages: Node | None, name: str) -> bool:
    """Whether a stage makes the line of a value that was taken out of it."""
    found = [item for item in stages.elements() if item.is_mapping] if stages else []
    return any(text(item, "output", "source") == name for item in found)


def _fluent_bit(document: Node, entries: Entries) -> _Part:
    sources: list[PathPattern] = []
    for item in entries.of(document, "pipeline", "inputs"):
        sources += _patterns(item.get("path") or item.get("Path") or item.get("name"), entries)
    return sources, [_address(item) for item in entries.of(document, "pipeline", "outputs")]


def _address(output: Node) -> str:
    host = text(output, "host") or text(output, "Host")
    return f"{text(output, 'name') or text(output, 'Name')} {host}".strip()


def _vector(document: Node, entries: Entries) -> _Part:
    sources: list[PathPattern] = []
    for _, item in _children(document, "sources"):
        sources += _patterns(item.get("include") or item.get("type"), entries)
    sinks = [text(item, "endpoint") or text(item, "type") for _, item in _children(document, "sinks")]
    return sources, sinks


def _filebeat(document: Node, entries: Entries) -> _Part:
    sources: list[PathPattern] = []
    nested = document.get("filebeat")
    for item in (*entries.of(document, "filebeat.inputs"), *entries.of(nested, "inputs")):
        sources += _patterns(item.get("paths") or item.get("type"), entries)
    sources += [
        PathPattern("autodiscover", location(key, entries.file))
        for key, _ in (*document.items(), *(nested.items() if nested else ()))
        if key.text in ("autodiscover", "filebeat.autodiscover")
    ]
    flat = ((key.text, value) for key, value in document.items() if key.text.startswith("output."))
    outputs = [(name.removeprefix("output."), value) for name, value in flat]
    outputs += [(key.text, value) for key, value in _children(document, "output")]
    return sources, [_hosts(name, value, entries) for name, value in outputs]


def _hosts(name: str, output: Node, entries: Entries) -> str:
    return " ".join((name, *(item.text for item in entries.scalars(output.get("hosts")))))


def _collector(document: Node, entries: Entries) -> _Part:
    sources: list[PathPattern] = []
    for key, item in _children(document, "receivers"):
        if key.text.partition("/")[0] == "filelog":
            sources += _patterns(item.get("include"), entries)
    exporters = {key.text: text(value, "endpoint") for key, value in _children(document, "exporters")}
    pipelines = [value for key, value in _children(document, "service", "pipelines") if key.text.startswith("logs")]
    used = [item.text for pipeline in pipelines for item in entries.scalars(pipeline.get("exporters"))]
    return sources, [exporters.get(name) or name for name in used or exporters]


def _is_collector(document: Node) -> bool:
    """A collector counts when logs go through it."""
    if not document.get("receivers") or not document.get("exporters"):
        return False
    pipelines = [key.text for key, _ in _children(document, "service", "pipelines")]
    return any(name.startswith("logs") for name in pipelines)


def _are_typed(document: Node, key: str) -> bool:
    found = _children(document, key)
    return bool(found) and all(value.get("type") for _, value in found)


_PROGRAMS: dict[str, tuple[Callable[[Node], bool], Callable[[Node, Entries], _Part]]] = {
    "loki": (lambda node: bool(node.get("schema_config", "configs")), _loki),
    "promtail": (lambda node: bool(node.get("clients") and node.get("scrape_configs")), _promtail),
    "fluent-bit": (lambda node: bool(node.get("pipeline", "outputs")), _fluent_bit),
    "vector": (lambda node: _are_typed(node, "sources") and _are_typed(node, "sinks"), _vector),
    "filebeat": (
        lambda node: any(key.text.partition(".")[0] == "filebeat" for key, _ in node.items()), _filebeat
    ),
    "otel-collector": (_is_collector, _collector),
}  # fmt: skip


def _vector_toml(source: Source, file: str) -> Iterator[Any]:
    """Vector's older format; the standard library's parser knows no lines, so a path is looked for in the text."""
    import tomllib  # here, as most repositories have nothing to parse

    try:
        document = tomllib.loads(source.text(file))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Unreadable(f"not valid TOML: {str(error)[:200]}") from None
    paths = [path for item in _tables(document, "sources") for path in _strings(item.get("include", item.get("type")))]
    sinks = [name for item in _tables(document, "sinks") for name in _strings(item.get("endpoint", item.get("type")))]
    lines = source.lines(file)
    places = {path: next((n for n, line in enumerate(lines, 1) if path in line), 1) for path in paths[:100]}
    sources = tuple(PathPattern(path, Location(file, places.get(path, 1))) for path in paths)
    yield LogShipper(file, "vector", sources, tuple(map(source.vault.mask, sinks)), Location(file))


def _tables(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = document.get(key)
    return [item for item in found.values() if isinstance(item, dict)] if isinstance(found, dict) else []


def _strings(value: object) -> list[str]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
