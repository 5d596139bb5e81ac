"""What a service starts: its own command, the command of its image, and what the scripts and npm scripts in them run.

Follows https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import mounts, services
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.stack import Service
from auditlib.model import Location

_INTERPRETERS = frozenset({"sh", "bash", "ash", "/bin/sh", "/bin/bash", "exec", "tini", "--", "dumb-init"})
_MANAGERS = frozenset({"npm", "yarn", "pnpm", "bun"})


class Start(Struct, frozen=True):
    """Words that run when a service starts, and where they stand. `followed`: in a script that the service calls."""

    words: tuple[str, ...]
    location: Location
    followed: bool = False


def of(inventory: Inventory, service: Service) -> list[Start]:
    """Everything that a service starts, as far as the repository holds it; Compose's words win over the image's."""
    own = list(_own(inventory, service))
    return own + [found for start in own for found in _followed(inventory, service, start)]


def _own(inventory: Inventory, service: Service) -> Iterator[Start]:
    place = service.command_location or service.location
    if service.entrypoint or service.command:
        yield Start((*service.entrypoint, *service.command), place)
    if service.entrypoint or service.clears_entrypoint:
        return
    last = {item.keyword: item for item in services.built_from(inventory, service)[1]}
    for keyword in ("ENTRYPOINT", *(() if service.command else ("CMD",))):
        if keyword in last:
            yield Start(last[keyword].words, last[keyword].location)


def _followed(inventory: Inventory, service: Service, start: Start) -> Iterator[Start]:
    words = [part for word in start.words for part in word.split() if part not in _INTERPRETERS]
    path = script(inventory, service, words[0]) if words else ""
    if path:
        yield from (Start(item.words, item.location, True) for item in inventory.scripts_by_path[path].commands)
    elif words and words[0] in _MANAGERS and len(words) > 1:
        yield from _of_manifest(inventory, service, words[2] if words[1:2] == ["run"] and words[2:] else words[1])


def script(inventory: Inventory, service: Service, word: str) -> str:
    """The script of the repository that a container has under a path: mounted, or the only one of its name."""
    mounted = mounts.path_outside(service, word)
    if mounted in inventory.scripts_by_path:
        return mounted
    context = posixpath.normpath(service.build.context) if service.build and not service.build.outside else None
    if context is None:
        return ""
    name, folder = posixpath.basename(word), "" if context == "." else context
    found = [path for path in _by_name(inventory).get(name, ()) if mounts.is_below(path, folder)]
    return found[0] if len(found) == 1 else ""


@answered_once
def _by_name(inventory: Inventory) -> dict[str, list[str]]:
    """The paths of the scripts by their names."""
    found: dict[str, list[str]] = {}
    for path in inventory.scripts_by_path:
        found.setdefault(posixpath.basename(path), []).append(path)
    return found


def _of_manifest(inventory: Inventory, service: Service, script: str) -> Iterator[Start]:
    context = service.build.context if service.build and not service.build.outside else None
    path = None if context is None else posixpath.normpath(posixpath.join(context, "package.json"))
    for manifest in inventory.manifests:
        if manifest.path == path:
            for target in manifest.targets:
                if target.name == script:
                    yield from (Start(item.words, item.location, True) for item in target.commands)
