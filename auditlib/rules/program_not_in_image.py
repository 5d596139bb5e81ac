"""Code starts a program that its image doesn't hold.

The call works where the code was written, since the program is installed there. In the container it fails at the moment
it is needed: a backup that is never made, a button that answers with an error. The same goes for a script that asks for
Bash in an image on Alpine, which has none.

Anti-pattern:

    # backup.py
    subprocess.run(["pg_dump", "--format=custom", url], check=True)
    # Dockerfile
    FROM python:3.13-slim
    COPY . .

Better:

    FROM python:3.13-slim
    RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
    COPY . .

Recommendation:

    Install what the code starts in the image that it runs in.

References:

- https://docs.docker.com/build/building/best-practices/#apt-get
- https://wiki.alpinelinux.org/wiki/BusyBox
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import (
    build_context,
    environments,
    image_builds,
    image_contents,
    image_folders,
    images,
    mounts,
    services,
)
from auditlib.conventions.image_builds import Built
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import ProgramCall
from auditlib.inventory.delivery import Script
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_APT = "apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*"

_STARTS = frozenset({"ENTRYPOINT", "CMD"})


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each program that an image is known to lack, and that its code starts or a script in it asks for."""
    for built in _images(inventory):
        if image_contents.is_plain(built.base):
            yield from _of_code(inventory, built)
            yield from _of_scripts(inventory, built)


def _images(inventory: Inventory) -> list[Built]:
    """The images that services run, but for development."""
    users: defaultdict[tuple[str, str], list[Service]] = defaultdict(list)
    for service in inventory.distinct_services:
        found = services.dockerfile(inventory, service)
        if found and service.build and found.stages and not environments.only_for_development(service):
            users[found.path, services.built_stage(found, service.build.target)].append(service)
    return [Built(inventory.dockerfiles_by_path[path], stage, tuple(mine)) for (path, stage), mine in users.items()]


def _of_code(inventory: Inventory, built: Built) -> Iterator[Evidence]:
    homes = image_folders.of_sources(built.services[0], built.dockerfile)
    calls: dict[str, ProgramCall] = {}
    for item in inventory.program_calls:
        inside = any(mounts.is_below(item.location.file, home) for home in homes)
        if inside and _is_application(item) and _is_reached(built, item, homes):
            calls.setdefault(item.name, item)
    installed = {item.name for manifest in inventory.manifests for item in manifest.requirements}
    for name, call in calls.items():
        package = image_contents.missing_package(built.base, name)
        if package and name not in installed and not _is_brought(built, name, package):
            others = [
                item for item in inventory.program_calls if item.name == name and item != call and _is_application(item)
            ]
            yield _call_evidence(built, call, package, others)


def _is_application(item: ProgramCall) -> bool:
    """Whether the code belongs to what runs, and not to the tools of those who write it."""
    return not {"scripts", "tools", "bin", "ci", "hack"} & set(item.location.file.split("/")[:-1])


def _is_reached(built: Built, item: ProgramCall, homes: list[str]) -> bool:
    """Whether a command or other code of the image names the module that the call is in, as far as either is known."""
    whole = any(build_context.copies_everything(step) for step in built.instructions)
    held = homes if whole else homes[1:] or homes
    if item.named_by is None or any(mounts.is_below(path, home) for path in item.named_by for home in held):
        return True
    starts = [step.argument for step in built.instructions if step.keyword in _STARTS]
    starts += [" ".join((*each.entrypoint, *each.command)) for each in built.services]
    stem = posixpath.splitext(posixpath.basename(item.location.file))[0]
    return not any(starts) or any(stem in text for text in starts)


def _is_brought(built: Built, *words: str) -> bool:
    """Whether a step of the build names one of the words, or runs a script that may install anything."""
    steps = [item for item in built.instructions if item.keyword in ("RUN", "COPY", "ADD")]
    named = any(_names(item, word) for item in steps for word in words)
    mounted = any(word in mount.target for service in built.services for mount in service.mounts for word in words)
    return named or mounted or any(".sh" in item.argument for item in steps if item.keyword == "RUN" and _runs(item))


