"""The program of an image runs as root.

Without `USER` a container's process is root. Whoever finds a hole in the program may then change everything in the
container, install tools in it, and write to what is mounted with the rights of root on the host; an escape from the
container ends as root of the host.

Anti-pattern:

    FROM python:3.12-slim
    COPY . /app
    CMD ["uvicorn", "app.main:app"]

Better:

    FROM python:3.12-slim
    RUN useradd --system --uid 10001 app
    COPY . /app
    USER 10001
    CMD ["uvicorn", "app.main:app"]

Recommendation:

    Create a user in the image, give it the folders that the program writes to, and end with `USER`.

References:

- https://docs.docker.com/build/building/best-practices/#user
- https://docs.docker.com/reference/dockerfile/#user
- https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import (
    default_users,
    image_builds,
    image_sources,
    images,
    kept_data,
    mounts,
    services,
    stacks,
    tools,
)
from auditlib.conventions.image_builds import Built
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ROOT_DEVICES = ("/var/run/docker.sock", "/run/docker.sock", "/dev", "/proc", "/sys")
_RUNS_AS = regex(r"\b(?:docker|podman)\s+(?:container\s+)?(?:run|create)\b.*\s(?:-u|--user)[ =]")
_ALPINE = regex(r"(?:^|-)alpine")
_ADDS_USER = {
    "alpine": "RUN adduser -S -D -H -u 10001 app",
    "debian": "RUN useradd --system --uid 10001 app",
}
_HOME = regex(r"(?:^|[\s\"'=:\[])/root/|\bpip3?\s+install\b.*\s--user\b|\bplaywright\s+install\b")
_BRINGS_SWITCH = regex(r"\b(?:gosu|su-exec|s6-overlay|setpriv)\b")
"""A program that changes the user, which nobody installs without a script that calls it."""
_OWN_USERS = {"node": "node", "oven/bun": "bun", "denoland/deno": "deno"}
"""The users that images bring."""
_WITHOUT_USERADD = frozenset({"amazoncorretto", "amazonlinux", "scratch"})
_MAJOR = regex(r"(\d+)")
_WITH_APP = 8
"""The first release of .NET whose images bring the user app."""


class _Scripts(Struct, frozen=True):
    """The scripts of the repository that change the user: their paths, and their names alone."""

    paths: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, inventory: Inventory) -> _Scripts:
        """Found once for all images."""
        found = [item.path for item in inventory.scripts if any(map(_changes_user, item.commands))]
        return cls(frozenset(found), frozenset(map(posixpath.basename, found)))


def _changes_user(command: Command) -> bool:
    return default_users.gives_up_root(command.words)


class _Root(Struct, frozen=True):
    """An image whose program runs as root, the instruction that shows it, and the services that run it so."""

    image: Built
    location: Location
    reason: str
    services: tuple[Service, ...]


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all images of the repository whose program is root from its start to its end."""
    scripts = _Scripts.of(inventory)
    otherwise = _is_run_otherwise(inventory)
    found = [
        item
        for built in image_builds.for_production(inventory)
        if built.services or not otherwise
        for item in _as_root(inventory, built, scripts)
    ]
    if found:
        yield _evidence(found, bool(inventory.cluster_files))


def _as_root(inventory: Inventory, built: Built, scripts: _Scripts) -> Iterator[_Root]:
    reason, location = _reason(built)
    if not reason or _is_for_actions(inventory, built):
        return
    if not built.services:
        if _starts_service(built) and not _gives_up(inventory, built, None, scripts):
            yield _Root(built, location, reason, ())
        return
    running = tuple(item for item in built.services if _is_root(inventory, built, item, scripts))
    if running:
        yield _Root(built, location, reason, running)


