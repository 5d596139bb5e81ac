"""A service starts a module or script that its container does not hold.

The image builds, and the container ends at once: "Could not import module", "No such file or directory", "Missing
script". It is found out at the first start, by whoever deploys. Looked for are the modules and scripts that servers,
task queues, interpreters and package managers are told to start, and the configuration of such a server, in
`command`, `entrypoint`, CMD and ENTRYPOINT, and the name that a server asks a module for; programs that a compiler
makes are not.

Anti-pattern:

    api:
      build: ./backend
      command: uvicorn app.server:app  # the module is app/main.py

Better:

    api:
      build: ./backend
      command: uvicorn app.main:app

Recommendation:

    Correct the name in the command, or add what it names.

References:

- https://www.uvicorn.org/settings/
- https://docs.docker.com/reference/compose-file/services/#command
- https://docs.docker.com/reference/dockerfile/#copy
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Iterator
from itertools import pairwise

from msgspec.structs import replace

from auditlib.conventions import (
    build_context,
    compiled_files,
    container_files,
    entry_points,
    lost_programs,
    mounts,
    services,
    starting,
)
from auditlib.conventions.container_files import ContainerFiles
from auditlib.conventions.entry_points import Start
from auditlib.conventions.lost_programs import LostProgram
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Manifest
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every command that starts by name what neither image nor mount holds, where all of their files are known."""
    told: set[tuple[str, Location]] = set()  # services that share an image share its command
    for item in inventory.services:
        service = _as_meant(inventory, item)
        if not _is_made_here(inventory, service):
            continue
        if (lost := lost_programs.of(inventory, service)) and (lost.path, lost.location) not in told:
            told.add((lost.path, lost.location))
            yield _of_lost(service, lost)
        found = list(_starts(inventory, service))
        files = container_files.of(inventory, service) if found else ContainerFiles(unknown=True)
        if files.unknown or not files.paths:
            continue
        for start, place in dict(found).items():
            if (start.what, place) not in told and (file := _nameless(inventory, files, start)):
                told.add((start.what, place))
                yield _of_nameless(service, start, place, file)
            if (start.what, place) not in told and _is_missing(inventory, service, files, start):
                told.add((start.what, place))
                found_here = _evidence(service, files, start, place, by_script=place.file in inventory.scripts_by_path)
                yield (
                    _of_compiled(service, start, found_here) if _is_compiled(inventory, service, start) else found_here
                )
        yield from _misplaced(inventory, service, files)


def _nameless(inventory: Inventory, files: ContainerFiles, start: Start) -> str:
    """The file of a module that binds names, and not the one that a server asks it for; empty where nobody can tell."""
    held = [path for path in start.paths[:2] if files.holds(path)] if start.name else []
    if len(held) != 1:
        return ""
    ending = f"/{held[0]}__init__.py" if held[0].endswith("/") else f"/{held[0]}"
    found = {origin for path, origin in files.origins.items() if path.endswith(ending)}
    known = inventory.imports_by_path.get(origin := found.pop()) if len(found) == 1 else None
    return origin if known and known.names and not {start.name, "*"} & known.names else ""


def _of_nameless(service: Service, start: Start, place: Location, file: str) -> Evidence:
    return Evidence(
        f"{service.name} starts {start.what}, but {file} has no {start.name}.",
        place,
        subject=f"{service.name}/{start.what}",
        service=service.name,
        related=(Related(Location(file), f"the module that {service.name} starts"),),
        recommendation=f"Name what {file} has in the command of {service.name}, or define {start.name} there.",
        example=_files.into(file, f"{start.name} = <the application, or a function that makes it>"),
    )


def _of_lost(service: Service, lost: LostProgram) -> Evidence:
    alike = [path for path in lost.brought if posixpath.basename(path) == posixpath.basename(lost.path)]
    return Evidence(
        f"{service.name} starts {lost.path}, where its image has nothing: what it gets lies at "
        f"{listed(lost.brought, 3)}.",
        lost.location,
        subject=f"{service.name}/{lost.path}",
        service=service.name,
        recommendation=f"Start {alike[0]}, or copy it to {lost.path}."
        if alike
        else f"Copy {lost.path} into the image of {service.name}, or start what is there.",
        confidence=Confidence.MEDIUM,
        change=(lost.path, alike[0]) if len(alike) == 1 else ("", ""),
        example=f'ENTRYPOINT ["{alike[0] if alike else "<the program that is there>"}"]',
    )


