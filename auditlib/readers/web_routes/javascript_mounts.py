"""Which path an application of Express or Fastify puts before the routes of a router of another file.

Follows https://expressjs.com/en/guide/routing.html#express-router and
https://fastify.dev/docs/latest/Reference/Routes/#route-prefixing. Only what the application that is served includes by
a literal path, and by the name or the path of the router's module, is followed; and functions of other files that it
has declare their routes at it, or at a router of its own (`registerUsers(app)`).
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
_NAMED = regex(
    r"^[ \t]*(?:import[ \t]*\{(?P<names>[^{}]{1,1000})\}[ \t]*from[ \t]*['\"](?P<module>\.{1,2}/[^'\"\n]{1,200})['\"]"
    r"|(?:const|let|var)[ \t]*\{(?P<parts>[^{}]{1,1000})\}[ \t]*=[ \t]*"
    r"require\(\s*['\"](?P<path>\.{1,2}/[^'\"\n]{1,200})['\"]\s*\))",
    re.M,
)
_LOCAL = regex(r"\w+$")
_APPLICATION = regex(
    r"\b(?:const|let|var)\s+(?P<name>\w+)\s*(?::\s*[\w.<>]+\s*)?=\s*(?:express|[Ff]astify)\s*(?:<[^<>()\n]{0,200}>)?\("
)
_OWN = regex(r"\bRouter\(|\b(?:express|[Ff]astify)\(|['\"]fastify-plugin['\"]")
"""What makes a router, so that a file's routes aren't those of one that it is given; a plugin of that package takes no
path from who registers it.
"""
_REGISTER = regex(
    r"\.register\(\s*(?P<name>\w+)\s*"
    r"(?:\)|,\s*\{[^{}\n]{0,200}\bprefix\s*:\s*['\"](?P<prefix>/[^'\"\n]{0,200})['\"][^{}\n]{0,200}\}\s*\))"
)
"""A plugin of Fastify, with the path that stands before its routes."""
_TEST = regex(r"(?:^|/)(?:tests?|__tests__|e2e)/|\.(?:test|spec)\.")
_ENDINGS = ("", ".js", ".ts", ".mjs", ".cjs", "/index.js", "/index.ts")


def lone_applications(source: Source, paths: list[str]) -> frozenset[str]:
    """The files with the only application of a package that listens: nothing puts it below a path."""
    packages = {posixpath.dirname(path) for path in source.files if posixpath.basename(path) == "package.json"}
    found: defaultdict[str, list[str]] = defaultdict(list)
    listening: set[str] = set()
    for path in paths:
        if not _TEST.search(path):
            text, home = source.text(path), _package(path, packages)
            found[home] += [path] * len(_APPLICATION.findall(text))
            if ".listen(" in text:
                listening.add(home)
    return frozenset(files[0] for home, files in found.items() if len(files) == 1 and home in listening)


def _package(path: str, packages: set[str]) -> str:
    """The folder of the package that a file belongs to."""
    folder = posixpath.dirname(path)
    while folder and folder not in packages:
        folder = posixpath.dirname(folder)
    return folder


def whole(source: Source, routes: list[Route]) -> Iterator[Route]:
    """The routes, those of routers with what stands before them, where just one application includes the router."""
    files = {route.location.file for route in routes}
    prefixes: defaultdict[str, set[str]] = defaultdict(set)
    for file in {route.location.file for route in routes if route.whole}:
        text = source.text(file)
        for target, prefix in (*_included(text, file, files), *_registered(source, text, file, files)):
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


def _registered(source: Source, text: str, file: str, files: set[str]) -> Iterator[tuple[str, str]]:
    """The files of functions that are given a router of this one, with what stands before its routes."""
    mounted = {match["name"]: "/" for match in _APPLICATION.finditer(text)}
    for match in _USE.finditer(text):
        for name in re.findall(r"\w+", match["given"])[-1:]:
            mounted.setdefault(name, match["prefix"])
    plugins = {match["name"]: match["prefix"] or "/" for match in _REGISTER.finditer(text)}
    for name, target in _named(text, file, files):
        if name in plugins and not _OWN.search(source.text(target)):
            yield target, plugins[name]
        given = re.search(rf"(?<![\w.]){name}\(\s*(\w+)\s*[,)]", text)
        if given and given[1] in mounted and not _OWN.search(source.text(target)):
            yield target, mounted[given[1]]


def _named(text: str, file: str, files: set[str]) -> Iterator[tuple[str, str]]:
    """The names that a file takes of others with routes, each with its file."""
    for match in _IMPORTED.finditer(text):
        if target := _file(match["path"] or match["module"], file, files):
            yield match["name"] or match["default"], target
    for match in _NAMED.finditer(text):
        if target := _file(match["path"] or match["module"], file, files):
            for part in (match["names"] or match["parts"]).split(","):
                if local := _LOCAL.search(part.strip()):
                    yield local[0], target


def _file(module: str, origin: str, files: set[str]) -> str:
    """The file of routes that a module's path leads to; TypeScript is imported under the name that it gets."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), module))
    stem = posixpath.splitext(path)[0] if path.endswith((".js", ".mjs")) else path
    return next((found for base in (path, stem) for end in _ENDINGS if (found := base + end) in files), "")
