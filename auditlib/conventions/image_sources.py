"""Which file of the repository a path in an image is while it is built, by what was copied there so far.

Follows https://docs.docker.com/reference/dockerfile/#copy and
https://docs.docker.com/reference/dockerfile/#run---mounttypebind.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import build_context, builds, container_files, services
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, DockerIgnore, Instruction
from auditlib.inventory.stack import Build, Service


class Copied(Struct, frozen=True):
    """Sources of the context that are copied or mounted to a place of the image."""

    sources: tuple[str, ...]
    target: str
    """Absolute; with a slash at its end where it is a folder for sure."""
    instruction: Instruction


class Sources:
    """What a stage has got from the context; `take` its instructions in their order."""

    def __init__(self, inventory: Inventory, context: str, ignore: DockerIgnore | None) -> None:
        self.inventory, self.context, self.ignore = inventory, context, ignore
        self.copied: list[Copied] = []
        self.folder = "/"

    def take(self, item: Instruction) -> None:
        """Note what an instruction brings, or where the next ones work."""
        if item.keyword == "WORKDIR":
            self.folder = posixpath.join(self.folder, item.argument.strip("\"' "))
        elif item.copies_context and len(item.words) > 1:
            self.copied.append(Copied(item.words[:-1], self._place(item.words[-1]), item))
        elif item.keyword == "RUN":
            self.copied += self._mounted(item)

    def _place(self, target: str) -> str:
        into = "/" if target.endswith(("/", ".")) else ""
        return posixpath.normpath(posixpath.join(self.folder, target)) + into

    def _mounted(self, item: Instruction) -> Iterator[Copied]:
        for flag in item.flags:
            given = dict(part.partition("=")[::2] for part in flag.removeprefix("--mount=").split(","))
            if flag.startswith("--mount=") and given.get("type") == "bind" and "from" not in given:
                source = given.get("source") or given.get("src") or "."
                target = given.get("target") or given.get("dst") or given.get("destination") or "."
                yield Copied((source,), self._place(target), item)

    def find(self, path: str) -> tuple[str, Copied | None]:
        """The file of the repository that is at a path of the image, and what brought it; empty if none is known."""
        wanted = posixpath.normpath(posixpath.join(self.folder, path))
        for copied in reversed(self.copied):
            for file in _candidates(copied, wanted):
                path = posixpath.join(self.context, file)
                known = path in self.inventory.file_set and not self.is_excluded(file)
                if known and self.name_of(copied, file) == wanted:
                    return path, copied
        return "", None

    def name_of(self, copied: Copied, file: str) -> str:
        """The path that a file of the context gets by a copy; empty if that doesn't bring it."""
        for source in copied.sources:
            plain = posixpath.normpath(source.lstrip("/") or ".")
            if build_context.matches(plain, file):
                into = copied.target.endswith("/") or len(copied.sources) > 1
                target = copied.target.rstrip("/") or "/"
                wild = any(sign in plain for sign in "*?[")
                name = container_files.renamed(file, plain, target, into or wild)
                return posixpath.normpath(name)
        return ""

    def is_excluded(self, file: str) -> bool:
        """Whether `.dockerignore` keeps a file of the context out."""
        return build_context.is_excluded(self.ignore, file)

    def brings(self, file: str) -> bool:
        """Whether some copy so far brings a file of the context."""
        return not self.is_excluded(file) and any(self.name_of(copied, file) for copied in self.copied)


def _candidates(copied: Copied, wanted: str) -> Iterator[str]:
    """The files of the context that may be one of the image: a source itself, one below it, one of a wildcard."""
    target = copied.target.rstrip("/")
    below = wanted[len(target) + 1 :] if wanted.startswith(f"{target}/") else ""
    for source in copied.sources:
        plain = posixpath.normpath(source.lstrip("/") or ".")
        yield plain
        yield posixpath.normpath(posixpath.join(posixpath.dirname(plain), posixpath.basename(wanted)))
        if below:
            yield posixpath.normpath(posixpath.join(plain, below))


def contexts(inventory: Inventory, dockerfile: Dockerfile, built_by: tuple[Service, ...]) -> list[Build]:
    """The contexts that a Dockerfile may be built with: Compose's, else the one that it copies from."""
    told = [item.build for item in built_by if item.build and not item.build.outside]
    if told:
        return list({item.context: item for item in told}.values())
    context = builds.context(inventory, dockerfile)
    return [Build(context, dockerfile.path, "", (), dockerfile.location)] if context else []


def of_stages(inventory: Inventory, dockerfile: Dockerfile, build: Build) -> Iterator[tuple[Instruction, Sources]]:
    """Each RUN of a Dockerfile with what its stage, and those that it goes on from, have got before."""
    context = "" if build.context in ("", ".") else build.context
    ignore = build_context.ignore_file(inventory, build)
    for stage in dockerfile.stages:
        sources = Sources(inventory, context, ignore)
        for item in services.final_stage(dockerfile, stage.name)[1]:
            sources.take(item)
            if item.keyword == "RUN" and item.stage == stage.name:
                yield item, sources


def at_last(inventory: Inventory, dockerfile: Dockerfile, target: str, built_by: tuple[Service, ...]) -> Sources:
    """What a stage has got from the context when it is built."""
    build = next(iter(contexts(inventory, dockerfile, built_by)), None)
    context = build.context if build and build.context not in ("", ".") else ""
    sources = Sources(inventory, context, build_context.ignore_file(inventory, build) if build else None)
    for item in services.final_stage(dockerfile, target)[1]:
        sources.take(item)
    return sources