def _as_meant(inventory: Inventory, service: Service) -> Service:
    """The service with the build of the image that it runs, if another one builds that; and built from the only
    Dockerfile of its context, where the one that it names isn't there.
    """
    if service.build is None and (builder := inventory.image_builders.get((service.project, service.image))):
        service = replace(service, build=builder.build)
    found = None if services.dockerfile(inventory, service) else build_context.meant(inventory, service)
    if found is None or service.build is None:
        return service
    return replace(service, build=replace(service.build, dockerfile=found.path))


def _is_made_here(inventory: Inventory, service: Service) -> bool:
    """Whether the repository shows what is in the container: it builds the image, or mounts code into a plain one."""
    build = service.build
    if build is None:
        return any(mount.kind == "bind" for mount in service.mounts)
    return not (build.outside or build.inline) and services.dockerfile(inventory, service) is not None


def _starts(inventory: Inventory, service: Service) -> Iterator[tuple[Start, Location]]:
    variables = _variables(inventory, service)
    for command in services.commands(inventory, service):
        for start in entry_points.starts(entry_points.expanded(command, variables), variables):
            if not any(sign in path for path in start.paths for sign in "$*{"):
                yield start, _given(service, command, start) or _place(service, command)
    for item in starting.of(inventory, service):
        for start in entry_points.starts(item.words, variables) if item.followed else ():
            if start.kind != "script" and not any(sign in path for path in start.paths for sign in "$*{"):
                yield start, item.location


def _given(service: Service, command: Command, start: Start) -> Location | None:
    """Where the variable is set that tells a shell what to start."""
    named = (entry for entry in service.environment if entry.name in command.expands and entry.value)
    return next((item.location for item in named if item.value and item.value.text in start.what), None)


def _variables(inventory: Inventory, service: Service) -> dict[str, str]:
    """What the container's variables hold, as far as it is known: those of its image, and Compose's in their place."""
    image = (item for item in services.built_from(inventory, service)[1] if item.keyword == "ENV")
    found = {name: value.text for item in image for name, value in item.variables if value}
    return found | {entry.name: entry.value.text for entry in service.environment if entry.value}


def _misplaced(inventory: Inventory, service: Service, files: ContainerFiles) -> Iterator[Evidence]:
    """Scripts and modules that a command names relative to its folder, and that lie in another one of the container."""
    for command in services.commands(inventory, service):
        if not command.words or command.folder or "/" in command.words[0] or command.words[0].endswith(".sh"):
            continue  # what runs first may change the folder
        for start in entry_points.starts(command.words, {}):
            there = _elsewhere(inventory, service, files, command, start) if "$" not in start.missing else []
            if there and not start.missing.startswith("/"):
                likely = _likely(inventory, service, files, there)
                yield _of_misplaced(service, files, start, there, likely, _place(service, command))


_INSTALLS_ITSELF = regex(
    r"\bpip3? install\b.{0,500}\s(?:-e|--editable|\.|[./]\S*/?)(?:\s|\[|$)|"
    r"\b(?:poetry|pdm|hatch|rye|flit)\b|\buv sync\b|setup\.py"
)
"""What makes the project's own modules known wherever its programs start."""
_FOLDER_OPTIONS = frozenset({"--app-dir", "--chdir", "--pythonpath", "--workdir", "--python-path", "--path"})


def _elsewhere(
    inventory: Inventory, service: Service, files: ContainerFiles, command: Command, start: Start
) -> list[str]:
    """Where in the container something is that isn't where a command looks for it."""
    if start.kind == "script":
        return files.elsewhere(start.missing)
    top = start.missing.removesuffix(".py").partition("/")[0]
    library = top in sys.stdlib_module_names or _is_library(inventory, files, top)
    if start.kind != "module" or library or files.folder == "/" or _INSTALLS_ITSELF.search(files.installed):
        return []  # in the root nobody works: a base image of one's own may have chosen another folder
    words = command.words
    told = [after for before, after in pairwise(words) if before in _FOLDER_OPTIONS]
    told += [word.partition("=")[2] for word in words if word.partition("=")[0] in _FOLDER_OPTIONS]
    path = _variables(inventory, service).get("PYTHONPATH", "").split(":")
    return files.elsewhere(start.missing, start.paths, ("", *told, *path))


