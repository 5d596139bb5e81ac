"""A named volume lies over files that the image brings, so that a new image changes nothing.

Docker copies what the image has at that place into a volume that is new and empty, once. From then on the volume wins:
after the next deployment the container runs the new program with the old pages, styles or code.

Anti-pattern:

    web:
      build: .                       # COPY --from=build /app/dist /usr/share/nginx/html
      volumes: ["site:/usr/share/nginx/html"]

Better:

    web:
      build: .                       # the image holds all that it serves

Recommendation:

    Mount volumes only where data arises, and let a service that shares files copy them there at its start.

References:

- https://docs.docker.com/engine/storage/volumes/#populate-a-volume-using-a-container
- https://docs.djangoproject.com/en/stable/howto/static-files/deployment/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_DATA = regex(
    r"(?:^|/)(?:uploads?|media|data|storage|logs?|tmp|temp|cache|backups?|node_modules|vendor|var/lib)(?:/|$)"
)
"""Folders in which data arises; what an image puts there is a first filling."""
_STATIC = regex(r"/(?:static|staticfiles|static_?root|collected_?static)/?$")
_FILLS = frozenset({"cp", "rsync", "tar", "unzip", "ln"})


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every named volume that covers what the Dockerfile of its service copies, or collects as static files."""
    for service in inventory.distinct_services:
        if environments.only_for_development(service):
            continue
        brought = list(_brought(services.built_from(inventory, service)[1]))
        for mount in service.mounts:
            covered = next((item for path, item in brought if _covers(mount, path)), None)
            if covered is not None and not _is_filled(inventory, service, mount):
                yield _evidence(inventory, service, mount, covered)


def _brought(instructions: tuple[Instruction, ...]) -> Iterator[tuple[str, Instruction]]:
    """The places to which an image copies, and those that may be where Django collects static files."""
    folder = "/"
    for item in instructions:
        if item.keyword == "WORKDIR":
            folder = posixpath.join(folder, item.argument.strip("\"'"))
        elif item.keyword in ("COPY", "ADD") and len(item.words) > 1:
            yield posixpath.normpath(posixpath.join(folder, item.words[-1])), item
        elif item.keyword == "RUN" and any("collectstatic" in command.words for command in item.commands):
            yield f"{folder.rstrip('/')}/*", item


def _covers(mount: Mount, path: str) -> bool:
    """Whether a mount is a named volume at, or above, a place that the image fills."""
    if mount.kind != "volume" or not mount.source or _DATA.search(mount.target):
        return False
    if path.endswith("/*"):
        return bool(_STATIC.search(mount.target)) and mounts.is_below(mount.target, path[:-2])
    return mounts.is_below(path, mount.target)


def _is_filled(inventory: Inventory, service: Service, mount: Mount) -> bool:
    """Whether some command writes the files into the volume again."""
    commands = (*services.commands(inventory, service), *deployment.commands(inventory))
    return any(_fills(command, mount.target) for command in commands)


def _fills(command: Command, target: str) -> bool:
    words = [posixpath.basename(word) for word in command.words[:3]]
    copies = not _FILLS.isdisjoint(words) and any(mounts.is_below(word, target) for word in command.words[1:])
    return copies or "collectstatic" in command.words


def _evidence(inventory: Inventory, service: Service, mount: Mount, brought: Instruction) -> Evidence:
    how = "collects its static files there" if brought.keyword == "RUN" else f"copies to {brought.words[-1]}"
    return Evidence(
        f"{service.name} mounts the volume {mount.source} at {mount.target}, over what its image brings ({how}): the "
        "volume keeps the files of the first image, unless it is removed with each deployment.",
        mount.location,
        subject=f"{service.project}/{service.name}/{mount.target}",
        service=service.name,
        related=(Related(brought.location, "the image brings the files here"),),
        recommendation=f"Leave the volume out, or fill {mount.target} again with each deployment.",
        example=_lines(inventory, service, mount, brought),
    )


def _lines(inventory: Inventory, service: Service, mount: Mount, brought: Instruction) -> str:
    """The call that collects the files again; an image of its own for who shares them; or one mount less."""
    if brought.keyword == "RUN":
        collect = f"docker compose run --rm --no-deps --user 0 {service.name} python manage.py collectstatic --noinput"
        return f"# after each deployment\n{collect}"
    others = [item for item in inventory.services_of(service.project).values() if item.name != service.name]
    sharing = next((item for item in others if any(each.source == mount.source for each in item.mounts)), None)
    if sharing is None:
        return compose_lines.of_service(service, f"volumes:\n  # without {mount.source}:{mount.target}")
    copied = f"COPY --from={service.image or f'<image of {service.name}>'} {mount.target} {mount.target}"
    base = sharing.image or f"<image of {sharing.name}>"
    return files.into(f"Dockerfile of {sharing.name}, without the volume", f"FROM {base}\n{copied}")
