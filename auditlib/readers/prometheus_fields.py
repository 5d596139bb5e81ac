"""The fields of a configuration of Prometheus that no release knows; it refuses the file for one of them.

Follows https://prometheus.io/docs/prometheus/latest/configuration/configuration/ and, for what is given by options of
the command alone, https://prometheus.io/docs/prometheus/latest/storage/#operational-aspects.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.inventory.monitoring import PathPattern
from auditlib.readers.nodes import location
from auditlib.yamltree import Node

_TOP = frozenset({
    "global", "runtime", "rule_files", "scrape_config_files", "scrape_configs", "alerting", "remote_write",
    "remote_read", "storage", "tracing", "otlp",
})  # fmt: skip
_OF_COMMAND = frozenset({
    "retention_time", "retention_size", "retention.time", "retention.size", "path", "min_block_duration",
    "max_block_duration", "wal_compression", "wal-compression", "no_lockfile", "max_bytes",
})  # fmt: skip
"""What stands in no file: options of the command (`--storage.tsdb.retention.time`)."""
_ELSEWHERE = (("global",), ("storage",), ("storage", "tsdb"))
_PERIOD = ("storage", "tsdb", "retention")


def foreign(config: Node, file: str) -> Iterator[PathPattern]:
    """Each such field by its path: at the top what isn't known, deeper what is an option of the command."""
    for key, _ in config.items():
        if key.text not in _TOP:
            yield PathPattern(key.text, location(key, file))
    for keys in _ELSEWHERE:
        parent = config.get(*keys)
        for key, value in parent.items() if parent and parent.is_mapping else ():
            period = (*keys, key.text) == _PERIOD and not value.is_mapping
            if period or key.text in _OF_COMMAND:
                yield PathPattern(".".join((*keys, key.text)), location(key, file))
