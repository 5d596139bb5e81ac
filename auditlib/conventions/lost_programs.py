"""Programs that a container is to start under a path to which nothing of its image's build brings them.

Follows https://docs.docker.com/reference/dockerfile/#copy. Looked at are images on a plain base, whose programs lie in
the folders of the system; what a copied folder may hold, and what a command may put somewhere, isn't known.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import image_contents, mounts, services, starting
from auditlib.conventions.container_files import SYSTEM
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.patterns import regex

_WRAPPERS = frozenset({"exec", "tini", "dumb-init", "--", "-s", "/sbin/tini", "/usr/bin/tini", "/usr/bin/dumb-init"})
_PATH = regex(r"(?:/[\w@-][\w.@-]*)+")
_BRINGS = regex(r"\b(?:curl|wget|tar|unzip|git|ln|cp|mv|install -|dpkg|go build|go install|cargo|make|gcc|rsync)\b")
_OUTPUT = regex(r"-o[= ]?\s{0,5}(\S{1,200})")


class LostProgram(Struct, frozen=True):
    """`brought` are the paths to which the image gets something."""

    path: str
    brought: tuple[str, ...]
    location: Location


def of(inventory: Inventory, service: Service) -> LostProgram | None:
    """The program that a service's container lacks, where all that its image gets is known by its place."""
    found = services.dockerfile(inventory, service)
    start = next((item for item in starting.of(inventory, service) if not item.followed), None)
    if found is None or start is None or service.build is None or service.build.inline:
        return None
    path = next((word for word in start.words if word not in _WRAPPERS), "")
    base, instructions = services.final_stage(found, service.build.target)
    plain = image_contents.is_plain(base) or image_contents.is_empty(base)
    given = service.configs or any(mounts.is_below(path, item.target) for item in service.mounts)
    named = _PATH.fullmatch(path) and "." not in posixpath.basename(path) and not path.startswith((*SYSTEM, "/."))
    if not plain or given or not named or path.count("/") < 2 or _may_make(instructions, path):
        return None
    places = list(_places(found, instructions))
    if not places or any(place is None or path == place or path.startswith(_as_folder(place)) for place in places):
        return None
    return LostProgram(path, tuple(filter(None, places)), start.location)


def _as_folder(place: str) -> str:
    return f"{place.rstrip('/')}/"


def _may_make(instructions: tuple[Instruction, ...], path: str) -> bool:
    """Whether a command of the build names the program, or may bring anything anywhere."""
    texts = [item.argument for item in instructions if item.keyword == "RUN"]
    return any(posixpath.basename(path) in text or _BRINGS.search(text) for text in texts)


def _places(found: Dockerfile, instructions: tuple[Instruction, ...]) -> Iterator[str | None]:
    """Where each COPY puts something: a file that a compiler was told to write, or whatever a source is; None where a
    variable decides.
    """
    files = {name for item in found.instructions if item.keyword == "RUN" for name in _OUTPUT.findall(item.argument)}
    folder = "/"
    for item in instructions:
        if item.keyword == "WORKDIR":
            folder = posixpath.normpath(posixpath.join(folder, item.argument.strip("\"' ")))
        elif item.keyword in ("COPY", "ADD") and len(item.words) > 1:
            *sources, target = item.words
            if "$" in f"{folder}{item.argument}":
                yield None
                continue
            inside = posixpath.normpath(posixpath.join(folder, target))
            into = len(sources) > 1 or target.endswith(("/", "."))
            for source in sources:
                yield posixpath.join(inside, posixpath.basename(source)) if into and source in files else inside
