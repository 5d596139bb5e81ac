"""The checklist that a system passes on its way into production: each item met, partly, not met, or not known.

An item is judged by what the repository holds of its kind and by the open findings that speak against it:

- not known, if the repository holds nothing of the kind, and no finding speaks of it, or if what it holds leaves it
  open, such as a platform that decides by itself on how many hosts something runs, or if it wants a proof that the
  repository doesn't hold, and no rule finds fault with that;
- not met, if a finding denies it, or speaks of it where the proof that it wants is missing, or if the repository shows
  that it is the other way round;
- partly, if findings only weaken it, or if there are gaps that no rule finds fault with;
- met otherwise.

So no item is better, or vaguer, than an open finding of its rules says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from msgspec import Struct

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Finding, Related, Severity, Status
from auditlib.readiness._areas import unknown_areas
from auditlib.readiness._items import ITEMS, Item
from auditlib.readiness._subjects import telemetry

__all__ = ["ITEMS", "Answer", "Item", "State", "judge", "telemetry", "unknown_areas"]


class State(Enum):
    """How an item stands."""

    MET = "met"
    PARTLY = "partly"
    NOT_MET = "not met"
    UNKNOWN = "not known"

    def __str__(self) -> str:
        return self.value


class Answer(Struct, frozen=True):
    """An item with its state, a sentence on why, the findings against it, and the records that it was judged by."""

    item: Item
    state: State
    reason: str
    findings: tuple[Finding, ...]
    records: tuple[Related, ...]


def judge(inventory: Inventory, graph: DependencyGraph, findings: Iterable[Finding]) -> tuple[Answer, ...]:
    """Every item of the checklist, answered."""
    opened = [finding for finding in findings if finding.status is Status.OPEN and finding.severity > Severity.INFO]
    return tuple(_answer(item, inventory, graph, opened) for item in ITEMS)


def _answer(item: Item, inventory: Inventory, graph: DependencyGraph, opened: Sequence[Finding]) -> Answer:
    against = tuple(finding for finding in opened if finding.rule in item.denied_by | item.weakened_by)
    subject = tuple(_distinct(_sound(item, inventory, opened)))
    if not subject and not against:
        return _unknown(item, inventory)
    proof = tuple(_distinct(_whole(item, item.proof(inventory), opened))) if item.proof else subject
    if any(finding.rule in item.denied_by for finding in against):
        return Answer(item, State.NOT_MET, _titles(against), against, proof or subject)
    if refuting := tuple(item.refuted(inventory)) if item.refuted else ():
        return Answer(item, State.NOT_MET, _messages(refuting), against, refuting)
    if item.proof and not proof:
        return _unproven(item, inventory, against, subject)
    if against:
        return Answer(item, State.PARTLY, _titles(against), against, proof)
    return _filled(item, proof, tuple(item.gaps(inventory, graph)) if item.gaps else ())


def _filled(item: Item, proof: tuple[Related, ...], gaps: tuple[Related, ...]) -> Answer:
    """The answer where no finding speaks against an item: met, but for gaps that no rule minds."""
    if gaps:
        return Answer(item, State.PARTLY, _messages(gaps), (), gaps)
    return Answer(item, State.MET, item.met, (), proof)


def _unproven(item: Item, inventory: Inventory, against: tuple[Finding, ...], subject: tuple[Related, ...]) -> Answer:
    """The answer where the proof is missing: not met, unless something leaves it open or no rule minds."""
    undecided = tuple(item.undecided(inventory)) if item.undecided else ()
    if undecided:
        return Answer(item, State.UNKNOWN, _messages(undecided), against, undecided)
    if not against:
        return Answer(item, State.UNKNOWN, f"{item.lacking} {item.unminded}".rstrip(), (), subject)
    return Answer(item, State.NOT_MET, item.lacking, against, subject)


def _sound(item: Item, inventory: Inventory, opened: Sequence[Finding]) -> Iterator[Related]:
    """What the repository holds of the kind, without what a finding says is nothing of it."""
    void = _places(finding for finding in opened if finding.rule in item.void_by)
    return (record for record in item.subject(inventory) if str(record.location) not in void)


def _whole(item: Item, proof: Iterable[Related], opened: Sequence[Finding]) -> Iterator[Related]:
    """The proofs without those that a finding calls broken."""
    broken = _places(finding for finding in opened if finding.rule in item.broken_by)
    return (record for record in proof if str(record.location) not in broken)


def _places(findings: Iterable[Finding]) -> set[str]:
    """Where findings and all that they name are."""
    return {str(place) for it in findings for place in (it.location, *(other.location for other in it.related))}


def _distinct(records: Iterable[Related]) -> Iterable[Related]:
    """The records, each place named once for each thing that is said of it."""
    return {(str(record.location), record.message): record for record in records}.values()


def _unknown(item: Item, inventory: Inventory) -> Answer:
    """The answer where there is nothing of the kind, with what there is in its place."""
    beside = tuple(item.beside(inventory)) if item.beside else ()
    said = [record.message[:1].upper() + record.message[1:] for record in beside]
    return Answer(item, State.UNKNOWN, " ".join(filter(None, (item.unknown, _few(said)))), (), beside)


def _titles(findings: Sequence[Finding]) -> str:
    """The titles of what speaks against an item, the worst first."""
    return _few([finding.title for finding in findings])


def _messages(records: Sequence[Related]) -> str:
    """What records say."""
    return _few([record.message for record in records])


def _few(sentences: Iterable[str]) -> str:
    """The first sentences, each once, and how many more there are."""
    distinct = list(dict.fromkeys(sentence.rstrip(".") for sentence in sentences))
    more = f" And {len(distinct) - 2} more." if len(distinct) > 2 else ""
    return " ".join(f"{sentence}." for sentence in distinct[:2]) + more
