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

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import build_context, git_ignores, key_files, services
from auditlib.conventions.workspaces import GENERATED
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import DockerIgnore, Instruction
from auditlib.inventory.stack import Build, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files
from auditlib.rules._rule import Evidence, rule

_WILDCARD = regex(r"[*?]")
_Copy = tuple[str, Instruction]
"""A source that the build doesn't see, and the instruction that copies it."""


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
        lacking: defaultdict[tuple[str, bool], list[_Copy]] = defaultdict(list)
        for instruction in found.instructions:
            for source in _sources(instruction):
                if why := _fault(source, files, ignore):
                    lacking[why, key_files.is_one(source)].append((source, instruction))
        for (why, _), copies in lacking.items():
            kept_out = _kept_out(inventory, build, [name for name, _ in copies])
            yield _evidence(files, service, build, copies, why, ignore, kept_out)


def _sources(instruction: Instruction) -> list[str]:
    """The files and folders of the context that an instruction copies; nothing of stages and URLs."""
    if not instruction.copies_context:
        return []
    if any(word.startswith("<<") for word in instruction.words):
        return []
    plain = [word for word in instruction.words[:-1] if not any(sign in word for sign in ("[", "$", "://"))]
    return [word for word in plain if not word.startswith("git@")]


def _fault(source: str, files: list[str], ignore: DockerIgnore | None) -> str:
    """Why the build doesn't see a source; empty if it does."""
    wanted = _WILDCARD.split(source)[0]
    wild = wanted != source  # which may match nothing, as long as the folder is there
    wanted = posixpath.normpath(f"/{posixpath.dirname(wanted) if wild else wanted}").lstrip("/")
    mine = [path for path in files if build_context.matches(wanted, path)]
    if not mine and not wild and not GENERATED & set(wanted.split("/")):
        return "which isn't there"
    if ignore is None or (wild and not wanted) or (not mine and build_context.may_let_in(ignore, wanted)):
        return ""
    left_out = all(build_context.is_excluded(ignore, path) for path in mine or [wanted])
    return f"which {ignore.path} leaves out" if left_out else ""


def _kept_out(inventory: Inventory, build: Build, names: list[str]) -> str:
    """The `.gitignore` that leaves out these environment files, which people make where they build; else empty."""
    found = [git_ignores.left_out_by(inventory, build_context.path_outside(build, name)) for name in names]
    made = all(posixpath.basename(name).startswith(".env") for name in names)
    return found[0] if made and all(found) else ""


def _said(why: str, several: bool) -> str:
    return why.replace("isn't there", "aren't there") if several else why


def _brought(build: Build, source: str) -> str:
    """How a file gets into the context; one above it can't, and keys only by a secret's mount."""
    if key_files.is_one(source):
        return "RUN --mount=type=secret,id=<its name> <the command that needs it>"
    return "" if source.startswith("..") else _files.committed([build_context.path_outside(build, source)])


def _moved(files: list[str], source: str, left_out: DockerIgnore | None) -> tuple[str, str]:
    """The only file of that name in the context, where it lies in another folder than the instruction says."""
    if left_out:
        return "", ""
    found = [path for path in files if path.rpartition("/")[2] == source.rstrip("/").rpartition("/")[2]]
    return (source, found[0]) if len(found) == 1 else ("", "")


def _evidence(
    files: list[str],
    service: Service,
    build: Build,
    copies: list[_Copy],
    why: str,
    ignore: DockerIgnore | None,
    kept_out: str,
) -> Evidence:
    (source, instruction), *others = copies
    context = "the root of the repository" if build.context in ("", ".") else build.context
    names = list(dict.fromkeys(name for name, _ in copies))
    left_out = ignore if "leaves out" in why else None
    related = [
        Related(item.location, f"copies {name}", member=True, change=_moved(files, name, left_out))
        for name, item in others
        if item.location != instruction.location
    ]
    related.append(Related(build.location, f"{service.name} is built in {context}"))
    if left_out:
        related.append(Related(left_out.location, f"leaves {listed(names)} out"))
    where = f", wherever nobody has made what {kept_out} keeps out of the repository" if kept_out else ""
    return Evidence(
        f"The build of {service.name} copies {listed(names)} out of {context}, {_said(why, len(names) > 1)}: the build "
        f"fails{'' if left_out else where}.",
        instruction.location,
        subject=source,
        service=service.name,
        related=tuple(related),
        recommendation=_advice(names, context),
        change=_moved(files, source, left_out),
        example=_written(build, names, left_out),
        confidence=Confidence.MEDIUM if kept_out and not left_out else None,
    )


def _advice(names: list[str], context: str) -> str:
    they = "it" if len(names) == 1 else "them"
    if key_files.is_one(names[0]):
        return f"Mount {listed(names)} as a secret of the build, or give {they} to the container when it starts."
    return f"Write {listed(names)} as seen from {context}, add {they} there, or no longer copy what nothing needs."


def _written(build: Build, names: list[str], left_out: DockerIgnore | None) -> str:
    if left_out:
        return _files.into(left_out.path, "\n".join(f"!{name}" for name in names))
    return "\n".join(dict.fromkeys(filter(None, (_brought(build, name) for name in names))))
