"""The audit: a repository in; inventory, graph, findings and coverage out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from auditlib import configuration as configurations
from auditlib import rules
from auditlib.configuration import Configuration
from auditlib.model import Area, Coverage, Finding, Location
from auditlib.rules import Rule
from auditlib.scanners import SCANNERS, Scan, is_scanner_rule
from auditlib.source import Source

if TYPE_CHECKING:
    from auditlib.excerpts import Excerpt
    from auditlib.graph import DependencyGraph
    from auditlib.graph.networkx_graph import NetworkxGraph
    from auditlib.history import History
    from auditlib.inventory import Inventory
    from auditlib.tables import Tables


@dataclass(frozen=True)
class Audit:
    """What is known of one repository, and what is wrong with it."""

    inventory: Inventory
    dependencies: DependencyGraph
    """The graph as the rules saw it."""
    findings: tuple[Finding, ...]
    """The worst first."""
    coverage: tuple[Coverage, ...]
    excerpts: Mapping[Location, Excerpt]
    """The lines behind the findings."""
    history: History | None = None
    """The runs before this one; None where none are kept."""
    as_of: date = field(default_factory=date.today)
    """The day on which the repository was read."""
    quiet: tuple[str, ...] = ()
    """The rules of our own that were checked and found nothing, by id."""

    @cached_property
    def graph(self) -> NetworkxGraph:
        """The graph as a `networkx.MultiDiGraph`, for questions of all kinds."""
        return self.dependencies.for_networkx()

    @cached_property
    def tables(self) -> Tables:
        """The audit as dataframes: `audit.tables.services`."""
        from auditlib.tables import Tables

        return Tables(self.inventory, self.dependencies, self.findings, self.coverage)

    @cached_property
    def is_unread(self) -> bool:
        """Whether there are files that should have been read, and none of them was, nor anything found."""
        from auditlib import confidence

        assessment = confidence.assess(self.inventory, self.coverage)
        return not self.findings and not assessment.read and bool(assessment.gaps)

    @cached_property
    def unknown_areas(self) -> Mapping[Area, str]:
        """The areas about which the repository holds nothing to judge, with the reasons."""
        from auditlib import readiness

        return readiness.unknown_areas(self.inventory)


def audit(
    root: Path,
    rules_to_check: Iterable[Rule] | None = None,
    *,
    configuration: Configuration | None = None,
    scanned: bool = True,
    today: date | None = None,
) -> Audit:
    """Read the repository at `root` and judge it by all rules, or by these, and by the scanners if `scanned`.

    Without a configuration the repository's own holds; `today` is the day of the audit. Raises ProjectError if it can't
    be read at all, and UsageError if its configuration can't.
    """
    day = today or date.today()
    chosen = configurations.load(root) if configuration is None else configuration
    source = Source(root, chosen.exclude)
    with Scan(source, SCANNERS if scanned else ()) as scan:
        from auditlib import excerpts, graph, readers, suppressions  # while the scanners are at work already

        inventory = replace(readers.read(source), known_hosts=chosen.known_hosts)
        dependencies = graph.assemble(inventory)
        wanted = _wanted(rules_to_check, chosen)
        ours, failures = rules.check(inventory, dependencies, wanted)
        merged, scans = scan.collect(ours, inventory)
    kept = [_weighed(finding, chosen) for finding in merged if finding.rule not in chosen.disable]
    ids = {rule.id for rule in wanted}
    judged = suppressions.apply(
        kept,
        chosen.ignore,
        source,
        day,
        lambda rule: rule in ids or (scanned and is_scanner_rule(rule)),
    )
    findings = tuple(sorted(judged, key=rules.order))
    coverage = (*inventory.coverage, *failures, *scans)
    return Audit(
        inventory,
        dependencies,
        findings,
        coverage,
        excerpts.collect(source, findings),
        None,
        day,
        _quiet(wanted, ours, failures),
    )


def _wanted(rules_to_check: Iterable[Rule] | None, chosen: Configuration) -> list[Rule]:
    every = rules.catalogue().values() if rules_to_check is None else rules_to_check
    return [rule for rule in every if rule.id not in chosen.disable]


def _quiet(wanted: Iterable[Rule], ours: Iterable[Finding], failures: Iterable[Coverage]) -> tuple[str, ...]:
    heard = {finding.rule for finding in ours} | {entry.kind.removeprefix("rule ") for entry in failures}
    return tuple(rule.id for rule in wanted if rule.id not in heard)


def _weighed(finding: Finding, chosen: Configuration) -> Finding:
    return structs.replace(finding, severity=chosen.severity.get(finding.rule, finding.severity))