def _reason(built: Built) -> tuple[str, Location]:
    """What makes the image's user root, and where it shows; empty where it is another one or nobody knows."""
    users = [item for item in built.instructions if item.keyword == "USER"]
    stage = next(item for item in built.dockerfile.stages if item.name == built.target)
    if not users:
        known = default_users.starts_as_root(built.base)
        return (f"{built.base} starts as root" if known else ""), stage.location
    last = users[-1]
    entry = default_users.starts_as_root(built.base) or any(x.keyword == "ENTRYPOINT" for x in built.instructions)
    is_root = last.argument.strip().strip("\"'").lower() in default_users.ROOT
    return ("its last USER is root" if is_root and entry else ""), last.location


def _starts_service(built: Built) -> bool:
    """Whether the image says itself what it starts, and that is neither a test nor a task."""
    own = [item for item in built.instructions if item.keyword in ("CMD", "ENTRYPOINT")]
    text = " ".join(word for item in own for word in item.words)
    return bool(own) and not any(pattern.search(text) for pattern in tools.TEST_FRAMEWORKS.values())


def _is_root(inventory: Inventory, built: Built, service: Service, scripts: _Scripts) -> bool:
    """Whether a service runs the image as root all the time, without a need for it that shows."""
    if services.is_one_shot(service) or service.privileged or _reaches_host(service):
        return False
    if not (service.command or service.entrypoint or _starts_service(built)):
        return False
    named = stacks.somewhere(inventory, service, lambda item: bool(item.user) and item.user not in default_users.ROOT)
    return not named and not _gives_up(inventory, built, service, scripts)


def _reaches_host(service: Service) -> bool:
    return any(mount.outside and mount.source.startswith(_ROOT_DEVICES) for mount in service.mounts)


def _gives_up(inventory: Inventory, built: Built, service: Service | None, scripts: _Scripts) -> bool:
    """Whether what the container starts, or a script of the repository that it starts, changes the user."""
    words = _started(built, service)
    if default_users.gives_up_root(words):
        return True
    parts = [part for word in words for part in word.split()]
    known = [path for part in parts if (path := _script(inventory, built, service, part))]
    if known:
        return not scripts.paths.isdisjoint(known) or _brings_switch(built)
    names = {posixpath.basename(part) for part in parts}
    return not scripts.names.isdisjoint(names | set(_copied_as(built.instructions, names))) or _brings_switch(built)


def _script(inventory: Inventory, built: Built, service: Service | None, word: str) -> str:
    """The script of the repository that a word of a command names, copied into the image or mounted."""
    if "/" not in word and not word.endswith(".sh"):
        return ""
    mounted = mounts.path_outside(service, word) if service else ""
    path = mounted or image_sources.at_last(inventory, built.dockerfile, built.target, built.services).find(word)[0]
    return path if path in inventory.scripts_by_path else ""


def _brings_switch(built: Built) -> bool:
    texts = (item.argument for item in built.instructions if item.keyword in ("RUN", "COPY"))
    return any(_BRINGS_SWITCH.search(text) for text in texts)


def _started(built: Built, service: Service | None) -> tuple[str, ...]:
    last = {item.keyword: item.words for item in built.instructions if item.keyword in ("CMD", "ENTRYPOINT")}
    entry = (service.entrypoint if service else ()) or last.get("ENTRYPOINT", ())
    return (*entry, *((service.command if service else ()) or last.get("CMD", ())))


def _copied_as(instructions: tuple[Instruction, ...], names: set[str]) -> Iterator[str]:
    """The files of the context that are copied under one of these names."""
    for item in instructions:
        if item.keyword in ("COPY", "ADD") and len(item.words) == 2 and posixpath.basename(item.words[1]) in names:
            yield posixpath.basename(item.words[0])


def _is_for_actions(inventory: Inventory, built: Built) -> bool:
    """Whether it is the image of an action, which GitHub wants to be root."""
    folder = posixpath.dirname(built.dockerfile.path)
    return any(posixpath.join(folder, name) in inventory.file_set for name in ("action.yml", "action.yaml"))


