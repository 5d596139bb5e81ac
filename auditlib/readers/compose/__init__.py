"""Compose projects, resolved by `auditlib.compose`, as records.

Every project of the repository is read with all profiles and an empty environment, never the auditor's own. A base
goes with what is deployed with it (see `starts`), or with its override; a stand-alone file is a base too. An overlay is
resolved over its base, and its project holds only what it adds or changes (see `stack.Service`). What Compose would
refuse is a `Problem`, and the file partly read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import structs

from auditlib import compose
from auditlib.model import Read
from auditlib.readers.compose import raw, swarm
from auditlib.readers.compose.combinations import FILE_LIMIT, combinations
from auditlib.readers.compose.coverage import Progress
from auditlib.readers.compose.overlays import only_changes, set_aside
from auditlib.readers.compose.projects import Plan, Resolved, plans, resolve
from auditlib.readers.compose.starts import Start
from auditlib.readers.compose.told_bases import told_bases
from auditlib.readers.reading import Reading
from auditlib.source import Source, Unreadable

KIND = "compose"


def read(source: Source, starts: Sequence[Start] = (), calls: swarm.Calls = swarm.NONE) -> Reading:
    """The records of every Compose project, and how far each of their files was understood."""
    progress = Progress(KIND)
    found: list[Resolved] = []
    plain: dict[str, Resolved | None] = {}
    for plan in _told_apart(source, _plans(source, starts, progress), calls):
        resolved = _resolved(source, plan, progress)
        if resolved is None:
            continue
        progress.add(resolved)
        if plan.base_file:
            if plan.base_file not in plain:
                plain[plan.base_file] = _resolved(source, plan.of_its_base(), Progress(KIND))
            resolved = only_changes(resolved, plain[plan.base_file], source)
        found.append(resolved)
    return Reading([record for item in set_aside(found) for record in item.records()], progress.entries())


def _told_apart(source: Source, planned: list[Plan], calls: swarm.Calls) -> Iterator[Plan]:
    """The plans, with those marked that are stacks of Swarm."""
    every = {file for plan in planned for file in plan.files}
    for plan in planned:
        said = "\n".join(raw.comments(source, file) for file in plan.files)
        yield structs.replace(plan, for_swarm=swarm.is_stack(calls, plan.files, said, every))


def _plans(source: Source, starts: Sequence[Start], progress: Progress) -> list[Plan]:
    try:
        found = compose.discover(source.root, source.files)
    except Exception as error:  # a defect of the loader must not cost the audit; it is reported
        progress.note(".", Read.FAILED, f"Compose projects can't be told apart: {type(error).__name__}")
        return []
    for item in found:
        for other in item.others:
            progress.note(other, Read.SKIPPED, f"Compose passes over it, since {item.name} is beside it")
    for start in starts:
        if len(start.files) > FILE_LIMIT:
            reason = f"starts {len(start.files)} Compose files together; more than {FILE_LIMIT} are not read as one"
            progress.note(start.location.file, Read.PARTIAL, reason, start.location.line)
    deployed = combinations(found, [start for start in starts if len(start.files) <= FILE_LIMIT])
    return plans(found, deployed, told_bases(source, found, deployed))


def _resolved(source: Source, plan: Plan, progress: Progress) -> Resolved | None:
    """A project of the plan; None, and a failed file, if it can't be read or the loader fails."""
    readable = _readable(source, plan, progress)
    if not {plan.files[0], plan.own_file}.issubset(readable):
        if plan.own_file in readable:
            progress.note(plan.own_file, Read.FAILED, f"can't be read without {plan.files[0]}")
        return None
    try:
        return resolve(source, structs.replace(plan, files=readable))
    except Unreadable as error:
        progress.note(plan.own_file, Read.FAILED, error.reason, error.line)
    except Exception as error:  # a defect of the loader must not cost the audit; it is reported
        progress.note(plan.own_file, Read.FAILED, f"the Compose loader failed: {type(error).__name__}")
    return None


def _readable(source: Source, plan: Plan, progress: Progress) -> tuple[str, ...]:
    """The files of a plan within the limits, whose secrets become known; each other file is noted as failed."""
    found: list[str] = []
    for file in plan.files:
        try:
            source.text(file)
        except Unreadable as error:
            progress.note(file, Read.FAILED, error.reason, error.line)
        else:
            found.append(file)
    return tuple(found)
