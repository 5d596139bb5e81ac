"""The audit: a repository in; inventory, graph, findings and coverage out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from auditlib import excerpts, graph, readers, rules
from auditlib.excerpts import Excerpt
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Coverage, Finding, Location
from auditlib.rules import Rule
from auditlib.source import Source
from auditlib.tables import Tables


@dataclass(frozen=True)
class Audit:
    """What is known of one repository, and what is wrong with it."""

    inventory: Inventory
    graph: DependencyGraph
    findings: tuple[Finding, ...]
    """The worst first."""
    coverage: tuple[Coverage, ...]
    excerpts: Mapping[Location, Excerpt]
    """The lines behind the findings."""

    @cached_property
    def tables(self) -> Tables:
        """The audit as dataframes: `audit.tables.services`."""
        return Tables(self.inventory, self.graph, self.findings, self.coverage)


def audit(root: Path, rules_to_check: Iterable[Rule] | None = None) -> Audit:
    """Read the repository at `root` and judge it by all rules, or by these.

    Raises ProjectError if it can't be read at all.
    """
    source = Source(root)
    inventory = readers.read(source)
    dependencies = graph.build(inventory)
    findings, failures = rules.check(inventory, dependencies, rules_to_check)
    return Audit(
        inventory,
        dependencies,
        tuple(findings),
        (*inventory.coverage, *failures),
        excerpts.collect(source, findings),
    )