def _is_run_otherwise(inventory: Inventory) -> bool:
    """Whether a command runs containers as another user, or manifests may say which."""
    texts = (" ".join(command.words) for step in inventory.steps for command in step.commands)
    scripts = (" ".join(command.words) for script in inventory.scripts for command in script.commands)
    return bool(inventory.cluster_files) or any(_RUNS_AS.search(f"{text} ") for text in (*texts, *scripts))


def _evidence(found: list[_Root], in_cluster: bool) -> Evidence:
    first, *others = found
    names = [_name(item) for item in found]
    alone = len(found) == 1 and len(first.services) < 2
    doubt = ", unless the manifests for the cluster do" if in_cluster else ""
    return Evidence(
        f"{listed(names)} {'runs' if alone else 'run'} as root: {first.reason}, and neither the Dockerfile, "
        f"Compose nor what is started changes the user{doubt}.",
        first.location,
        subject="images",
        service=first.services[0].name if alone and first.services else None,
        related=tuple(Related(item.location, f"{_name(item)}: {item.reason}", member=True) for item in others),
        recommendation=f"End {listed(item.image.dockerfile.path for item in found)} with `USER`, and give that user "
        f"the folders that it writes to{_written(found)}{_at_home(found)}{_beside(found)}.",
        confidence=Confidence.MEDIUM if in_cluster else None,
        example="\n".join(
            dict.fromkeys((*map(_lines, found[:3]), *(line for item in found[:3] for line in _stays(item))))
        ),
    )


def _name(item: _Root) -> str:
    names = listed(service.name for service in item.services)
    return f"{names} ({item.image.dockerfile.path})" if names else f"the image of {item.image.dockerfile.path}"


def _in_need(item: _Root) -> list[Service]:
    """The services that run the same image and reach the host as root."""
    return [service for service in item.image.services if service.privileged or _reaches_host(service)]


def _beside(found: list[_Root]) -> str:
    names = listed(dict.fromkeys(service.name for item in found for service in _in_need(item)))
    return f"; {names}, which it is built for too, reaches the host and stays root by `user`" if names else ""


def _stays(item: _Root) -> Iterator[str]:
    for service in _in_need(item):
        if not service.user:
            yield compose_lines.of_service(service, 'user: "0:0"')


def _at_home(found: list[_Root]) -> str:
    """What is said of an image that keeps programs or data in the home of root, which nobody else can enter."""
    texts = (step.argument for item in found for step in item.image.instructions)
    return "; move what it has in /root elsewhere" if any(_HOME.search(text) for text in texts) else ""


def _written(found: list[_Root]) -> str:
    targets = dict.fromkeys(path for item in found for path in _volumes(item))
    return f" ({listed(targets)})" if targets else ""


def _volumes(item: _Root) -> list[str]:
    kept = (mount for service in item.services for mount in kept_data.lasting(service) if mount.kind == "volume")
    return list(dict.fromkeys(mount.target for mount in kept))


def _lines(item: _Root) -> str:
    """The lines with which the Dockerfile ends instead, in the words of its base image."""
    name, base = images.repository(item.image.base), item.image.base
    if name == "scratch" or name.startswith("distroless/"):
        return files.into(item.image.dockerfile.path, "USER 65532:65532")
    own = _OWN_USERS.get(name, "")
    if name.startswith("dotnet/") and (major := _MAJOR.match(images.tag(base))) and int(major[1]) >= _WITH_APP:
        own = "app"
    adds = _ADDS_USER["alpine" if name in ("alpine", "busybox") or _ALPINE.search(images.tag(base)) else "debian"]
    user = own or "10001"
    folders = "".join(f"\nRUN install -d -o {user} {path}" for path in _volumes(item))
    adds = "" if own or name in _WITHOUT_USERADD else adds
    return files.into(item.image.dockerfile.path, f"{adds}{folders}\nUSER {user}".lstrip("\n"))
