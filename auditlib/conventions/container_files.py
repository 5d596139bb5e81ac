"""Which files of the repository a service's container holds: those that its Dockerfile copies, and those it mounts.

Follows https://docs.docker.com/reference/dockerfile/#copy. What a file is called in the container is followed as far as
sources and targets are written out; what a command of the build makes is known by name only.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct, field

from auditlib.conventions import build_context, image_contents, services, tools
from auditlib.conventions.workspaces import GENERATED
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Build, Service
from auditlib.patterns import regex

_FETCHES = regex(r"\bgit clone\b|\b(?:curl|wget)\b.*\.(?:tar|tgz|zip|git)|\bpip3? install git\+|\bunzip\b|\btar\s")
_BUILDS = regex(r"\b(?:build|compile|tsc|webpack|esbuild|make|generate|bundle|pack|codegen)\b")


_STEPS = 2_000_000
"""Comparisons of a source with a file that are made for one image; a real one needs some thousands."""
SYSTEM = ("/usr/", "/bin/", "/sbin/", "/opt/", "/etc/", "/lib/", "/var/run/", "/run/", "/proc", "/sys", "/dev")
"""Where what belongs to the system is, and no application."""


class ContainerFiles(Struct):
    """What is known of the files of one container; `paths` are those of the container and of the build context."""

    paths: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    """Files of the context that no COPY takes, or that `.dockerignore` excludes."""
    made: str = ""
    """What the commands of the build say, and the names under which something is copied."""
    installed: str = ""
    """What the commands of the build say that install packages."""
    builds: bool = False
    """Whether a command of the build makes further files."""
    unknown: bool = False
    """Whether files come from elsewhere: fetched sources, other images, folders of the host."""
    base: str = ""
    """The image that it starts from."""
    origins: dict[str, str] = field(default_factory=dict)
    """By its path in the container, as far as that is known: the file of the repository."""
    folder: str = "/"
    """Where its command starts."""
    exact: bool = False
    """Whether all of its files are known under the paths that they have in the container."""

    def holds(self, path: str) -> bool:
        """Whether a file of this path, or one below it if it ends with a slash, is there, in whichever folder."""
        return _has(self.paths, path)

    def elsewhere(self, path: str, also: tuple[str, ...] = (), folders: tuple[str, ...] = ("",)) -> list[str]:
        """Where a file is that a command asks for under `path`; nothing if it is there, or nobody knows.

        Files or folders in its place are `also`; all of them are looked for in `folders`, seen from the command's own.
        """
        asked = {
            posixpath.normpath(posixpath.join(self.folder, folder, name))
            for folder in folders
            for name in (path, *also)
        }
        found = any(item in asked or not asked.isdisjoint(_above(item)) for item in self.paths)
        if not self.exact or found or self.may_make(path):
            return []
        return sorted(item for item in self.paths if item.startswith("/") and item.endswith(f"/{path}"))

    def lacks_but_repository_has(self, path: str) -> bool:
        """Whether the build context has a file of this path, and the image doesn't get it."""
        return not self.holds(path) and _has(self.left_out, path)

    def may_make(self, path: str) -> bool:
        """Whether a command of the build may make the file, as far as its name tells."""
        parts = path.strip("/").split("/")
        generated = bool(GENERATED & set(parts[:-1])) or (self.builds and path.endswith((".js", ".mjs", ".cjs")))
        return generated or parts[-1] in self.made


def of(inventory: Inventory, service: Service) -> ContainerFiles:
    """The files of a service's container."""
    found = ContainerFiles(base=service.image)
    dockerfile = services.dockerfile(inventory, service)
    if service.build is not None and dockerfile is not None:
        found.base = services.final_stage(dockerfile, service.build.target)[0]
        _build(inventory, service.build, dockerfile, found)
        found.folder = posixpath.normpath(posixpath.join(found.folder, service.working_dir))
        found.exact = len(dockerfile.stages) == 1 and "$" not in found.folder  # others get what commands made
    for mount in service.mounts:
        if mount.kind == "bind" and mount.outside:
            a_file = bool(posixpath.splitext(mount.target)[1])
            found.unknown = found.unknown or not (a_file or mount.target.startswith(SYSTEM))
        elif mount.kind == "bind":
            files = build_context.files(inventory, mount.source)
            found.paths.update([f"{mount.target}/{path}" for path in files] or [mount.target])
            found.origins |= {
                posixpath.join(mount.target, path): posixpath.normpath(posixpath.join(mount.source, path))
                for path in files
            }
    return found


