"""The lines of an environment file that none of the services which take the file has a use for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import env_readers, environments, programs, templates
from auditlib.conventions.programs import Program
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.inventory.stack import Service


def idle(inventory: Inventory) -> Iterator[tuple[EnvFile, list[EnvLine], list[Service]]]:
    """Each file of the repository that services take with the lines that no file names and no image reads, where the
    code of all these services is here and known.
    """
    takers = _takers(inventory)
    known = {item.service.key: item for item in programs.programs(inventory)} if takers else {}
    in_part = env_readers.read_in_part(inventory) if takers else []
    for file in inventory.env_files:
        mine = takers.get(file.path, [])
        if not file.template and mine and not templates.is_for_laravel(inventory, file):
            own = [known[item.key] for item in mine if item.key in known]
            others = [item for item in mine if item.key not in known]
            if all(_is_known(item, in_part) for item in own) and all(map(env_readers.is_known_image, others)):
                lines = list(_lines(inventory, file, others))
                if own and lines and len(lines) < len(file.lines):
                    yield file, lines, mine


def _takers(inventory: Inventory) -> dict[str, list[Service]]:
    found: defaultdict[str, list[Service]] = defaultdict(list)
    for service in inventory.distinct_services:
        for path in dict.fromkeys(item.path for each in inventory.versions(service) for item in each.env_files):
            found[path].append(service)
    return found


def _is_known(program: Program, in_part: list[str]) -> bool:
    """Whether all that a program reads of its environment is known by name."""
    readable = env_readers.is_read_completely(program, in_part)
    return readable or (program.plain_go is not None and any(item.style in ("go", "rust") for item in program.settings))


def _lines(inventory: Inventory, file: EnvFile, images: list[Service]) -> Iterator[EnvLine]:
    """The lines whose names nothing of the repository has, and none of the images reads."""
    used = templates.used(inventory)
    named = [line for line in file.lines if line.name and not line.commented and not line.malformed]
    unused = [
        line for line in named if templates.is_unused(line, used) and not environments.names_environment(line.name)
    ]
    taken = {
        name
        for service in images
        for name in env_readers.read_by_image(inventory, service, {line.name for line in unused})
    }
    return (line for line in unused if line.name not in taken)
