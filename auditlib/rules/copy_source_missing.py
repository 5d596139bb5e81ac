"""A Dockerfile copies what its build context does not hold.

`COPY` of a path that isn't in the context, or that `.dockerignore` leaves out, fails with "not found". Paths count from
the context that Compose gives, not from the Dockerfile's folder, which is why this so often goes wrong.

Anti-pattern:

    # compose.yaml: build: ./backend
    COPY backend/requirements.txt .

Better:

    # compose.yaml: build: ./backend
    COPY requirements.txt .

Recommendation:

    Write the path as seen from the build context, or take it out of `.dockerignore`.

References:

- https://docs.docker.com/reference/dockerfile/#copy
- https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import build_context, key_files, services
from auditlib.conventions.workspaces import GENERATED
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import DockerIgnore, Instruction
from auditlib.inventory.stack import Build, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every source of COPY and ADD that is in no context in which a service builds the Dockerfile."""
    if ".gitmodules" in inventory.file_set:
        return
    seen: set[tuple[str, str]] = set()
    for service in inventory.services:
        found, build = services.dockerfile(inventory, service), service.build
        if found is None or build is None or build.inline or (found.path, build.context) in seen:
            continue
        seen.add((found.path, build.context))
        files = build_context.files(inventory, build.context)
        ignore = build_context.ignore_file(inventory, build)
        for instruction in found.instructions:
            for source in _sources(instruction):
                why = _fault(source, files, ignore)
                if why:
                    yield _evidence(files, service, build, instruction, source, why, ignore)


def _sources(instruction: Instruction) -> list[str]:
    """The files and folders of the context that an instruction copies; nothing of stages, URLs and wildcards."""
    if not instruction.copies_context:
        return []
    if any(word.startswith("<<") for word in instruction.words):
        return []
    plain = [word for word in instruction.words[:-1] if not any(sign in word for sign in ("*", "?", "[", "$", "://"))]
    return [word for word in plain if not word.startswith("git@") and not GENERATED & set(word.split("/"))]


def _fault(source: str, files: list[str], ignore: DockerIgnore | None) -> str:
    """Why the build doesn't see a source; empty if it does."""
    mine = [path for path in files if build_context.matches(source, path)]
    if not mine:
        return "which isn't there"
    left_out = all(build_context.is_excluded(ignore, path) for path in mine)
    return f"which {ignore.path} leaves out" if left_out and ignore else ""


def _brought(build: Build, source: str) -> str:
    """How a file gets into the context; one above it can't, and keys only by a secret's mount."""
    if key_files.is_one(source):
        return "RUN --mount=type=secret,id=<its name> <the command that needs it>"
    return "" if source.startswith("..") else _files.committed([build_context.path_outside(build, source)])


def _moved(files: list[str], source: str) -> tuple[str, str]:
    """The only file of that name in the context, where it lies in another folder than the instruction says."""
    found = [path for path in files if path.rpartition("/")[2] == source.rstrip("/").rpartition("/")[2]]
    return (source, found[0]) if len(found) == 1 else ("", "")


def _evidence(
    files: list[str],
    service: Service,
    build: Build,
    instruction: Instruction,
    source: str,
    why: str,
    ignore: DockerIgnore | None,
) -> Evidence:
    context = "the root of the repository" if build.context in ("", ".") else build.context
    related = [Related(build.location, f"{service.name} is built in {context}")]
    if ignore and "leaves out" in why:
        related.append(Related(ignore.location, f"leaves {source} out"))
    return Evidence(
        f"The build of {service.name} copies {source} out of {context}, {why}: the build fails.",
        instruction.location,
        subject=source,
        service=service.name,
        related=tuple(related),
        recommendation=f"Mount {source} as a secret of the build, or give it to the container when it starts."
        if key_files.is_one(source)
        else f"Write {source} as seen from {context}, or add it there.",
        change=_moved(files, source) if "isn't there" in why else ("", ""),
        example=_files.into(ignore.path, f"!{source}") if ignore and "leaves out" in why else _brought(build, source),
    )
