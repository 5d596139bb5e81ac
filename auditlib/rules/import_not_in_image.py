"""A program imports a module that its image doesn't hold.

The module is in the repository, so that everything works on the machine of whoever wrote it. No instruction of the
Dockerfile copies it, or `.dockerignore` leaves it out: the image builds, and the container ends at its first import.
Looked at is what the files import unconditionally at their top level, from what the container starts on.

Anti-pattern:

    # app.js: const sms = require("./utils/sms")
    COPY package*.json app.js ./
    COPY routes/ ./routes/
    CMD ["node", "app.js"]

Better:

    COPY package*.json app.js ./
    COPY routes/ ./routes/
    COPY utils/ ./utils/
    CMD ["node", "app.js"]

Recommendation:

    Copy the module into the image, or the whole folder and a `.dockerignore` beside it; start the image once in the
    pipeline.

References:

- https://docs.docker.com/reference/dockerfile/#copy
- https://docs.docker.com/build/concepts/context/#dockerignore-files
- https://nodejs.org/api/modules.html#all-together
- https://docs.python.org/3/reference/import.html
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import build_context, builds, code_imports, environments
from auditlib.conventions.code_imports import Missing
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Build, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all modules that the programs of one Dockerfile import and that it doesn't bring."""
    if not inventory.local_imports or ".gitmodules" in inventory.file_set:
        return
    found: defaultdict[str, dict[str, tuple[Service, Missing]]] = defaultdict(dict)
    for service, build, file in builds.of(inventory):
        if _takes_all(inventory, build, file):
            continue
        for item in code_imports.missing(inventory, service):
            found[file.path].setdefault(item.path, (service, item))
    for path, lost in found.items():
        yield _evidence(inventory, inventory.dockerfiles_by_path[path], list(lost.values()))


def _takes_all(inventory: Inventory, build: Build, file: Dockerfile) -> bool:
    """Whether the image holds the whole context."""
    whole = any(build_context.copies_everything(item) for item in file.instructions)
    return whole and build_context.ignore_file(inventory, build) is None


def _lines(inventory: Inventory, build: Build, lost: list[Missing]) -> str:
    """The instructions that bring what is missing; the folder where nothing of it is there."""
    ignore = build_context.ignore_file(inventory, build)
    lines: dict[str, None] = {}
    for item in lost:
        inside = item.path if build.context in ("", ".") else posixpath.relpath(item.path, build.context)
        if ignore and build_context.is_excluded(ignore, inside):
            lines[f"# {ignore.path}: !{inside}"] = None
        elif folder := posixpath.dirname(inside):
            lines[f"COPY {folder}/ {posixpath.dirname(item.inside)}/"] = None
        else:
            lines[f"COPY {inside} {item.inside}"] = None
    return "\n".join(lines)


def _evidence(inventory: Inventory, file: Dockerfile, found: list[tuple[Service, Missing]]) -> Evidence:
    service, first = found[0]
    lost = [item for _, item in found]
    build = service.build or Build(".", file.path, "", (), file.location)
    names = listed((item.path for item in lost), limit=5)
    last = next((item.location for item in reversed(builds.copies(file))), file.location)
    lines = _lines(inventory, build, lost)
    error = "ModuleNotFoundError" if first.entry.endswith(".py") else "Error: Cannot find module"
    alone = next((item for item in lost if item.has_no_package), None)
    error = "ImportError" if alone else error
    reason = f": {alone.item.location.file} is loaded without a package around it" if alone else ""
    absolute = f"Import {alone.item.module.lstrip('.')} without the dot. " if alone else ""
    what = f"The image of {service.name}" if service.name else f"The image that {file.path} builds"
    return Evidence(
        f"{what} starts {first.entry}, and lacks what that imports: {names}. The container ends with "
        f"{error} as soon as it starts{reason}.",
        last,
        subject=file.path,
        service=service.name or None,
        related=(
            *(Related(item.item.location, f"imports {item.item.module}", member=True) for item in lost),
            Related(first.started, f"starts {first.entry}"),
        ),
        recommendation=f"{absolute}Bring {names} into the image, and start it once in the pipeline.",
        severity=Severity.MEDIUM if environments.is_for_development(file.path) else None,
        example=files.into(file.path, lines),
    )
