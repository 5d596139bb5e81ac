"""Where an image keeps and runs its code, and whether a mount reaches it.

Follows https://docs.docker.com/reference/dockerfile/#workdir and https://docs.docker.com/reference/dockerfile/#copy.
"""

from __future__ import annotations

import posixpath

from auditlib.conventions import build_context, images, mounts, services
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Mount, Service


def of_code(inventory: Inventory, service: Service) -> frozenset[str]:
    """The folders that a service works in or that its image copies files of the context to; empty if none is known."""
    folder = ""
    folders: list[str] = []
    for item in services.built_from(inventory, service)[1]:
        if item.keyword == "WORKDIR":
            folder = posixpath.join(folder or "/", item.argument.strip("\"' "))
            folders.append(folder)
        elif item.keyword in ("COPY", "ADD") and len(item.words) > 1:
            folders.append(posixpath.join(folder or "/", item.words[-1]))
    folders += [service.working_dir] if service.working_dir else []
    return frozenset(posixpath.normpath(path) for path in folders) if folder else frozenset()


def hides_own(inventory: Inventory, service: Service, mount: Mount) -> bool:
    """Whether a folder is mounted just where the image already has it from its context (`./src:/app/src` over
    `COPY . /app`), and no step of the image makes anything else of what it copies.
    """
    folder = "/"
    steps = services.built_from(inventory, service)[1]
    if service.build is None or any(item.keyword == "RUN" and "build" in item.words for item in steps):
        return False
    for item in steps:
        if item.keyword == "WORKDIR":
            folder = posixpath.join(folder, item.argument.strip("\"' "))
        for word in item.words[:-1] if item.copies_context else ():
            source = build_context.path_outside(service.build, word)
            inside = posixpath.relpath(mount.source, source)
            place = posixpath.normpath(posixpath.join(folder, item.words[-1], inside))
            if not inside.startswith("..") and place == posixpath.normpath(mount.target):
                return True
    return False


def of_sources(service: Service, dockerfile: Dockerfile) -> list[str]:
    """Where the code of an image lies: beside its Dockerfile, or in the folders that it copies by their names.

    An image of the whole repository holds others' code too.
    """
    copied = [item for item in dockerfile.instructions if item.copies_context]
    words = [word for item in copied for word in item.words[:-1] if posixpath.normpath(word.strip("/") or ".") != "."]
    named = [build_context.path_outside(service.build, word) for word in words] if service.build else []
    return [posixpath.dirname(dockerfile.path), *named]


def serves_files(inventory: Inventory, service: Service) -> bool:
    """Whether an image is a web server with files to hand out, so that the code beside its Dockerfile runs in browsers
    or in other services.
    """
    return is_file_server(services.built_from(inventory, service)[0])


def is_file_server(base: str) -> bool:
    """Whether an image to build on is a web server's."""
    return any(name in images.repository(base) for name in ("nginx", "caddy", "httpd"))


def reaches(mount: Mount, folders: frozenset[str]) -> bool:
    """Whether what is mounted lies over one of the folders, or in one; taken for true where none is known."""
    return not folders or any(
        mounts.is_below(mount.target, folder) or mounts.is_below(folder, mount.target)
        for folder in folders
        if folder != "/"
    )
