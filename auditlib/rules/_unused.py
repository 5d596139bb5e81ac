"""What a project declares and none of its services uses, for the rules on networks, volumes and secrets."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator

from auditlib.conventions import compose_calls, stacks
from auditlib.inventory import Inventory
from auditlib.inventory.stack import FileObject, Network, Project, Service, Volume
from auditlib.model import Related
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence


def findings(
    inventory: Inventory,
    kind: str,
    verb: str,
    declared: Iterable[Network | Volume | FileObject],
    used_by: Callable[[Service], Iterable[str]],
) -> Iterator[Evidence]:
    """For each base project one finding for all that neither it nor an overlay of it uses, nor a file that some call of
    Compose names beside it.

    `kind` is `network`, `volume` or `secret`, `verb` what a service does with one (`joins`).
    """
    own = stacks.by_project(inventory.services)
    everything = stacks.by_project(declared)
    read = {posixpath.basename(file) for project in inventory.projects for file in project.files}
    unread = {posixpath.basename(file) for file in inventory.files} - read
    for project in inventory.base_projects:
        family = inventory.family(project.name)
        mine = [service for name in family for service in own.get(name, [])]
        added = _added(inventory, project)
        if any("$" in name or name in unread for name in added):
            continue  # what they use isn't known
        beside = (item for item in inventory.services if posixpath.basename(item.location.file) in added)
        used = {name for service in (*mine, *beside) for name in used_by(service)}
        unused: dict[str, Network | Volume | FileObject] = {}
        for item in (item for name in family for item in everything.get(name, [])):
            if item.name not in used:
                unused.setdefault(item.name, item)
        if unused and mine:
            yield _evidence(project.name, kind, verb, list(unused.values()))


def _added(inventory: Inventory, project: Project) -> set[str]:
    """The files that some call of Compose names together with a project's own."""
    calls = [{*map(posixpath.basename, call.files)} for call, _ in compose_calls.everywhere(inventory)]
    own = posixpath.basename(project.location.file)
    return {name for names in calls if own in names for name in names - {own}}


def _evidence(project: str, kind: str, verb: str, unused: list[Network | Volume | FileObject]) -> Evidence:
    first, *others = unused
    names = listed(item.name for item in unused)
    one = not others
    return Evidence(
        f"No service {verb} the {kind if one else kind + 's'} {names}.",
        first.location,
        subject=f"{project}/{kind}s",
        related=tuple(Related(item.location, f"{item.name} is used by no service", member=True) for item in others),
        recommendation=f"Remove {names} from `{kind}s`, or use {'it' if one else 'them'} where "
        f"{'it was' if one else 'they were'} meant to be.",
        example=f"{kind}s:\n" + "\n".join(f"  # {item.location}: without {item.name}" for item in unused),
    )