def _likely(inventory: Inventory, service: Service, files: ContainerFiles, there: list[str]) -> list[str]:
    """Of several files the one that lies beside the Dockerfile which starts it, else all."""
    found = services.dockerfile(inventory, service)
    folder = posixpath.dirname(found.path) if found else ""
    beside = [path for path in there if posixpath.dirname(files.origins.get(path, "")) == folder]
    return beside if len(beside) == 1 else there


def _as_told(files: ContainerFiles, start: Start, path: str) -> str:
    """A file of the container as a command of its folder names it; a module by its dotted name."""
    relative = posixpath.relpath(path, files.folder)
    if start.kind != "module" or relative.startswith(".."):
        return relative
    asked, found = (name.removesuffix(".py").replace("/", ".") for name in (start.missing, relative))
    return start.what.replace(asked, found)


def _of_misplaced(
    service: Service, files: ContainerFiles, start: Start, there: list[str], likely: list[str], place: Location
) -> Evidence:
    meant = _as_told(files, start, likely[0]) if len(likely) == 1 else "the one that is meant"
    source = service.build.location if service.build else service.location
    return Evidence(
        f"{service.name} starts {start.what} in {files.folder}, and the image has it as {listed(there)} only.",
        place,
        subject=f"{service.name}/{start.what}",
        service=service.name,
        related=(Related(source, f"what {service.name} is built from"),),
        recommendation=f"Start {meant} in place of {start.what}, or copy its folder to {files.folder}.",
        change=(start.what, meant) if len(likely) == 1 else ("", ""),
        example=""
        if len(likely) == 1
        else compose_lines.of_service(service, f"command: <what starts it now, with one of {' and '.join(likely)}>"),
    )


def _place(service: Service, command: Command) -> Location:
    """The line of the command; of a text in Compose, whose own lines may be folded, that of the key."""
    own = service.command_location
    return own if own is not None and own.file == command.location.file else command.location


def _is_missing(inventory: Inventory, service: Service, files: ContainerFiles, start: Start) -> bool:
    held = [path for path in start.paths if files.holds(path)]
    name = posixpath.basename(start.missing).removesuffix(".py")
    empty = held == [start.owner] and _lacks_name(inventory, start.owner, name)
    if (held and not empty) or not _is_known_to_lack(inventory, service, files, start):
        return False
    if start.kind == "npm":
        packages = list(_packages(inventory, service))
        return bool(packages) and not any(target.name == start.missing for item in packages for target in item.targets)
    if _is_compiled(inventory, service, start):
        return True
    return not any(files.may_make(path) for path in start.paths if not empty or path != start.owner)


def _is_compiled(inventory: Inventory, service: Service, start: Start) -> bool:
    """Whether a script is one that the compiler would make, if there were a source of it."""
    return start.kind == "script" and compiled_files.lacks(inventory, service, start.missing)


def _of_compiled(service: Service, start: Start, found: Evidence) -> Evidence:
    source = posixpath.splitext(posixpath.basename(start.missing))[0]
    return replace(
        found,
        message=f"{service.name} starts {start.what}, which the compiler makes of no source: no {source}.ts lies where "
        "it would.",
        recommendation=f"Correct {start.what} in the command of {service.name}, or add its source.",
        confidence=Confidence.MEDIUM,
        example=compose_lines.of_service(service, "command: <what starts it now, with the file that is compiled>"),
    )


def _lacks_name(inventory: Inventory, package: str, name: str) -> bool:
    """Whether a package has no such name of its own; without `__init__.py` it has none but those of its modules."""
    files = [path for path in inventory.files if f"/{path}".endswith(f"/{package}__init__.py")]
    known = [inventory.imports_by_path.get(path) for path in files]
    return all(item is not None and not {name, "*"} & item.names for item in known)


def _packages(inventory: Inventory, service: Service) -> Iterator[Manifest]:
    """The packages of npm in what a service is built from and mounts."""
    roots = [mount.source for mount in service.mounts if mount.kind == "bind" and not mount.outside]
    roots += [service.build.context] if service.build else []
    for item in inventory.manifests:
        if item.kind == "npm" and any(mounts.is_below(item.path, "" if root == "." else root) for root in roots):
            yield item


