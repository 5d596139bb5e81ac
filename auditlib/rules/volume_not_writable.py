"""A program that isn't root has a volume at a place that its image doesn't have.

Docker gives a new volume the owner of the image's folder at that place. Where the image has none, Docker makes it, as
root. The program starts, answers its health check, and fails at the first upload with "permission denied".

Anti-pattern:

    # Dockerfile
    FROM python:3.13-slim
    RUN useradd app
    USER app
    # compose.yaml
    api:
      build: .
      volumes: ["uploads:/app/uploads"]      # and no line of the Dockerfile makes /app/uploads

Better:

    RUN useradd app && install -d -o app -g app /app/uploads
    USER app

Recommendation:

    Make the folder in the Dockerfile, with the user as its owner, before `USER`.

References:

- https://docs.docker.com/engine/storage/volumes/#populate-a-volume-using-a-container
- https://docs.docker.com/reference/dockerfile/#volume
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from auditlib.conventions import default_users, deployment, environments, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_MADE_ELSEWHERE = regex(
    r"^/(?:tmp|var/tmp|dev|run|var/run|var/www|usr|etc|opt/java|root)(?:/|$)|^/home/[^/]+/?$|^/$|"
    r"/(?:node_modules|\.next|\.venv|venv|__pycache__|target|vendor|dist|build|\.\w+)(?:/|$)|static"
)
"""Places of the base image, and those that the steps of a build make without naming them."""
_UNKNOWN = regex(r"\bsudo\b|\.sh\b|\bmake\b|\bbash\s|\bpython3? -m\b|\b(?:chmod|chown)\b[^\n&;|]{0,60} /(?:\s|$)")
"""Steps of which nobody knows what they make, or that let the program become root."""
_GIVES = regex(r"\b(?:chown|chmod|setfacl|install)\b")


class _Lacking(Struct, frozen=True):
    """A mount of a service at a place that no instruction of its image makes, and the instruction with the user."""

    service: Service
    mount: Mount
    user: Instruction


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each image one finding for all named volumes at places that it lacks, where its user isn't root."""
    found: defaultdict[tuple[str, ...], list[_Lacking]] = defaultdict(list)
    for service in inventory.deployed_services:
        if service.build is None or service.user or environments.is_for_developers(inventory, service):
            continue
        base, steps = services.built_from(inventory, service)
        user = _user(base, steps)
        for mount in service.mounts if user else ():
            if user and _is_kept(inventory, service, mount) and not _is_made(inventory, service, steps, mount.target):
                found[user.location.file, mount.target].append(_Lacking(service, mount, user))
    for items in found.values():
        yield _evidence(items)


def _user(base: str, steps: Sequence[Instruction]) -> Instruction | None:
    """The instruction that gives a known image a user who isn't root, if nothing in its build is unknown."""
    last = next((item for item in reversed(steps) if item.keyword == "USER"), None)
    name = last.argument.strip().strip("\"'").lower() if last else ""
    plain = default_users.starts_as_root(base) and bool(name) and "$" not in name and name not in default_users.ROOT
    known = not any(_UNKNOWN.search(item.argument) for item in steps if item.keyword == "RUN")
    return last if plain and known else None


def _is_kept(inventory: Inventory, service: Service, mount: Mount) -> bool:
    """Whether a mount is a named volume for this image alone, which nothing gives to another user."""
    if mount.kind != "volume" or not mount.source or mount.read_only or _MADE_ELSEWHERE.search(mount.target):
        return False
    if any(item.external and item.name == mount.source for item in inventory.volumes):
        return False
    mine = inventory.services_of(service.project).values()
    others = [
        item
        for item in mine
        if services.image_key(item) != services.image_key(service)
        and any(each.source == mount.source and not each.read_only for each in item.mounts)
    ]
    return not others and not _is_given(inventory, mount)


def _is_given(inventory: Inventory, mount: Mount) -> bool:
    """Whether a command, here or in a document, gives the volume or its place to somebody."""
    texts = [" ".join(item.words) for item in deployment.commands(inventory)]
    texts += [item.text for item in deployment.documented_commands(inventory)]
    texts += [" ".join((*item.entrypoint, *item.command)) for item in inventory.services]
    return any(_GIVES.search(text) and (mount.source in text or mount.target in text) for text in texts)


def _is_made(inventory: Inventory, service: Service, steps: Sequence[Instruction], target: str) -> bool:
    """Whether an instruction of an image makes a folder, or may do so."""
    place, name, folder = target.rstrip("/"), posixpath.basename(target.rstrip("/")), "/"
    values = {variable for item in steps for variable, value in item.variables if value and place in value.text}
    for item in steps:
        if item.keyword == "WORKDIR":
            folder = posixpath.join(folder, item.argument.strip("\"'"))
            made = mounts.is_below(folder, place)
        elif item.keyword == "RUN":
            made = name in item.argument or any(variable in item.argument for variable in values)
        elif item.keyword in ("COPY", "ADD") and len(item.words) > 1:
            made = _is_copied(
                inventory, service, item, posixpath.normpath(posixpath.join(folder, item.words[-1])), place
            )
        else:
            made = False
        if made or ("$" in folder and item.keyword == "WORKDIR"):
            return True
    return False


def _is_copied(inventory: Inventory, service: Service, item: Instruction, where: str, place: str) -> bool:
    """Whether a copy brings a folder: it goes there, or its source holds one of that name or may do so."""
    if mounts.is_below(where, place) or "$" in where:
        return True
    if not mounts.is_below(place, where):
        return False
    sources = item.words[:-1]
    if item.copies_image:
        return not all("." in posixpath.basename(source) for source in sources)
    context = service.build.context if service.build else ""
    rest = posixpath.relpath(place, where)
    tried = (posixpath.normpath(posixpath.join(context, source.lstrip("/"), rest)) for source in sources)
    return any(path in inventory.folder_set for path in tried)


def _evidence(items: list[_Lacking]) -> Evidence:
    first, *others = items
    names = listed(dict.fromkeys(item.service.name for item in items))
    user, place = first.user.argument.strip().strip("\"'"), first.mount.target.rstrip("/")
    owner, _, group = user.partition(":")
    return Evidence(
        f"{names} {'runs' if len(items) == 1 else 'run'} as {owner}, and no instruction of {first.user.location.file} "
        f"makes {place}: Docker makes it for the volume {first.mount.source}, as root, and {owner} can't write there, "
        "unless the base image has it.",
        first.mount.location,
        subject=f"{first.user.location.file}/{place}",
        service=first.service.name,
        related=(
            Related(first.user.location, f"the user is {owner} from here on"),
            *(Related(item.mount.location, f"{item.service.name} mounts it too", member=True) for item in others),
        ),
        recommendation=f"Make {place} in {first.user.location.file} with {owner} as its owner, before `USER`.",
        example=files.into(
            first.user.location.file,
            f"RUN mkdir -p {place} && chown {owner}{f':{group}' if group else ''} {place}\n{_spelt(first.user)}",
        ),
    )


def _spelt(user: Instruction) -> str:
    return f"USER {user.argument.strip()}"
