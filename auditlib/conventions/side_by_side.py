"""Which Compose projects of a repository run on one host together, as its commands, documents and networks show it."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.compose.discovery import BASES
from auditlib.conventions import compose_calls
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Project
from auditlib.model import Location
from auditlib.patterns import regex

_WATCHES = regex(r"(?:^|[._-])(?:monitoring|observability|telemetry|metrics|logging|tracing)(?=[._-])", re.IGNORECASE)
"""How a file of services that watch others is called, which is run beside them."""


class Pair(Struct, frozen=True):
    """Two projects, and what shows that they run together: a call that names both, a network that both join, or the
    name of a file that is there to watch the other's services.
    """

    one: Project
    other: Project
    location: Location
    called: bool
    watches: bool = False


def pairs(inventory: Inventory) -> Iterator[Pair]:
    """Every pair of projects that aren't two forms of the same: those share services by their names."""
    found: dict[tuple[str, str], Pair] = {}
    for pair in (*_called(inventory), *_joined(inventory), *_watching(inventory)):
        names = (inventory.services_of(item.name).keys() for item in (pair.one, pair.other))
        if set(next(names)).isdisjoint(next(names)):
            found.setdefault((pair.one.name, pair.other.name), pair)
    yield from found.values()


def _called(inventory: Inventory) -> Iterator[Pair]:
    """The projects whose files one call names; an overlay is a part of its base already."""
    for call, place in compose_calls.everywhere(inventory):
        if len(call.files) > 1:
            folders = ("", posixpath.dirname(place.file))
            paths = {posixpath.normpath(posixpath.join(folder, file)) for folder in folders for file in call.files}
            together = [item for item in inventory.base_projects if item.location.file in paths]
            yield from (Pair(one, other, place, True) for one, other in itertools.combinations(together, 2))


def _joined(inventory: Inventory) -> Iterator[Pair]:
    """The projects that meet in a network that exists for all of a host."""
    projects = {item.name: item for item in inventory.base_projects if not item.aside}
    users: defaultdict[str, dict[str, Location]] = defaultdict(dict)
    for network in inventory.networks:
        joined = any(
            attachment.network == network.name
            for service in inventory.services_of(network.project).values()
            for attachment in service.networks
        )
        if network.project in projects and joined and (network.external or network.called):
            users[network.called or network.name].setdefault(network.project, network.location)
    for mine in users.values():
        for one, other in itertools.combinations(mine, 2):
            yield Pair(projects[one], projects[other], mine[other], False)


def _watching(inventory: Inventory) -> Iterator[Pair]:
    """The base of a folder, and what lies beside it to watch its services."""
    mine = [item for item in inventory.base_projects if not item.aside]
    bases = {posixpath.dirname(item.location.file): item for item in mine
             if posixpath.basename(item.location.file) in BASES}  # fmt: skip
    for item in mine:
        folder, name = posixpath.split(item.location.file)
        if folder in bases and _WATCHES.search(name):
            yield Pair(bases[folder], item, item.location, called=False, watches=True)
