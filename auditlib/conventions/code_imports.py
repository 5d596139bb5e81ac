"""Which modules of the repository a program imports when it starts, and which of them its container lacks.

Python looks in the working folder (a server of WSGI or ASGI, a task queue, `python -m`) or in that of the script, and
in PYTHONPATH: https://docs.python.org/3/library/sys_path_init.html. What isn't written out is taken to be there.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from auditlib.conventions import container_files, entry_points, services, starting
from auditlib.conventions.container_files import ContainerFiles
from auditlib.inventory import Inventory
from auditlib.inventory.code import Import
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.module_paths import is_python, of_module
from auditlib.paths import folders_of

_FILES = 500
"""Files that are followed from one entry point."""
_CODE = (".py", ".js", ".mjs", ".cjs")


class Missing(Struct, frozen=True):
    """A file of the build context that a program imports and that its container lacks."""

    path: str
    """In the repository."""
    inside: str
    """Where the container would have it."""
    item: Import
    entry: str
    started: Location
    has_no_package: bool = False
    """Whether it is imported as a neighbour in a package, by a module that Python finds without one."""


class _Layout(Struct, frozen=True):
    """The files of one container by their paths, and the folders in which Python looks for modules."""

    inventory: Inventory
    files: ContainerFiles
    folders: frozenset[str]
    context: str
    roots: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        return path in self.files.origins if not path.endswith("/") else path[:-1] in self.folders

    def lacks(self, path: str) -> bool:
        """Whether the build context has a file, and no instruction brings one of that name and folder."""
        inside = path if self.context == "." else posixpath.relpath(path, self.context)
        named = posixpath.basename(path) in self.files.made
        return inside in self.files.left_out and not named and not self.files.holds("/".join(inside.split("/")[-2:]))


def missing(inventory: Inventory, service: Service) -> list[Missing]:
    """The files that a service's program imports and its container lacks; nothing where not all is known of it."""
    entries = list(_entries(inventory, service))
    if not entries or service.build is None:
        return []
    files = container_files.of(inventory, service)
    if files.unknown or not container_files.is_plain(files) or not files.left_out or _hides(service, files):
        return []
    context = posixpath.normpath(service.build.context)
    layout = _Layout(inventory, files, folders_of(files.origins), context)
    given = _given_roots(inventory, service, files.folder)
    found = []
    for start in entries:
        folder = posixpath.normpath(posixpath.join(files.folder, start.folder))
        places = [posixpath.normpath(posixpath.join(root, path)) for root in (folder, *given) for path in start.paths]
        if inside := next((path for path in places if path in files.origins), ""):
            roots = (_root(layout, start, folder, inside), *given)
            found += _follow(replace(layout, roots=roots), inside, start.place)
    return found


class _Entry(Struct, frozen=True):
    """What a service starts: one of `paths`, as seen from a folder."""

    paths: tuple[str, ...]
    is_module: bool
    in_package: bool
    """Whether the program looks for the package that a script belongs to, as `fastapi run` does."""
    folder: str
    place: Location


def _entries(inventory: Inventory, service: Service) -> Iterator[_Entry]:
    """The modules and scripts of the repository that a service starts and whose imports are known."""
    variables = {entry.name: entry.value.text for entry in service.environment if entry.value}
    known = inventory.importing_names
    own = [(item.words, item.folder, item.location) for item in services.commands(inventory, service)]
    followed = [(item.words, "", item.location) for item in starting.of(inventory, service) if item.followed]
    for words, folder, place in (*own, *followed):
        programs = {posixpath.basename(word) for word in words}
        for found in () if {"cd", "flask"} & programs else entry_points.starts(words, variables):
            paths = tuple(f"{path}__init__.py" if path.endswith("/") else path for path in found.paths)
            if found.kind != "npm" and any(posixpath.basename(path) in known for path in paths):
                yield _Entry(paths, found.kind == "module", "fastapi" in programs, folder, place)


def _root(layout: _Layout, start: _Entry, folder: str, inside: str) -> str:
    """The folder in which Python looks first."""
    if start.is_module:
        return folder
    root = posixpath.dirname(inside)
    while start.in_package and root != "/" and layout.holds(f"{root}/__init__.py"):
        root = posixpath.dirname(root)
    return root


