"""One reader a format. They return inventory records and never raise for bad input.

A reader is a module with `read(source) -> Reading`; `READERS` names them in the order in which they are read. Compose
files are read last, since the commands that the others find tell which of them are deployed together.
"""

from __future__ import annotations

import importlib
from typing import Any

from auditlib.errors import AuditlibError
from auditlib.inventory import Inventory
from auditlib.model import Coverage, Location, Read
from auditlib.readers.compose import starts, swarm
from auditlib.readers.masking import Masking, allow_names
from auditlib.readers.reading import Reading
from auditlib.readers.remainder import remainder
from auditlib.source import Source

READERS: tuple[str, ...] = (
    "env_files",
    "repeated_entries",
    "told_profiles",
    "redis_files",
    "settings",
    "cross_origins",
    "django_settings",
    "settings_modules",
    "task_queues",
    "switch_comparisons",
    "refused_values",
    "spring",
    "dockerfiles",
    "npm",
    "composer",
    "maven",
    "python_packages",
    "requirements",
    "runtimes",
    "web_routes",
    "express",
    "server_code",
    "program_code",
    "queue_names",
    "proxied_code",
    "php_limits",
    "spring_server",
    "instrumentation",
    "idle_metrics",
    "log_files",
    "log_habits",
    "otel_instruments",
    "otlp_exporters",
    "prometheus",
    "prometheus_rules",
    "alertmanager",
    "grafana",
    "dashboards",
    "prisma_schemas",
    "compiler_outputs",
    "probe_modules",
    "web_logins",
    "collector_parts",
    "telemetry_stages",
    "prometheus_calls",
    "log_shippers",
    "log_labels",
    "fluent_parsers",
    "coarse_histograms",
    "log_pipelines",
    "nest_prefixes",
    "nginx",
    "reverse_proxies",
    "traefik_files",
    "workflows",
    "gitlab_pipelines",
    "cluster_files",
    "documents",
    "absent_paths",
    "test_suites",
    "other_test_suites",
    "unfit_imports",
    "ignored_tests",
    "migration_addresses",
    "migrators",
    "local_imports",
    "makefiles",
    "scripts",
    "shell_defaults",
    "callers",
    "host_tasks",
    "program_calls",
    "committed_secrets",
    "script_secrets",
    "code_secrets",
    "config_secrets",
    "config_references",
    "named_variables",
    "django_reads",
    "kept_files",
    "git_ignores",
    "dependabot",
    "renovate",
    "seeded_users",
    "told_logins",
    "request_logs",
    "made_logins",
)


def read(source: Source) -> Inventory:
    """Everything that the readers find in a repository, with every secret masked."""
    readings = [_reading(name, source) for name in READERS]
    found = [record for reading in readings for record in reading.records]
    readings.insert(0, _reading("compose", source, starts.of(found), swarm.of(found)))
    records = [record for reading in readings for record in reading.records]
    coverage = [entry for reading in readings for entry in reading.coverage]
    coverage += _searched(records, {entry.file for entry in coverage})
    coverage += [*remainder(source, coverage), *source.left_out]
    allow_names(source.vault, records)
    masking = Masking(source.vault, source.files)
    return Inventory.of(
        (masking.record(record) for record in records),
        name=source.name,
        root=str(source.root),
        commit=source.commit,
        origin=source.origin,
        files=source.files,
        coverage=tuple(dict.fromkeys(masking.coverage(entry) for entry in coverage)),
    )


def _searched(records: list[Any], told: set[str]) -> list[Coverage]:
    """Files of which a record tells and that no reader mentions: text in which something was looked for and found."""
    places = (getattr(record, "location", None) for record in records)
    found = {place.file for place in places if isinstance(place, Location)}
    return [Coverage(file, "code or text", Read.PARSED) for file in sorted(found - told)]


def _reading(name: str, source: Source, *found: Any) -> Reading:
    """What a reader answers. Its defect costs its own records alone; the message may quote a file and is not told."""
    try:
        reading: Reading = importlib.import_module(f"{__name__}.{name}").read(source, *found)
    except AuditlibError:
        raise
    except Exception as error:
        reading = Reading()
        reading.failed(".", f"reader {name}", f"{type(error).__name__} in the reader")
    return reading
