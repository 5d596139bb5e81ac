"""Compilers and headers stay in the image that runs.

They are needed while packages are built, and never again: the image is some hundred megabytes larger, takes longer to
pull and to scan, and whoever gets into the container finds the tools to build his own there.

Anti-pattern:

    FROM python:3.13-slim
    RUN apt-get update && apt-get install -y build-essential libpq-dev
    COPY requirements.txt .
    RUN pip install -r requirements.txt

Better:

    FROM python:3.13-slim AS build
    RUN apt-get update && apt-get install -y build-essential libpq-dev
    COPY requirements.txt .
    RUN pip wheel --wheel-dir /wheels -r requirements.txt

    FROM python:3.13-slim
    RUN apt-get update && apt-get install -y libpq5 && rm -rf /var/lib/apt/lists/*
    COPY --from=build /wheels /wheels
    RUN pip install --no-cache-dir /wheels/*

Recommendation:

    Build in a stage of its own, and copy what it made into the last one.

References:

- https://docs.docker.com/build/building/multi-stage/
- https://docs.docker.com/build/building/best-practices/#dont-install-unnecessary-packages
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import image_builds, images
from auditlib.conventions.image_builds import Built
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.dockerfile import Instruction
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import building
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_COMPILERS = frozenset({"build-essential", "build-base", "gcc", "g++", "gcc-c++", "clang", "cmake"})
_INSTALLERS = {"apt-get": "install", "apt": "install", "apk": "add", "yum": "install", "dnf": "install",
               "microdnf": "install"}  # fmt: skip
_REMOVES = regex(
    r"\b(?:apt-get|apt)\b[^;&|\n]*\b(?:purge|remove|autoremove)\b|\bapk del\b|\b(?:yum|dnf) (?:remove|erase)\b"
)
_SMALL = regex(r"(?:^|-)(?:slim|alpine)[\w.]*(?:-|$)")
_WITHOUT = frozenset(
    {"debian", "ubuntu", "alpine", "fedora", "rockylinux", "almalinux", "eclipse-temurin", "apache/airflow"}
)
"""Images that hold no compiler whatever their tag; of other ones the plain variants hold one."""
_HEADERS = regex(r"-(?:dev|devel|headers)(?:=|$)")
_COMPILES = regex(r"\b(?:make|gcc|g\+\+|cc|cmake|cargo|jupyter\w*|code-server|pip|npm)\b")


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each image that runs in production whose last stage installs a compiler and doesn't remove it."""
    unbuilt = building.by_nothing(inventory)
    for built in (item for item in image_builds.for_production(inventory) if item.dockerfile.path not in unbuilt):
        mine = [item for item in built.instructions if item.keyword == "RUN"]
        if not _is_small(built.base) or any(_REMOVES.search(item.argument) for item in mine) or _compiles(built):
            continue
        found = [(item, name) for item in mine for command in item.commands for name in _installed(command)]
        if found:
            yield _evidence(built, found)


def _is_small(base: str) -> bool:
    """Whether an image is known to hold no compiler by itself."""
    return images.repository(base) in _WITHOUT or bool(_SMALL.search(images.tag(base)))


def _compiles(built: Built) -> bool:
    """Whether the image's command builds something when it starts."""
    own = [word for item in built.instructions if item.keyword in ("CMD", "ENTRYPOINT") for word in item.words]
    given = [word for item in built.services for word in (*item.entrypoint, *item.command)]
    return bool(_COMPILES.search(" ".join((*own, *given))))


def _installed(command: Command) -> list[str]:
    """The compilers that a command installs for good."""
    words = [word for word in command.words if word != "sudo"]
    verb = _INSTALLERS.get(words[0].rpartition("/")[2]) if words else None
    if verb is None or verb not in words or any(word.startswith(("-t", "--virtual")) for word in words):
        return []
    return [word for word in words if word.partition("=")[0] in _COMPILERS]


def _evidence(built: Built, found: list[tuple[Instruction, str]]) -> Evidence:
    (first, _), *others = found
    names = listed(dict.fromkeys(name for _, name in found))
    path = built.dockerfile.path
    runs = listed(item.name for item in built.services)
    whose = f"the image of {runs} ({path})" if runs else f"the image of {path}"
    places = {item.location: None for item, _ in others if item is not first}
    return Evidence(
        f"{names} {'is' if len({name for _, name in found}) == 1 else 'are'} installed in {whose} and not removed "
        "again: compilers are part of what runs.",
        first.location,
        subject=f"{path}/compiler",
        service=built.services[0].name if len(built.services) == 1 else None,
        related=tuple(Related(place, "and here", member=True) for place in places),
        recommendation=f"Build in an earlier stage of {path}, and copy what it made into the last one.",
        example=files.into(
            path,
            f"FROM {built.base} AS build\n{_first_line(first)}\n# build here, then\nFROM {built.base}\n{_kept(first)}"
            "COPY --from=build <what was built> <where it is needed>",
        ),
    )


def _kept(item: Instruction) -> str:
    """The same line for the last stage, with what isn't for building alone; nothing where all of it is."""
    line, packages = _first_line(item), [word for command in item.commands for word in _packages(command)]
    building = [name for name in packages if name.partition("=")[0] in _COMPILERS or _HEADERS.search(name)]
    if len(building) == len(packages):
        return ""
    for name in building:
        line = re.sub(rf"(?<=\s){re.escape(name)}(?:\s+|$)", "", line)
    headers = [name for name in building if _HEADERS.search(name)]
    return f"# what runs needs too{f', and the libraries of {listed(headers)}' if headers else ''}:\n{line.rstrip()}\n"


def _packages(command: Command) -> list[str]:
    """What a command installs."""
    words = [word for word in command.words if word != "sudo"]
    verb = _INSTALLERS.get(words[0].rpartition("/")[2]) if words else None
    return [word for word in words[words.index(verb) + 1 :] if word[0] != "-"] if verb in words and verb else []


def _first_line(item: Instruction) -> str:
    return f"RUN {item.argument.strip().splitlines()[0]}"
