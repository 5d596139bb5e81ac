"""Which path an application of Express puts before the routes of a router of another file.

Follows https://expressjs.com/en/guide/routing.html#express-router. Only what the application that is served includes by
a literal path, and by the name or the path of the router's module, is followed.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec.structs import replace

from auditlib.inventory.code import Route
from auditlib.patterns import regex
from auditlib.source import Source

_USE = regex(
    r"\b\w+\.use\(\s{0,60}['\"`](?P<prefix>/[^'\"`\n]{0,200})['\"`]\s{0,60},"
    r"(?P<given>[^;\n]{1,300}?)\)\s{0,60};?[ \t]{0,60}$",
    re.M,
)
_REQUIRED = regex(r"require\(\s*['\"](?P<path>\.{1,2}/[^'\"\n]{1,200})['\"]\s*\)")
_IMPORTED = regex(
    r"^[ \t]*(?:(?:const|let|var)[ \t]+(?P<name>\w+)[ \t]*=[ \t]*"
    r"require\(\s*['\"](?P<path>\.{1,2}/[^'\"\n]{1,200})['\"]\s*\)"
    r"|import[ \t]+(?P<default>\w+)[ \t]+from[ \t]+['\"](?P<module>\.{1,2}/[^'\"\n]{1,200})['\"])",
    re.M,
)
_ENDINGS = ("", ".js", ".ts", ".mjs", ".cjs", "/index.js", "/index.ts")


def whole(source: Source, routes: list[Route]) -> Iterator[Route]:
    """The routes, those of routers with what stands before them, where just one application includes the router."""
    files = {route.location.file for route in routes}
    prefixes: defaultdict[str, set[str]] = defaultdict(set)
    for file in {route.location.file for route in routes if route.whole}:
        for target, prefix in _included(source.text(file), file, files):
            prefixes[target].add(prefix)
    for route in routes:
        before = prefixes.get(route.location.file, set())
        if route.whole or len(before) != 1:
            yield route
        else:
            yield replace(route, path=next(iter(before)).rstrip("/") + route.path, whole=True)


def _included(text: str, file: str, files: set[str]) -> Iterator[tuple[str, str]]:
    """The files of the routers that an application includes; one that it includes without a path twice, so to speak."""
    known = {
        match["name"] or match["default"]: _file(match["path"] or match["module"], file, files)
        for match in _IMPORTED.finditer(text)
    }
    for match in _USE.finditer(text):
        required = _REQUIRED.search(match["given"])
        names = re.findall(r"\w+", match["given"])
        target = _file(required["path"], file, files) if required else known.get(names[-1] if names else "", "")
        if target:
            yield target, match["prefix"]
    for name, target in known.items():
        if target and re.search(rf"\.use\(\s*{name}\b", text):
            yield target, "/"


def _file(module: str, origin: str, files: set[str]) -> str:
    """The file of routes that a module's path leads to; TypeScript is imported under the name that it gets."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), module))
    stem = posixpath.splitext(path)[0] if path.endswith((".js", ".mjs")) else path
    return next((found for base in (path, stem) for end in _ENDINGS if (found := base + end) in files), "")
