"""A service, or a template, has a variable whose name is nearly the one that the code reads.

The code doesn't see the value and goes on with its default, or without one. With a password or a signing key the
default is what protects the system; nothing in the logs says so.

Anti-pattern:

    # compose.yaml
    environment:
      REDIS_PASS: ${REDIS_PASS:?}
    # settings.py
    REDIS_PASSWORD: str = ""

Better:

    environment:
      REDIS_PASSWORD: ${REDIS_PASSWORD:?}

Recommendation:

    Use one name for a setting everywhere: in the code, in Compose, and in templates.

References:

- https://12factor.net/config
- https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import programs, templates
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine, Setting
from auditlib.inventory.stack import EnvironmentEntry, Variable
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.redaction import is_credential_name
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every pair of a variable that nothing reads and a setting that nothing sets, with names that are near."""
    pairs: defaultdict[tuple[str, Location], dict[str, EnvironmentEntry]] = defaultdict(dict)
    settings: dict[Location, Setting] = {}
    for program, entry, setting in programs.near_misses(inventory):
        pairs[entry.name, setting.location].setdefault(program.service.name, entry)
        settings[setting.location] = setting
    for (name, place), entries in pairs.items():
        yield _evidence(name, settings[place], entries)
    for template, unused in templates.unused(inventory):
        for line, setting in templates.near_misses(inventory, template, unused):
            yield _of_template(template, line, setting)
    for template, line, setting in templates.renamed(inventory):
        yield _of_template(template, line, setting)
    places: defaultdict[tuple[str, str], list[Location]] = defaultdict(list)
    read: dict[str, Variable] = {}
    for name, place, variable in templates.told_misses(inventory):
        places[name, variable.name].append(place)
        read[variable.name] = variable
    for (name, other), found in places.items():
        yield _of_command(name, read[other], found)


def _of_command(name: str, variable: Variable, places: list[Location]) -> Evidence:
    """What people are told to type, under a name that no Compose file reads."""
    first, *others = places
    return Evidence(
        f"{first.file} has people give Compose {name}, which no Compose file reads; "
        f"{variable.location.file} reads {variable.name}: who follows it changes nothing.",
        first,
        subject=f"{name}/{variable.name}",
        related=(
            Related(variable.location, f"{variable.name} is read here"),
            *(Related(place, f"{name} here too", member=True) for place in others),
        ),
        recommendation=f"Write {variable.name} in place of {name} in {first.file}.",
        severity=Severity.LOW,
        change=(f"{name}=", f"{variable.name}="),
    )


def _of_template(template: EnvFile, line: EnvLine, setting: Setting) -> Evidence:
    """What a template has its readers set, under a name that the code doesn't know."""
    return Evidence(
        f"{template.path} names {line.name}, which nothing of the repository reads; the code reads {setting.name}, "
        "which no template names: for who follows it, that isn't set.",
        line.location,
        subject=f"{line.name}/{setting.name}",
        related=(Related(setting.location, f"{setting.name} is read here"),),
        recommendation=f"Rename {line.name} to {setting.name} in {template.path}, or the other way round in the code.",
        severity=Severity.HIGH if setting.required else None,
        change=(f"{line.name}=", f"{setting.name}="),
    )


def _evidence(name: str, setting: Setting, entries: dict[str, EnvironmentEntry]) -> Evidence:
    (service, first), *others = entries.items()
    without = "has no value" if setting.required or setting.default_kind in ("none", "null") else "keeps its default"
    secret = is_credential_name(setting.name)
    are = "is" if len(entries) == 1 else "are"
    return Evidence(
        f"{listed(entries)} {are} given {name}, which no code of it reads; the code reads {setting.name}, "
        f"which {without}.",
        first.location,
        subject=f"{name}/{setting.name}",
        service=service,
        related=(
            Related(setting.location, f"{setting.name} is read here"),
            *(Related(entry.location, f"{other} is given {name}, too") for other, entry in others),
        ),
        recommendation=f"Rename {name} to {setting.name} for {listed(entries)}, or the other way round in the code.",
        severity=Severity.HIGH if secret or setting.required else None,
        change=(f"{name}:", f"{setting.name}:"),
    )
