"""Which packages of Go a service's program is made of, where an image is built from a tree that holds several programs.

`go build ./cmd/api` compiles that folder and what it imports: https://pkg.go.dev/cmd/go#hdr-Compile_packages_and_dependencies
"""

from __future__ import annotations

import posixpath
from collections import defaultdict

from auditlib.conventions import services
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once, answered_once_each
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

_VARIABLE = regex(r"\$\{?(\w+)\}?")


@answered_once_each
def reached(inventory: Inventory, service: Service) -> frozenset[str]:
    """The folders of the program in Go that a service's image builds, and of all that it imports; empty if unknown."""
    builder = inventory.image_builders.get((service.project, service.image), service)
    built = services.dockerfile(inventory, builder)
    mains = {item.word for item in inventory.code_traits if item.kind == "go main"} if built else set[str]()
    named = frozenset(folder for folder in mains if folder and built and _names(builder, built, folder))
    return _followed(inventory, named)


def _names(service: Service, built: Dockerfile, folder: str) -> bool:
    """Whether the steps of a Dockerfile name a folder, with the arguments of the build in their places."""
    given = {name: value.text for item in built.instructions for name, value in item.variables if value}
    given |= {name: value.text for name, value in service.build.arguments if value} if service.build else {}
    context = posixpath.normpath(service.build.context) if service.build else "."
    inside = folder if context == "." else posixpath.relpath(folder, context)
    text = " ".join(item.argument for item in built.instructions if item.keyword == "RUN")
    expanded = _VARIABLE.sub(lambda match: given.get(match[1], match[0]), text)
    return any(word.strip("\"'").removeprefix("./").rstrip("/").removesuffix("/main.go") == inside
               for word in expanded.split())  # fmt: skip


@answered_once
def _imports(inventory: Inventory) -> dict[str, set[str]]:
    """By the folder of a package in Go the folders of the repository that it imports."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for item in inventory.code_traits:
        if item.kind == "go import":
            found[posixpath.dirname(item.location.file)].add(item.word)
    return found


def _followed(inventory: Inventory, starts: frozenset[str]) -> frozenset[str]:
    imports = _imports(inventory)
    found, waiting = set(starts), list(starts)
    while waiting:
        new = imports.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return frozenset(found)