def _is_known_to_lack(inventory: Inventory, service: Service, files: ContainerFiles, start: Start) -> bool:
    """Whether what isn't among the known files can't be the base image's, a library's or a volume's."""
    plain = container_files.is_plain(files)
    if start.kind == "npm":
        return True
    if start.kind == "module":
        package = f"{start.missing.removesuffix('.py').partition('/')[0]}/"
        own = files.holds(package) or bool(_alike(files, start))
        alone = not start.within or files.holds(f"{package[:-1]}.py")  # beside which a package of that name has no say
        own = own or (plain and alone and not _is_library(inventory, files, package[:-1]))
        return own and any(path.endswith(".py") for path in files.paths)
    given = service.configs or any(
        mounts.is_below(start.missing, item.target) for item in service.mounts if item.kind != "bind"
    )
    return plain and not given and not start.missing.startswith((*container_files.SYSTEM, "/docker-entrypoint"))


def _alike(files: ContainerFiles, start: Start) -> str:
    """The module that a start means by its letters, whatever lies between them (`bot_stub` for `botstub`)."""
    wanted = start.missing.removesuffix(".py")
    if start.kind != "module" or "/" in wanted:
        return ""
    names = {posixpath.basename(path).removesuffix(".py") for path in files.paths if path.endswith(".py")}
    found = [name for name in names - {wanted} if _letters(name) == _letters(wanted)]
    return found[0] if len(found) == 1 else ""


def _letters(name: str) -> str:
    return re.sub(r"[_-]", "", name).lower()


def _is_library(inventory: Inventory, files: ContainerFiles, package: str) -> bool:
    """Whether a package of this name may be installed by the build."""
    name = package.replace("_", "-").lower()
    needed = any(name in need.name for item in inventory.manifests for need in item.requirements)
    return needed or re.search(rf"\b{re.escape(package)}\b", files.installed) is not None


def _meant(files: ContainerFiles, start: Start) -> tuple[str, str]:
    """The module or script that lies elsewhere in the container under the same name, if only one does."""
    if alike := _alike(files, start):
        wanted = start.missing.removesuffix(".py")
        return (start.what, start.what.replace(wanted, alike)) if start.what.startswith(wanted) else ("", "")
    if start.kind == "npm":
        return "", ""
    name = posixpath.basename(start.paths[0]) if start.paths else ""
    context = {path for path in files.paths if not path.startswith("/") and posixpath.basename(path) == name}
    if len(context) != 1 or start.kind != "script" or start.missing.startswith("/"):
        return "", ""
    return start.missing, context.pop()


def _added(service: Service, start: Start, left: str, context: str) -> str:
    """What brings the thing into the image, or into the repository."""
    if start.kind == "npm":
        return f'"scripts": {{\n  "{start.missing}": "<the command that it stands for>"\n}}'
    if left:
        return f"COPY {left} {left}"
    if not start.paths or start.paths[0].startswith("/"):
        return compose_lines.of_service(
            service, f"command: <what starts it now, with another name for {start.missing}>"
        )
    path = min(start.paths, key=lambda item: item.count("/"))
    return _files.committed([posixpath.normpath(posixpath.join(context, path.rstrip("/")))])


def _evidence(service: Service, files: ContainerFiles, start: Start, place: Location, *, by_script: bool) -> Evidence:
    context = service.build.context if service.build else ""
    home = "the root of the repository" if context == "." else context
    left = next((path for path in start.paths if files.lacks_but_repository_has(path)), "")
    what = f"a script {start.missing} in package.json" if start.kind == "npm" else start.missing
    starter, it = (place.file, service.name) if by_script else (service.name, "it")
    lacking = (
        f"{what} is neither in {home} nor in what {it} mounts" if context else f"{what} is in nothing that {it} mounts"
    )
    source = service.build.location if service.build else service.image_location
    origin = f"is built from {home}" if context else f"runs {service.image}"
    advice = f"Correct {start.what} in {starter if by_script else f'the command of {service.name}'}, or add {what}."
    return Evidence(
        f"{starter} starts {start.what}, but {f'the image does not get {left} of {home}' if left else lacking}.",
        place,
        subject=f"{service.name}/{start.what}",
        service=service.name,
        related=(Related(source, f"{service.name} {origin}"),),
        recommendation=f"Copy {left} into the image of {service.name}." if left else advice,
        confidence=None if container_files.is_plain(files) else Confidence.MEDIUM,
        change=_meant(files, start),
        example=_added(service, start, left, context),
    )
