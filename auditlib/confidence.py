"""How much of the repository the audit understood, as a level with its reasons.

The level is a rule, not an opinion:

- `low` if nothing was understood, if more than a fifth of the opened files could not be read, or if a rule failed;
- `high` if every opened file was read in full and nothing points out of what was read;
- `medium` in between.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from auditlib.inventory import Inventory
from auditlib.model import Confidence, Coverage, Location, Read
from auditlib.phrases import counted, listed

FAILED_SHARE = 0.2
"""The share of failed files above which nothing that the audit says should be relied on."""
_NAMED = 4
_WHOLE = "."
"""The file of a coverage entry that is about no single one."""
WORST_FIRST = (Read.FAILED, Read.PARTIAL, Read.PARSED, Read.SKIPPED)
"""How far a file was read that several readers read: as far as the first of these that one of them says."""


class Assessment(Struct, frozen=True):
    """The level, why it is no other, and how many files were read how far."""

    level: Confidence
    reasons: tuple[str, ...]
    counts: tuple[tuple[Read, int], ...]
    gaps: tuple[str, ...] = ()
    """Those of the reasons that name files which were not read in full."""

    @property
    def read(self) -> int:
        """The number of files that were read, in full or in part."""
        return self.count(Read.PARSED) + self.count(Read.PARTIAL)

    def count(self, status: Read) -> int:
        """The number of files of one status."""
        return dict(self.counts)[status]


def assess(inventory: Inventory, coverage: Sequence[Coverage]) -> Assessment:
    """The confidence that an audit of this inventory and coverage deserves."""
    status = _by_file(inventory, coverage)
    counts = Counter(status.values())
    failures = [entry for entry in coverage if entry.status is Read.FAILED]
    unresolved = list(_unresolved(inventory))
    gaps = tuple(_gaps(status, coverage))
    broken = [f"Did not come to its end: {entry.kind} ({entry.reason})." for entry in failures if entry.file == _WHOLE]
    return Assessment(
        _level(counts, failures, bool(unresolved)),
        (_extent(counts), *gaps, *broken, *_left_out(counts, coverage), *unresolved, _STATIC),
        tuple((status, counts[status]) for status in Read),
        gaps,
    )


_STATIC = "Files were read and nothing was run: what a running system does beyond its configuration is not known."


def _by_file(inventory: Inventory, coverage: Sequence[Coverage]) -> dict[str, Read]:
    """How far each file was read; one that several readers read counts once, by the worst of them."""
    status = dict.fromkeys(inventory.files, Read.SKIPPED)
    for entry in coverage:
        if entry.file != _WHOLE:
            status[entry.file] = min(status.get(entry.file, Read.SKIPPED), entry.status, key=WORST_FIRST.index)
    return status


def _level(counts: Counter[Read], failures: Sequence[Coverage], unresolved: bool) -> Confidence:
    understood = counts[Read.PARSED] + counts[Read.PARTIAL]
    opened = understood + counts[Read.FAILED]
    if not understood or counts[Read.FAILED] > FAILED_SHARE * opened or any(_is_rule(entry) for entry in failures):
        return Confidence.LOW
    if failures or counts[Read.PARTIAL] or unresolved:
        return Confidence.MEDIUM
    return Confidence.HIGH


def _is_rule(entry: Coverage) -> bool:
    return entry.kind.startswith("rule ")


def _extent(counts: Counter[Read]) -> str:
    opened = counts[Read.PARSED] + counts[Read.PARTIAL] + counts[Read.FAILED]
    if not opened:
        return "No file of a kind that auditlib reads was found."
    return f"Read in full: {counts[Read.PARSED]} of {counted(opened, 'file')}."


def _gaps(files: Mapping[str, Read], coverage: Sequence[Coverage]) -> Iterator[str]:
    """The files that were not read in full, the first of them by name, each with the first reason."""
    for status, verb in ((Read.PARTIAL, "read in part only"), (Read.FAILED, "not readable")):
        places: dict[str, str] = {}
        for entry in coverage:
            if entry.status is status and files.get(entry.file) is status:
                places.setdefault(entry.file, f"{entry.file}:{entry.line} ({entry.reason})")
        if places:
            yield f"{counted(len(places), 'file')} {verb}: {listed(places.values(), _NAMED)}."


def _left_out(counts: Counter[Read], coverage: Sequence[Coverage]) -> Iterator[str]:
    """What was not opened, and which scanners did not run."""
    if counts[Read.SKIPPED]:
        yield f"Left out: {counted(counts[Read.SKIPPED], 'file')} with nothing that the audit reads."
    skipped = [entry for entry in coverage if entry.status is Read.SKIPPED]
    scanners = sorted(entry.kind.removeprefix("scanner ") for entry in skipped if entry.kind.startswith("scanner "))
    if scanners:
        yield f"Scanners that did not run: {', '.join(scanners)}."
    listing = [entry.reason for entry in skipped if entry.kind == "listing"]
    if listing:
        yield f"Not looked at: {listed(listing, _NAMED)}."


def _unresolved(inventory: Inventory) -> Iterator[str]:
    """What the files point to and the audit could not follow."""
    for subject, places in (
        ("What Compose would refuse", [item.location for item in inventory.problems if item.kind == "error"]),
        ("A path leads out of the repository", _paths_outside(inventory)),
        ("A query could not be parsed", _broken_queries(inventory)),
        ("A workflow of another repository is used", _foreign_workflows(inventory)),
        ("A default is computed by code", _computed_defaults(inventory)),
        ("Values come from an environment file that the repository doesn't hold", _absent_files(inventory)),
    ):
        if places:
            yield f"{subject}: {listed((str(place) for place in places), _NAMED)}."


def _paths_outside(inventory: Inventory) -> list[Location]:
    found = [service.build for service in inventory.services if service.build]
    builds = [build.location for build in found if build.outside or build.dockerfile.startswith("../")]
    mounts = [mount.location for service in inventory.services for mount in service.mounts if mount.outside]
    return builds + [place for place in mounts if place not in builds]


def _broken_queries(inventory: Inventory) -> list[Location]:
    return [rule.expression_location for rule in inventory.alert_rules if rule.query.error] + [
        panel.location
        for dashboard in inventory.dashboards
        for panel in dashboard.panels
        if any(query.error for query in panel.queries)
    ]


def _foreign_workflows(inventory: Inventory) -> list[Location]:
    return [job.location for job in inventory.jobs if job.uses and not job.uses.startswith("./")]


def _computed_defaults(inventory: Inventory) -> list[Location]:
    return [setting.location for setting in inventory.settings if setting.default_kind == "expression"]


def _absent_files(inventory: Inventory) -> list[Location]:
    loaded = [(item.path, item.location) for item in inventory.settings_files]
    loaded += [(item.path, item.location) for service in inventory.services for item in service.env_files]
    held = {posixpath.basename(path) for path in inventory.files}  # code names a file from wherever it is started
    return [place for path, place in loaded if posixpath.basename(path) not in held]
