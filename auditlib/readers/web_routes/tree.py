"""The routes of all files with their whole paths: each router is followed up to what includes it."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.inventory.code import Route
from auditlib.readers.web_routes.python import Declarations, Declared, Inclusion

_DEPTH = 10
_PATHS = 20
"""Prefixes of one router that are kept; a router may be included many times, and its parents too."""

_Router = tuple[str, str]
"""A router: the file and the name that it has there."""


def routes(files: list[Declarations]) -> Iterator[Route]:
    """Every route, once for each way in which its router is included."""
    tree = _Tree(files)
    for item in files:
        for route in (*item.routes, *tree.missing(item)):
            served = not tree.mounts and tree.is_served((item.file, route.router)) and not route.path.startswith("/{")
            for prefix in tree.prefixes((item.file, route.router)):
                path = _join(prefix, route.path)
                whole = served and "{" not in prefix
                yield Route(route.method, path, route.framework, route.location, route.generated, whole)


class _Tree:
    def __init__(self, files: list[Declarations]) -> None:
        self.files = {item.file: item for item in files}
        self.by_module: defaultdict[str, list[str]] = defaultdict(list)
        for file in self.files:
            self.by_module[_module_name(file)].append(file)
        self.known: dict[_Router, list[str]] = {}
        self.parents: defaultdict[_Router, list[tuple[_Router, str]]] = defaultdict(list)
        self.mounts = any(item.mounts for item in files)
        for item in files:
            for inclusion in item.inclusions:
                if target := self._target(item.file, inclusion):
                    self.parents[target].append(((item.file, inclusion.parent), inclusion.prefix))

    def missing(self, item: Declarations) -> list[Declared]:
        """What stands for the routes of inclusions that the repository doesn't have, those of libraries."""
        absent = (found.origin for found in item.inclusions if self._target(item.file, found) is None)
        return [item.fallbacks[origin] for origin in absent if origin in item.fallbacks]

    def is_served(self, router: _Router, depth: int = 0) -> bool:
        """Whether a router is an application, or is included by nothing but routers of which that is true."""
        item, parents = self.files.get(router[0]), self.parents.get(router, [])[:_PATHS]
        if item is not None and router[1] in item.applications:
            return True
        return bool(parents) and depth < _DEPTH and all(self.is_served(parent, depth + 1) for parent, _ in parents)

    def prefixes(self, router: _Router, depth: int = 0) -> list[str]:
        """The prefixes that a router's routes have; several if it is included several times."""
        if router not in self.known:
            item = self.files.get(router[0])
            own = item.prefixes.get(router[1], "") if item else ""
            self.known[router] = [own]  # a router that includes itself ends here
            parents = self.parents.get(router, [])[:_PATHS] if depth < _DEPTH else []
            found = [
                _join(above, _join(prefix, own))
                for parent, prefix in parents
                for above in self.prefixes(parent, depth + 1)
            ]
            self.known[router] = list(dict.fromkeys(found))[:_PATHS] or [own]
        return self.known[router]

    def _target(self, file: str, inclusion: Inclusion) -> _Router | None:
        module, _, name = inclusion.origin.rpartition(".")
        if not module:
            return file, name
        if module.startswith("."):
            level = len(module) - len(module.lstrip("."))
            folder = file
            for _ in range(level):
                folder = posixpath.dirname(folder)
            wanted = posixpath.join(folder, module.lstrip(".").replace(".", "/"))
        else:
            wanted = module.replace(".", "/")
        found = self._file(wanted, file)
        return (found, name) if found else None

    def _file(self, wanted: str, origin: str) -> str | None:
        """The file of a module: of several with such a name the one nearest to the file that imports it."""
        candidates = [
            file for file in self.by_module[posixpath.basename(wanted)] if f"/{_stem(file)}".endswith(f"/{wanted}")
        ]
        return max(candidates, key=lambda file: len(posixpath.commonprefix([file, origin])), default=None)


def _stem(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__")


def _module_name(file: str) -> str:
    return posixpath.basename(_stem(file))


def _join(prefix: str, path: str) -> str:
    if not prefix or not path:
        return prefix or path
    return f"{prefix.rstrip('/')}/{path.lstrip('/')}"
