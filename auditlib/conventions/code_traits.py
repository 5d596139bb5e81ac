"""What is known of the code of the services that are deployed: the traits of what each is built from."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from auditlib.conventions import (
    entry_points,
    environments,
    go_packages,
    image_folders,
    mounts,
    server_traits,
    services,
    starting,
)
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.code import CodeTrait
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Service
from auditlib.phrases import listed

_WHOLE = frozenset({".", "./", "/"})
_CODE = (".py", ".js", ".ts", ".mjs", ".cjs")


class Use(Struct, frozen=True):
    """A trait of a file, and the deployed services that are built from it; none where only an image is built."""

    trait: CodeTrait
    services: tuple[Service, ...]


@answered_once
def _programs(inventory: Inventory) -> list[tuple[Service, Dockerfile | None, list[str]]]:
    """The services that run all the time and are built here, with the folders of their code."""
    found = []
    for service in inventory.deployed_services:
        builder = inventory.image_builders.get((service.project, service.image), service)
        own = builder.build is not None and not builder.build.outside and not builder.build.inline
        if own and not environments.is_for_developers(inventory, service) and not services.is_one_shot(service):
            built = services.dockerfile(inventory, builder)
            found.append((service, built, folders(builder, built)))
    return found


def folders(service: Service, built: Dockerfile | None) -> list[str]:
    """Where the code of a service lies: of an image of its whole context there, unless its Dockerfile lies deeper."""
    context = posixpath.normpath(service.build.context) if service.build else "."
    root = "" if context == "." else context
    if built is None:
        return [root]
    homes = image_folders.of_sources(service, built)
    whole = any(
        item.copies_context and not _WHOLE.isdisjoint(word.strip("\"'") for word in item.words[:-1])
        for item in built.instructions
    )
    return [*homes, root] if whole else homes


def of(inventory: Inventory, *kinds: str) -> list[Use]:
    """The traits of these kinds in the code of deployed services; in all code where images are built for others."""
    found = [item for item in inventory.code_traits if item.kind in kinds]
    if not found:
        return []
    programs = _programs(inventory)
    if not programs:
        elsewhere = bool(inventory.cluster_files) or not any(item.build for item in inventory.services)
        alone = bool(inventory.dockerfiles) and elsewhere
        return [Use(item, ()) for item in found] if alone else []
    uses = (Use(item, tuple(_builders(inventory, programs, item.location.file))) for item in found)
    return [item for item in uses if item.services]


def _builders(
    inventory: Inventory, programs: list[tuple[Service, Dockerfile | None, list[str]]], path: str
) -> Iterator[Service]:
    for service, built, homes in programs:
        if any(mounts.is_below(path, home) for home in homes) and _is_of(inventory, service, built, path):
            yield service


def _is_of(inventory: Inventory, service: Service, built: Dockerfile | None, path: str) -> bool:
    """Whether a file of an image that holds several programs is a part of the one that a service starts."""
    if path.endswith(".go"):
        reached = go_packages.reached(inventory, service) if built else frozenset()
        alone = built is None or server_traits.is_of(inventory, service, built, path)
        return posixpath.dirname(path) in reached if reached else alone
    mine, top = _tops(inventory).get(service.key, frozenset()), _top(service, path)
    if others := _starters(inventory).get(path):
        return service.key in others
    if mine and path.endswith(".py"):
        return not top or top in mine
    return not mine or top in mine or not any(top in found for found in _tops(inventory).values())


@answered_once
def _tops(inventory: Inventory) -> dict[str, frozenset[str]]:
    """By service the folders, right below its context, of what it starts and of what Python imports there."""
    imports: defaultdict[str, set[str]] = defaultdict(set)
    for item in inventory.code_traits:
        if item.kind == "py import":
            imports[item.location.file].add(item.word)
    return {service.key: _spread(service, _started(inventory, service, built), imports)
            for service, built, _ in _programs(inventory)}  # fmt: skip


@answered_once
def _starters(inventory: Inventory) -> dict[str, set[str]]:
    """By each script of Python right below a context, which no module imports, the services that start it by name."""
    imported = {item.word for item in inventory.code_traits if item.kind == "py import"}
    found: defaultdict[str, set[str]] = defaultdict(set)
    for service, _, _ in _programs(inventory):
        context = posixpath.normpath(service.build.context) if service.build else "."
        for path in _entries(inventory, service):
            name = posixpath.normpath(path)
            if "/" not in name and name.endswith(".py") and name.removesuffix(".py") not in imported:
                found[posixpath.normpath(posixpath.join(context, name))].add(service.key)
    return found


def _entries(inventory: Inventory, service: Service) -> list[str]:
    words = (start.words for start in starting.of(inventory, service))
    return [path for each in words for item in entry_points.starts(each, {}) for path in item.paths]


def _started(inventory: Inventory, service: Service, built: Dockerfile | None) -> frozenset[str]:
    """The folders of the files that a service starts; else that of its Dockerfile, where code lies beside it."""
    paths = _entries(inventory, service)
    context = posixpath.normpath(service.build.context) if service.build else "."
    found = {path.split("/")[0] for path in paths if "/" in path.strip("/")}
    there = {_existing(inventory, context, top) for top in found}
    beside = posixpath.dirname(built.path) if built else ""
    if found or built is None or not beside or beside == context:
        return frozenset(there if "" not in there else ())
    code = any(path.startswith(f"{beside}/") and path.endswith(_CODE) for path in inventory.files)
    return frozenset({_top(service, built.path)}) if code else frozenset()


def _existing(inventory: Inventory, context: str, top: str) -> str:
    """The folder of a package, or `src` that holds it; empty where it is in neither."""
    there = [
        name
        for name in (top, f"src/{top}")
        if posixpath.normpath(posixpath.join(context, name)) in inventory.folder_set
    ]
    return there[0].split("/")[0] if there else ""


def _spread(service: Service, starts: frozenset[str], imports: dict[str, set[str]]) -> frozenset[str]:
    """The folders, and those that modules of Python in them import from the same context."""
    by_top: defaultdict[str, set[str]] = defaultdict(set)
    for path, found in imports.items() if starts else ():
        by_top[_top(service, path)] |= found
    reached, waiting = set(starts), list(starts)
    while waiting:
        new = (by_top[waiting.pop()] & by_top.keys()) - reached
        reached |= new
        waiting += new
    return frozenset(reached)


def _top(service: Service, path: str) -> str:
    """The folder right below the context that a file lies in; of a file beside it there is none."""
    context = posixpath.normpath(service.build.context) if service.build else "."
    inside = path if context == "." else posixpath.relpath(path, context)
    return inside.split("/")[0] if "/" in inside else ""


def without(inventory: Inventory, uses: Iterable[Use], *kinds: str, same: bool = False) -> list[Use]:
    """The uses by services whose code has no trait of other kinds; `same`: of the same word."""
    others = of(inventory, *kinds)

    def remedied(use: Use) -> bool:
        names = {item.key for item in use.services}
        return any(
            (not same or other.trait.word == use.trait.word)
            and (not names or not names.isdisjoint(item.key for item in other.services))
            for other in others
        )

    return [use for use in uses if not remedied(use)]


def names(uses: Iterable[Use]) -> str:
    """The services of uses, as a sentence lists them; `the program` where none is known."""
    return listed(dict.fromkeys(item.name for use in uses for item in use.services)) or "the program"


def where(uses: Iterable[Use], holds: Callable[[Service], bool]) -> list[Use]:
    """The uses less the services of which something doesn't hold."""
    kept = (Use(use.trait, tuple(filter(holds, use.services))) for use in uses)
    return [use for use in kept if use.services]
