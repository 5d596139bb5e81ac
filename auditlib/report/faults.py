"""What open findings say of places, so that nothing is shown as whole that a finding beside it calls broken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from auditlib.model import Finding, Location, Status
from auditlib.report.blocks import State


class Broken(NamedTuple):
    """What is wrong with something, in a few words, and the finding that says so at length, if any does."""

    words: str
    finding: Finding | None

    @property
    def fingerprint(self) -> str:
        """That of the finding; empty without one."""
        return self.finding.fingerprint if self.finding else ""

    def state(self, of: str = "") -> State:
        """A cell that says so of something."""
        return State(f"{of}: {self.words}" if of else self.words, "bad", self.fingerprint)


class Faults:
    """The open findings of some rules, by the places at which the fault is; each rule with a few words for it."""

    def __init__(self, findings: Iterable[Finding], words: Mapping[str, str]) -> None:
        self._found: dict[Location, Broken] = {}
        for finding in findings:
            if finding.status is Status.OPEN and finding.rule in words:
                members = (item.location for item in finding.related if item.member)
                for place in (finding.location, *members):
                    self._found.setdefault(place, Broken(words[finding.rule], finding))

    def any(self) -> bool:
        """Whether there is any."""
        return bool(self._found)

    def at(self, *places: Location | None) -> Broken | None:
        """What is broken at the first of these places where anything is."""
        return next((self._found[place] for place in places if place in self._found), None)

    def in_file(self, file: str) -> Broken | None:
        """What is broken in a file."""
        return next((found for place, found in self._found.items() if place.file == file), None)

    def of_service(self, service: str, file: str) -> Broken | None:
        """What is broken in a file that is of a service."""
        found = (found for place, found in self._found.items() if place.file == file)
        return next((item for item in found if item.finding and item.finding.service == service), None)