def _names(item: Instruction, word: str) -> bool:
    """Whether an instruction has a word of that name, or one that only says more (`postgresql-client-16`)."""
    return any(part.rpartition("/")[2].startswith(word) for part in item.argument.replace("=", " ").split())


def _runs(item: Instruction) -> bool:
    """Whether a step runs a script, and doesn't only set its rights."""
    heads = [posixpath.basename(command.words[0]) for command in item.commands if command.words]
    return any(head not in ("chmod", "chown", "sed", "dos2unix") for head in heads)


def _of_scripts(inventory: Inventory, built: Built) -> Iterator[Evidence]:
    """The scripts that an image on Alpine is given by their names and that ask for Bash."""
    if not image_contents.lacks_bash(built.base) or _is_brought(built, "bash"):
        return
    given = [
        (item, word)
        for item in built.instructions
        if item.copies_context
        for word in item.words[:-1]
        if posixpath.splitext(word)[1] in (".sh", ".bash")
    ]
    paths = {posixpath.normpath(posixpath.join(image_builds.folder(built), word)): item for item, word in given}
    paths |= _started(inventory, built)
    for path, item in paths.items():
        script = inventory.scripts_by_path.get(path)
        if script and script.shebang and script.interpreter == "bash":
            yield _script_evidence(built, script, item.location, item.keyword in _STARTS)


def _started(inventory: Inventory, built: Built) -> dict[str, Instruction]:
    """The script that an image starts by its path and has from a folder of its context, if only one has its name."""
    folder = image_builds.folder(built)
    found: dict[str, Instruction] = {}
    for item in built.instructions:
        word = item.words[0] if item.keyword in _STARTS and item.words else ""
        if word.endswith((".sh", ".bash")):
            named = inventory.files_by_name.get(posixpath.basename(word), ())
            mine = [path for path in named if mounts.is_below(path, folder or ".") or not folder]
            found |= dict.fromkeys(mine, item) if len(mine) == 1 else {}
    return found


def _call_evidence(built: Built, call: ProgramCall, package: str, others: list[ProgramCall]) -> Evidence:
    path = built.dockerfile.path
    runs = listed(item.name for item in built.services)
    return Evidence(
        f"{call.location.file} starts {call.name}, and the image of {runs} ({path}) has none: {built.base} doesn't "
        "hold it, and no step installs it. The call fails wherever that code runs in the container.",
        call.location,
        subject=f"{path}/{call.name}",
        service=built.services[0].name if len(built.services) == 1 else None,
        related=(
            Related(_from(built), f"{path} is built on {built.base}"),
            *(Related(item.location, f"{call.name} is started here too", member=True) for item in others),
        ),
        recommendation=f"Install {package} in {path}, or do without {call.name}.",
        example=files.into(path, f"RUN {_installs(built.base, package)}"),
    )


def _script_evidence(built: Built, script: Script, place: Location, starts: bool) -> Evidence:
    path = built.dockerfile.path
    does = "starts it in" if starts else "copies it into"
    return Evidence(
        f"{script.path} asks for Bash in its first line, and {path} {does} an image on {built.base}, which "
        "has none: started by its path, it ends with `not found`.",
        script.location,
        subject=f"{path}/{script.path}",
        service=built.services[0].name if len(built.services) == 1 else None,
        related=(Related(place, f"{path} {'starts' if starts else 'copies'} it"),),
        severity=Severity.HIGH,
        recommendation=f"Install bash in {path}, or write the script for `#!/bin/sh`.",
        example=files.into(path, f"RUN {_installs(built.base, 'bash')}"),
    )


def _from(built: Built) -> Location:
    return next(
        (item.location for item in built.dockerfile.stages if item.base == built.base), built.dockerfile.location
    )


def _installs(base: str, package: str) -> str:
    alpine = "alpine" in images.tag(base) or images.repository(base) == "alpine"
    return f"apk add --no-cache {package}" if alpine else _APT.format(package)
