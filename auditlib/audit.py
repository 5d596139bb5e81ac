"""The audit: a repository in; inventory, graph, findings and coverage out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from auditlib import graph, readers, rules
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Coverage, Finding
from auditlib.source import Source


@dataclass(frozen=True)
class Audit:
    """What is known of one repository, and what is wrong with it."""

    inventory: Inventory
    graph: DependencyGraph
    findings: tuple[Finding, ...]
    coverage: tuple[Coverage, ...]


def audit(root: Path) -> Audit:
    """Read the repository at `root` and judge it. Raises ProjectError if it can't be read at all."""
    inventory = readers.read(Source(root))
    dependencies = graph.build(inventory)
    findings, failures = rules.check(inventory, dependencies)
    return Audit(inventory, dependencies, tuple(findings), (*inventory.coverage, *failures))
