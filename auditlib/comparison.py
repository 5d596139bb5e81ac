"""What became of findings between two runs: which are new, which are fixed, which are still there and how they changed.

Findings are the same if their fingerprints are. One cause is one finding with many places, so a finding that is still
there may have grown: members of its group are told apart by what they say and in which file, which survives moved
lines; those that say the same in the same file are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from auditlib.entries import Entry, Place
from auditlib.model import Status


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding that is open in both runs."""

    old: Entry
    new: Entry

    @property
    def severity_changed(self) -> bool:
        """Whether it is judged differently now."""
        return self.old.severity is not self.new.severity

    @property
    def grown(self) -> tuple[Place, ...]:
        """The members that it did not have."""
        return grown(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of the findings; each group in the order of its run, the worst first."""

    new: tuple[Entry, ...]
    fixed: tuple[Entry, ...]
    reopened: tuple[Entry, ...]
    """Suppressed before."""
    suppressed: tuple[Entry, ...]
    """Open before."""
    kept: tuple[Kept, ...]

    @property
    def changed(self) -> tuple[Kept, ...]:
        """The findings that are still there with another severity."""
        return tuple(item for item in self.kept if item.severity_changed)

    @property
    def grown(self) -> tuple[Kept, ...]:
        """The findings that are still there with more members."""
        return tuple(item for item in self.kept if item.grown)

    @property
    def none(self) -> bool:
        """Whether nothing changed."""
        groups = (self.new, self.fixed, self.reopened, self.suppressed, self.changed, self.grown)
        return not any(groups)


def compare(old: Iterable[Entry], new: Iterable[Entry]) -> Changes:
    """The way from the findings of `old` to those of `new`."""
    before, after = _by_fingerprint(old), _by_fingerprint(new)
    opened = [entry for entry in after.values() if entry.status is Status.OPEN]
    closed = [entry for entry in before.values() if entry.status is Status.OPEN]
    return Changes(
        new=tuple(entry for entry in opened if entry.fingerprint not in before),
        fixed=tuple(entry for entry in closed if entry.fingerprint not in after),
        reopened=tuple(entry for entry in opened if _is_suppressed(before.get(entry.fingerprint))),
        suppressed=tuple(entry for entry in closed if _is_suppressed(after.get(entry.fingerprint))),
        kept=tuple(Kept(before[e.fingerprint], e) for e in opened if _is_open(before.get(e.fingerprint))),
    )


def grown(old: Entry, new: Entry) -> tuple[Place, ...]:
    """The members of `new` that `old` did not have.

    The first member is the finding's own location and has no words of its own. So where the number stayed the same and
    it isn't plain that the first is still the first, a member that looks new may be the one that was first: none has
    been added then.
    """
    known = Counter(place.content for place in old.places)
    fresh = []
    for place in new.places:
        if known[place.content]:
            known[place.content] -= 1
        elif place.member:
            fresh.append(place)
    same_first = bool(new.service) and (old.file, old.service) == (new.file, new.service)
    return tuple(fresh) if same_first or len(new.places) > len(old.places) else ()


def _by_fingerprint(entries: Iterable[Entry]) -> dict[str, Entry]:
    return {entry.fingerprint: entry for entry in entries}


def _is_open(entry: Entry | None) -> bool:
    return entry is not None and entry.status is Status.OPEN


def _is_suppressed(entry: Entry | None) -> bool:
    return entry is not None and entry.status is Status.SUPPRESSED