def _hides(service: Service, files: ContainerFiles) -> bool:
    """Whether a volume lies over the program, so that nobody knows what is there."""
    places = {path for path in files.origins if path.endswith(_CODE)}
    targets = [mount.target.rstrip("/") for mount in service.mounts if mount.kind == "volume"]
    return any(path.startswith(f"{target}/") for target in targets for path in places)


def _given_roots(inventory: Inventory, service: Service, home: str) -> list[str]:
    """The folders of PYTHONPATH."""
    values = [entry.value.text for entry in service.environment if entry.name == "PYTHONPATH" and entry.value]
    for item in services.built_from(inventory, service)[1]:
        values += [value.text for name, value in item.variables if name == "PYTHONPATH" and value]
    return [posixpath.normpath(posixpath.join(home, part)) for value in values for part in value.split(":") if part]


def _follow(layout: _Layout, entry: str, started: Location) -> list[Missing]:
    """What is imported from an entry point on, file by file, as far as the container holds the files."""
    origins = layout.files.origins
    waiting = [entry, *_packages(layout, entry)]
    seen = set(waiting)
    lost: list[Missing] = []
    altered = False
    for inside in waiting:  # which grows
        known = layout.inventory.imports_by_path.get(origins[inside])
        if known is None or len(seen) > _FILES:
            continue
        altered = altered or known.alters_path
        for item, module in ((each, name) for each in known.imports for name in _modules(layout, each, inside)):
            there = [path for path in of_module(module, inside, layout.roots) if layout.holds(path)]
            new = [each for path in there if path in origins for each in (path, *_packages(layout, path))]
            waiting += [path for path in dict.fromkeys(new) if path not in seen]
            seen.update(new)
            if not there and (place := _lost(layout, module, inside)):
                alone = module.startswith(".") and is_python(inside) and posixpath.dirname(inside) in layout.roots
                lost.append(Missing(*place, item, origins[entry], started, alone))
    return [found for found in lost if not altered or found.item.module.startswith(".")]


def _packages(layout: _Layout, path: str) -> Iterator[str]:
    """The packages that are loaded before a module in them."""
    while is_python(path) and (path := posixpath.dirname(path)) not in ("", "/", *layout.roots):
        if f"{path}/__init__.py" in layout.files.origins:
            yield f"{path}/__init__.py"


def _modules(layout: _Layout, item: Import, path: str) -> Iterator[str]:
    """The module that an import names, and the names that can only be modules as their package says nothing."""
    if item.module.strip("."):
        yield item.module
    if is_python(path):
        package = [found for found in of_module(item.module, path, layout.roots) if found.endswith("/__init__.py")]
        says = any(layout.holds(found) for found in package) or not package
        plain = [] if says else [name for name in item.names if name != "*"]
        yield from (f"{item.module}{'' if item.module.endswith('.') else '.'}{name}" for name in plain)


def _lost(layout: _Layout, module: str, inside: str) -> tuple[str, str] | None:
    """The file of the repository that a module is, and its place in the container, if the build leaves it out."""
    if is_python(inside) and not module.startswith(".") and _is_library(layout, module.partition(".")[0]):
        return None
    origin = layout.files.origins[inside]
    for path in of_module(module, inside, layout.roots):
        outside = _moved(path, inside, origin)
        if outside in layout.inventory.file_set and not path.endswith("/"):
            return (outside, path) if layout.lacks(outside) else None
    return None


def _moved(path: str, inside: str, origin: str) -> str:
    """Where a path of the container is in the repository, as seen from a file that both have."""
    shared = posixpath.commonpath([posixpath.dirname(inside), path])
    rest = posixpath.relpath(inside, shared)
    if origin != rest and not origin.endswith(f"/{rest}"):
        return ""
    return posixpath.normpath(posixpath.join(origin[: len(origin) - len(rest)], posixpath.relpath(path, shared)))


def _is_library(layout: _Layout, package: str) -> bool:
    """Whether a module may be Python's own or an installed one; a package in the container comes before these."""
    if any(layout.holds(f"{root}/{package}/") for root in layout.roots[:1]):
        return False
    name = package.replace("_", "-").lower()
    needed = any(name in need.name for item in layout.inventory.manifests for need in item.requirements)
    installed = re.search(rf"\b{re.escape(package)}\b", layout.files.installed) is not None
    return package in sys.stdlib_module_names or needed or installed