def is_plain(files: ContainerFiles) -> bool:
    """Whether the base image holds a language or a distribution and no program of anybody's."""
    return image_contents.is_plain(files.base)


def _build(inventory: Inventory, build: Build, dockerfile: Dockerfile, found: ContainerFiles) -> None:
    ignore = build_context.ignore_file(inventory, build)
    files = build_context.files(inventory, build.context)
    context = [path for path in files if not (ignore and build_context.is_excluded(ignore, path))]
    sources = sum(len(item.words) for item in dockerfile.instructions if item.keyword in ("COPY", "ADD"))
    if sources * len(context) > _STEPS:
        found.unknown = True
        return
    bases = {stage.name: stage.base for stage in dockerfile.stages}
    folder: dict[str, str] = {}
    for item in dockerfile.instructions:
        if item.keyword == "FROM":
            folder[item.stage] = folder.get(bases.get(item.stage, ""), "/")
        elif item.keyword == "WORKDIR":
            folder[item.stage] = posixpath.join(folder.get(item.stage, "/"), item.argument.strip("\"'"))
        elif item.keyword == "RUN":
            _run(item, found)
        elif item.keyword in ("COPY", "ADD") and len(item.words) > 1:
            _copy(item, build.context, context, folder.get(item.stage, "/"), found)
            found.made += f" {item.words[-1]}"
            found.unknown = found.unknown or _comes_from_elsewhere(dockerfile, item)
    found.left_out = set(files) - found.paths
    found.folder = folder.get(services.built_stage(dockerfile, build.target), "/")


def _run(item: Instruction, found: ContainerFiles) -> None:
    found.made += f" {item.argument}"
    texts = [" ".join(command.words) for command in item.commands]
    installing = [text for text in texts if tools.INSTALLS.search(text)]
    own = [text for text in texts if text not in installing]
    found.installed += " ".join(["", *installing])
    found.builds = found.builds or any(_BUILDS.search(text) for text in own)
    found.unknown = found.unknown or any(_FETCHES.search(text) for text in own)


def _copy(item: Instruction, home: str, context: list[str], folder: str, found: ContainerFiles) -> None:
    """Take what an instruction copies, under its old name and under the one that it gets."""
    *sources, target = item.words
    inside = posixpath.normpath(posixpath.join(folder, target))
    files = list(found.paths) if item.copies_image else context
    for source in sources:
        plain = posixpath.normpath(source.lstrip("/") or ".")
        for path in files:
            if "$" in source or build_context.matches(plain, path.lstrip("/")):
                called = renamed(path.lstrip("/"), plain, inside, target.endswith(("/", ".")))
                found.paths.update((path, called))
                origin = (
                    found.origins.get(path, "") if item.copies_image else posixpath.normpath(posixpath.join(home, path))
                )
                if origin:
                    found.origins[called] = origin


def renamed(path: str, source: str, target: str, into_folder: bool) -> str:
    """What a file is called that a source of COPY brings: below a folder, in one, or under a name of its own."""
    if source == ".":
        return posixpath.join(target, path)
    if path.startswith(f"{source}/"):
        return posixpath.join(target, path[len(source) + 1 :])
    return posixpath.join(target, posixpath.basename(path)) if into_folder or path != source else target


def _comes_from_elsewhere(dockerfile: Dockerfile, item: Instruction) -> bool:
    """Whether an instruction brings more than files of the context: another image's, an archive, a place not known."""
    stages = {stage.name for stage in dockerfile.stages} | {str(number) for number in range(len(dockerfile.stages))}
    origins = [flag.partition("=")[2].lower() for flag in item.flags if flag.startswith("--from=")]
    archive = item.keyword == "ADD" and any("://" in word or ".tar" in word for word in item.words[:-1])
    program = bool(item.words) and item.words[-1].startswith(SYSTEM)  # a tool of another image, as `uv` is brought
    return archive or (not program and any(origin not in stages for origin in origins))


def _above(path: str) -> Iterator[str]:
    while (path := posixpath.dirname(path)) not in ("", "/"):
        yield path


def _has(paths: set[str], path: str) -> bool:
    wanted = "/" + path.strip("/").removeprefix("./")
    if path.endswith("/"):
        return any(f"{wanted}/" in f"/{item}" for item in paths)
    return any(f"/{item}".endswith(wanted) for item in paths)
