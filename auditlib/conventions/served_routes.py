"""Which of the routes that code declares are those of what a service runs, and which paths files answer to by their
place alone.

Follows https://nextjs.org/docs/app/getting-started/layouts-and-pages and https://go.dev/doc/modules/layout.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from auditlib.conventions import build_context, builds, own_images, services
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.code import Route
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

_PROGRAM = regex(r"(?:^|/)cmd/(?P<name>[\w.-]+)/")
_BUILT = regex(r"(?:^|[\s/])cmd/(?P<name>[\w-]+|\.\.\.)")
_PAGE = regex(r"(?:^|/)(?:app/(?P<app>(?:.+/)?)page|pages/(?P<page>.+))\.[jt]sx?$")
_UNKNOWN = regex(r"[$]|^<<|://")
"""A source of COPY or ADD that a variable holds, that stands in the Dockerfile, or that lies elsewhere."""
_GROUP = regex(r"(?:^|/)\([^/)]*\)(?=/|$)")
_PARAMETER = regex(r"\\\[+(?P<rest>\\\.\\\.\\\.)?[^/\]]*\\\]+")


def folders(inventory: Inventory, service: Service) -> frozenset[str]:
    """The folders that the image of a service is built from, by Compose or by a workflow; the root is empty."""
    build = service.build
    if build is not None:
        return frozenset() if build.outside else frozenset(map(_plain, (build.context, *build.context_paths)))
    found = own_images.dockerfile(inventory, service)
    return _contexts(inventory).get(found.path, frozenset()) if found else frozenset()


def of(inventory: Inventory, service: Service) -> list[Route]:
    """The routes in what the image of a service is built from, less those of other programs: of Go, or in folders of
    the context that the image doesn't get.
    """
    homes = folders(inventory, service)
    found = services.dockerfile(inventory, service) or own_images.dockerfile(inventory, service)
    built = _programs(found) if found else frozenset[str]()
    brought = _brought(service, found) if found else ()
    return [
        route
        for route in (inventory.web_routes if homes else ())
        if any(_is_below(route.location.file, home) for home in homes)
        and not (built and (own := _PROGRAM.search(route.location.file)) and own["name"] not in built)
        and (not brought or any(build_context.matches(source, route.location.file) for source in brought))
    ]


def _brought(service: Service, found: Dockerfile) -> tuple[str, ...]:
    """The paths of the repository that a Dockerfile copies, and those that the service mounts; none where it may copy
    everything, or nobody can tell.
    """
    build = service.build
    copies = [item for item in found.instructions if item.copies_context]
    mounted = any(flag.startswith("--mount=type=bind") for item in found.instructions for flag in item.flags)
    words = [word for item in copies for word in item.words[:-1]]
    if build is None or build.inline or build.context_paths or mounted or any(map(_UNKNOWN.search, words)):
        return ()
    sources = [build_context.path_outside(build, word) for word in words]
    sources += [mount.source for mount in service.mounts if mount.kind == "bind" and not mount.outside]
    return () if "." in sources else tuple(sources)


def is_page(inventory: Inventory, homes: Iterable[str], path: str) -> bool:
    """Whether a page of Next.js lies where one that answers to a path does."""
    inside = tuple(homes)
    return any(
        any(_is_below(file, home) for home in inside) and re.fullmatch(pattern, path.rstrip("/") or "/")
        for file, pattern in _pages(inventory)
    )


@answered_once
def _pages(inventory: Inventory) -> tuple[tuple[str, str], ...]:
    """The files of pages, each with the pattern of the paths that it answers to."""
    found = []
    for file in inventory.files:
        if match := _PAGE.search(file):
            place = match["page"].removesuffix("index") if match["page"] else match["app"]
            route = "/" + _GROUP.sub("", f"/{place}").strip("/")
            found.append((file, _PARAMETER.sub(lambda part: ".*" if part["rest"] else "[^/]+", re.escape(route))))
    return tuple(found)


@answered_once
def _contexts(inventory: Inventory) -> dict[str, frozenset[str]]:
    """By the path of a Dockerfile the folders that it is built from."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for _, build, file in builds.of(inventory):
        if not build.outside:
            found[file.path].add(_plain(build.context))
    return {path: frozenset(homes) for path, homes in found.items()}


def _programs(dockerfile: Dockerfile) -> frozenset[str]:
    """The programs of Go below `cmd/` that a Dockerfile builds; none where it may build all of them."""
    texts = (item.argument for item in dockerfile.instructions if item.keyword == "RUN")
    names = frozenset(match["name"] for text in texts if "go " in text for match in _BUILT.finditer(text))
    return frozenset() if "..." in names else names


def _plain(folder: str) -> str:
    return "" if folder == "." else folder


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")
