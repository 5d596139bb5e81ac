"""A service is given a variable that nothing in it reads.

Who sets it believes in an effect that it doesn't have: a limit that limits nothing, a switch that switches nothing.
Often the code that read it is gone, or was never written.

Anti-pattern:

    environment:
      RATE_LIMIT_BURST: ${RATE_LIMIT_BURST:-20}     # and no code that knows it

Better:

    environment:
      RATE_LIMIT_REQUESTS: ${RATE_LIMIT_REQUESTS:-100}

Recommendation:

    Remove the variable, or make the code read it.

References:

- https://12factor.net/config
- https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec.structs import replace

from auditlib.conventions import idle_env_lines, programs, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for all variables that no file of the programs names."""
    near = {(program.service.key, entry.name) for program, entry, _ in programs.near_misses(inventory)}
    found: defaultdict[str, list[tuple[str, EnvironmentEntry]]] = defaultdict(list)
    for program in programs.programs(inventory):
        service = program.service
        seen = set()
        for variant in stacks.variants(inventory, service):
            for entry in programs.unread(replace(program, service=variant)):
                if entry.location not in seen and (service.key, entry.name) not in near:  # a finding of its own
                    found[service.project].append((service.name, entry))
                seen.add(entry.location)
    for project, entries in found.items():
        yield _evidence(inventory, project, entries)
    for file, lines, takers in idle_env_lines.idle(inventory):
        yield _of_file(file, lines, takers)


def _of_file(file: EnvFile, lines: list[EnvLine], takers: list[Service]) -> Evidence:
    first, *others = lines
    names = list(dict.fromkeys(line.name for line in lines))
    services = list(dict.fromkeys(item.name for item in takers))
    them = "it" if len(names) == 1 else "them"
    return Evidence(
        f"{file.path} gives {listed(services)} {listed(names)}, which no file of the code names; a library that "
        f"reads {them} by itself is not known.",
        first.location,
        subject=f"{file.path}/unread",
        service=services[0] if len(services) == 1 else None,
        related=tuple(Related(line.location, f"{line.name} isn't read either") for line in others),
        recommendation=f"Remove {listed(names, limit=4)} from {file.path}, or read {them} in the code.",
        example="\n".join(f"# {line.location}: without {line.name}" for line in lines),
    )


def _written(inventory: Inventory, project: str, service: str, entry: EnvironmentEntry) -> str:
    """The entry as a line has it, as far as it is a plain value or one variable."""
    if not entry.variables:
        return f"{entry.name}: {entry.value.text}" if entry.value is not None else ""
    target = f"services.{service}.environment.{entry.name}"
    used = [item for item in inventory.variables_of.get((project, service), ()) if item.target == target]
    texts = {f"${{{item.name}{item.operator}{item.default.text if item.default else ''}}}" for item in used}
    return f"{entry.name}: {texts.pop()}" if len(texts) == 1 and len(entry.variables) == 1 else ""


def _evidence(inventory: Inventory, project: str, entries: list[tuple[str, EnvironmentEntry]]) -> Evidence:
    (service, first), *others = entries
    names = list(dict.fromkeys(entry.name for _, entry in entries))
    services = list(dict.fromkeys(name for name, _ in entries))
    related = {entry.location: f"{name} is given {entry.name}" for name, entry in others}
    return Evidence(
        f"{listed(services)} {'is' if len(services) == 1 else 'are'} given {listed(names)}, which no file of "
        f"{'its' if len(services) == 1 else 'their'} code names; a library that reads "
        f"{'it' if len(names) == 1 else 'them'} by itself is not known.",
        first.location,
        subject=f"{project}/unread",
        service=service,
        related=tuple(Related(place, text) for place, text in related.items() if place != first.location),
        recommendation=f"Remove {listed(names, limit=4)} from {first.location.file}, or read "
        f"{'it' if len(names) == 1 else 'them'} in the code.",
        change=(_written(inventory, project, service, first), ""),
        example="\n".join(f"# {entry.location}: without {entry.name}" for _, entry in entries),
    )
