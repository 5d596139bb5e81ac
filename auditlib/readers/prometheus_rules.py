"""Reads Prometheus's rule files: alerts and recordings with their expressions parsed.

Follows https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ and …/recording_rules/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlib.inventory.monitoring import AlertRule
from auditlib.readers import promql, reading, selection
from auditlib.readers.nodes import Entries, location, pairs, text
from auditlib.redaction import Vault
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

KIND = "prometheus-rules"
PATTERNS = (*selection.YAML, "*.rules", "*.rule")


def read(source: Source) -> reading.Reading:
    """The rules of every rule file, whatever its name."""
    files = selection.containing(source, selection.with_templates(*PATTERNS), "groups:", '"groups"')
    return reading.each(source, (file for file in files if _is_rule_file(source, file)), KIND, _read)


def _is_rule_file(source: Source, file: str) -> bool:
    """Whether some group has rules with an expression; broken YAML is, if it holds the words of one."""
    try:
        documents = selection.documents(source, file)
    except Unreadable:
        words = source.text(file)
        return "expr:" in words and ("alert:" in words or "record:" in words)
    return any(rule.get("expr") for document in documents for group in _groups(document) for rule in _rules(group))


def _groups(document: Node) -> list[Node]:
    groups = document.get("groups")
    return groups.elements() if groups else []


def _rules(group: Node) -> list[Node]:
    rules = group.get("rules")
    return rules.elements() if rules else []


def _read(source: Source, file: str) -> Iterator[Any]:
    entries = Entries(file, KIND)
    for document in selection.documents(source, file):
        for group in entries.of(document, "groups"):
            for rule in entries.of(group, "rules"):
                yield from _rule(rule, text(group, "name"), entries, source.vault)
    yield from entries.problems


def _rule(node: Node, group: str, entries: Entries, vault: Vault) -> Iterator[AlertRule]:
    kind = next((kind for kind in ("alert", "record") if node.get(kind)), "")
    expression = node.get("expr")
    if not kind or not expression:
        entries.problem(node, "a rule has no `alert` or `record`, or no `expr`")
        return
    query = promql.parse(expression.text, location(expression, entries.file))
    if query.error:
        entries.problem(expression, f"the expression is no PromQL that could be parsed: {query.error}")
    yield AlertRule(
        file=entries.file,
        group=group,
        kind=kind,
        name=text(node, kind),
        query=query,
        duration=text(node, "for"),
        labels=pairs(node.get("labels"), vault),
        annotations=pairs(node.get("annotations"), vault),
        location=location(node, entries.file),
        expression_location=location(expression, entries.file),
    )
