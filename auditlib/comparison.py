"""What became of findings between two runs: which are new, which are fixed, which are still there and how they changed.

Findings are the same if their fingerprints are. One cause is one finding with many places, so a finding that is still
there may have grown or shrunk: members of its group are told apart by what they say and in which file, which survives
moved lines; those that say the same in the same file are counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable
from operator import attrgetter

from msgspec import Struct

from auditlib.entries import Entry, Place
from auditlib.model import Severity, Status

_CONTENT, _SUBJECT = attrgetter("content"), attrgetter("subject")


class Kept(Struct, frozen=True):
    """A finding that is open in both runs."""

    old: Entry
    new: Entry

    @property
    def severity_changed(self) -> bool:
        """Whether it is judged differently now."""
        return self.old.severity is not self.new.severity

    @property
    def spread(self) -> str:
        """Where it has grown, in words; empty if it has not."""
        return spread(self.old, self.new)

    @property
    def retreat(self) -> str:
        """Where it is no more, in words; empty if it is still everywhere."""
        return _moved(self.new, self.old, "no longer")


class Changes(Struct, frozen=True):
    """What became of the findings; each group in the order of its run, the worst first."""

    new: tuple[Entry, ...]
    fixed: tuple[Entry, ...]
    reopened: tuple[Entry, ...]
    """Suppressed before."""
    suppressed: tuple[Entry, ...]
    """Open before."""
    kept: tuple[Kept, ...]
    by_new_rules: tuple[Entry, ...] = ()
    """Found by rules that the earlier auditlib did not have, which says nothing of whether the fault is new."""
    unjudged: tuple[Entry, ...] = ()
    """Found by rules that the later auditlib does not have, which says nothing of whether the fault is mended."""
    noted: tuple[Entry, ...] = ()
    """New or with more members, and yet nothing got worse: information alone, or what is left of a graver fault."""
    left_out: tuple[str, ...] = ()
    """The scanners that had no say on one of the sides, so that nothing can be said of their findings."""

    @property
    def changed(self) -> tuple[Kept, ...]:
        """The findings that are still there with another severity."""
        return tuple(item for item in self.kept if item.severity_changed)

    @property
    def grown(self) -> tuple[Kept, ...]:
        """The findings that are still there with more members, where that is worse."""
        return tuple(item for item in self.kept if item.spread and item.new not in self.noted)

    @property
    def shrunk(self) -> tuple[Kept, ...]:
        """The findings that are still there without some of their members."""
        return tuple(item for item in self.kept if item.retreat)

    @property
    def worse(self) -> tuple[Entry, ...]:
        """The findings that somebody has to look at now, as they are in the later run."""
        risen = (item.new for item in self.kept if item.new.severity > item.old.severity)
        return tuple(dict.fromkeys((*self.new, *self.reopened, *(item.new for item in self.grown), *risen)))

    @property
    def counts(self) -> tuple[tuple[int, str], ...]:
        """How many findings had each fate, in the order of a sentence: good news first, without fates of none."""
        groups = (
            (self.fixed, "fixed"),
            (self.shrunk, "shrunk"),
            (self.new, "new"),
            (self.by_new_rules, "found by new rules"),
            (self.grown, "spread further"),
            (self.noted, "noted"),
            (self.changed, "judged differently"),
            (self.reopened, "reopened"),
            (self.suppressed, "suppressed"),
            (self.unjudged, "no longer judged"),
        )
        return tuple((len(group), fate) for group, fate in groups if group)

    @property
    def none(self) -> bool:
        """Whether nothing changed."""
        return not self.counts


def compare(
    old: Iterable[Entry],
    new: Iterable[Entry],
    silent: Collection[str] = (),
    rules: tuple[Collection[str], Collection[str]] = ((), ()),
) -> Changes:
    """The way from the findings of `old` to those of `new`.

    `silent` are the scanners that had no say on one of the sides: what they did not find there is not new or fixed.
    `rules` are those of ours that judged on either side, none where it isn't known: what another rule finds is told
    apart.
    """
    found = [*old], [*new]
    left_out = tuple(sorted({_scanner(entry) for side in found for entry in side} & {*silent}))
    before, after = ({entry.fingerprint: entry for entry in side if _scanner(entry) not in left_out} for side in found)
    opened = [entry for entry in after.values() if entry.status is Status.OPEN]
    closed = [entry for entry in before.values() if entry.status is Status.OPEN]
    added, dropped = ({*rules[1]} - {*rules[0]}, {*rules[0]} - {*rules[1]}) if all(rules) else ((), ())
    fresh = [entry for entry in opened if entry.fingerprint not in before]
    gone = [entry for entry in closed if entry.fingerprint not in after]
    kept = tuple(Kept(before[entry.fingerprint], entry) for entry in opened if _is_open(before.get(entry.fingerprint)))
    noted = [entry for entry in fresh if entry.rule not in added and not _is_worse(entry, None, closed)]
    noted += [item.new for item in kept if item.spread and not _is_worse(item.new, item.old, closed)]
    return Changes(
        new=tuple(entry for entry in fresh if entry.rule not in added and entry not in noted),
        fixed=tuple(entry for entry in gone if entry.rule not in dropped),
        by_new_rules=tuple(entry for entry in fresh if entry.rule in added),
        unjudged=tuple(entry for entry in gone if entry.rule in dropped),
        reopened=tuple(entry for entry in opened if _is_suppressed(before.get(entry.fingerprint))),
        suppressed=tuple(entry for entry in closed if _is_suppressed(after.get(entry.fingerprint))),
        kept=kept,
        noted=tuple(noted),
        left_out=left_out,
    )


def _is_worse(new: Entry, old: Entry | None, before: Iterable[Entry]) -> bool:
    """Whether a finding that is new, or has new members, tells of something that was not worse before."""
    graver = (item for item in before if item.rule == new.rule and item.severity > new.severity)
    added = _services(new) - (_services(old) if old else frozenset())
    is_milder = bool(added) and added <= {spot for item in graver for spot in _services(item)}
    return new.severity > Severity.INFO and not is_milder


def _services(entry: Entry) -> frozenset[tuple[str, str]]:
    """The services that have the fault, each with its file; none where the finding is of no service."""
    if not entry.service:
        return frozenset()
    members = ((place.file, place.subject[1].rstrip(":")) for place in entry.places if place.member)
    return frozenset([(entry.file, entry.service), *members])


def grown(old: Entry, new: Entry) -> tuple[Place, ...]:
    """The members of `new` that `old` did not have.

    The first member is the finding's own location and has no words of its own; another one may have taken its place in
    the meantime. It is known by its file and service, and where there is no service, a doubt is not called news.
    """
    fresh, gone = _unmatched(old, new)
    same_first = (old.file, old.service) == (new.file, new.service)
    first_known = any(_is_first(place, new) for place in gone)
    if not any(place.member for place in new.places) or (same_first and (new.service or not first_known)):
        return fresh
    was_first = next((place for place in fresh if _is_first(place, old)), None)
    rest = tuple(place for place in fresh if place is not was_first)
    return rest if same_first or first_known else (Place(new.file, new.service or new.place, member=True), *rest)


def spread(old: Entry, new: Entry) -> str:
    """Where a finding has grown, in words; empty if it has not."""
    return _moved(old, new, "now also")


def _moved(fewer: Entry, more: Entry, verb: str) -> str:
    """The members that only the second one has, in words that begin with the verb; empty without any.

    Without a service it isn't sure which of the places they are, so all are counted.
    """
    members, few, many = grown(fewer, more), len(fewer.places) + 1, len(more.places) + 1
    if members and not more.service and many > few:
        now, before = (many, few) if verb == "now also" else (few, many)
        return f"in {now} {'place' if now == 1 else 'places'} now, {before} before"
    return f"{verb} {'; '.join(f'{place.file}: {place.message}' for place in members)}" if members else ""


def _unmatched(old: Entry, new: Entry) -> tuple[tuple[Place, ...], list[Place]]:
    """The members that only the new finding has, and the places that only the old one has.

    A member of which other words are said now ("and others depend on it") is on both sides.
    """
    members_first = sorted(new.places, key=lambda place: not place.member)  # what only explains is no news
    fresh = [place for place in _beyond(members_first, old.places, _CONTENT) if place.member]
    gone = _beyond(old.places, new.places, _CONTENT)
    return tuple(_beyond(fresh, gone, _SUBJECT)), _beyond(gone, fresh, _SUBJECT)


def _beyond(places: Iterable[Place], known: Iterable[Place], key: Callable[[Place], Hashable]) -> list[Place]:
    """The places that the known ones don't account for, each of which accounts for one of the same key."""
    left = Counter(map(key, known))
    beyond = []
    for place in places:
        if left[key(place)]:
            left[key(place)] -= 1
        else:
            beyond.append(place)
    return beyond


def _is_first(place: Place, entry: Entry) -> bool:
    """Whether a place is the one that the entry has for its location."""
    named = re.search(rf"(?<![\w-]){re.escape(entry.service)}(?![\w-])", place.message)
    return place.file == entry.file and (not entry.service or named is not None)


def _scanner(entry: Entry) -> str:
    """The scanner that a rule belongs to; empty for a rule of ours."""
    return entry.rule.rpartition("/")[0]


def _is_open(entry: Entry | None) -> bool:
    return entry is not None and entry.status is Status.OPEN


def _is_suppressed(entry: Entry | None) -> bool:
    return entry is not None and entry.status is Status.SUPPRESSED
