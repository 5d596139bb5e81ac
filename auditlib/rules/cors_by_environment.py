"""The allowed origins depend on the environment's name, and no deployment of the repository sets it.

Code picks the origins that browsers may call from by comparing the environment variable with fixed names. If nothing
sets the variable to one of these, every deployment gets the list that was left for development, often with `*` or
`localhost` in it, and the lists for staging and production are never in effect.

Anti-pattern:

    if settings.ENVIRONMENT == "production":
        origins = ["https://app.example.com"]
    else:
        origins = ["*"]                       # and nothing ever sets ENVIRONMENT=production

Better:

    origins = settings.ALLOWED_ORIGINS        # required, set for each environment

Recommendation:

    Set the variable in every deployment, or better: make the list of origins itself a required setting.

References:

- https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS
- https://cheatsheetseries.owasp.org/cheatsheets/HTML5_Security_Cheat_Sheet.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import deployment, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvironmentBranch
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_IN_CODE = regex(r"(?:is|in)_")
"""What the code makes of a variable by itself (`is_production = settings.ENVIRONMENT == "production"`)."""
_DEPLOYED = regex(r"prod|live|stag|release|deploy", re.I)
_ORIGINS = regex(r"origin|cors|allowed_?hosts|csrf_?trusted", re.I)


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every choice of origins by a variable that nothing sets to one of the names that the code compares with."""
    groups: defaultdict[tuple[str, str, tuple[str, ...]], list[EnvironmentBranch]] = defaultdict(list)
    behind = {target: item.variable for item in inventory.environment_branches for target in item.targets}
    given = {name for item in inventory.settings for name in (item.name, *item.aliases)}
    for branch in inventory.environment_branches:
        if any(_ORIGINS.search(target) for target in branch.targets):
            variable = behind.get(branch.variable, branch.variable)
            if variable in given or not _IN_CODE.match(variable):
                groups[branch.location.file, variable, branch.targets].append(branch)
    for (_, variable, targets), branches in groups.items():
        names = list(dict.fromkeys(value for branch in branches for value in branch.values))
        known = _is_read_with_another_default(inventory, variable, names) and not _comes_from_outside(
            inventory, variable
        )
        if known and any(map(_DEPLOYED.search, names)) and not set(names) & set(_set_values(inventory, variable)):
            yield _evidence(inventory, variable, names, targets, branches)


def _is_read_with_another_default(inventory: Inventory, variable: str, names: list[str]) -> bool:
    """Whether code reads the variable, and each time with a default that is none of the names."""
    read = [item for item in inventory.settings if variable in (item.name, *item.aliases)]
    return bool(read) and not any(
        item.required or item.default_kind == "expression" or (item.default is not None and item.default.text in names)
        for item in read
    )


def _comes_from_outside(inventory: Inventory, variable: str) -> bool:
    """Whether a shell, or a file that isn't here, gives a service the variable, as Compose or a template tells."""
    wanted = variable.upper()
    if any(services.lacks_env_file(inventory, item) for item in inventory.services if item.build):
        return True
    entries = [entry for item in inventory.services for entry in item.environment if entry.name.upper() == wanted]
    passed = {name for entry in entries for name in entry.variables}
    asked = any(item.name in passed and item.operator not in (":-", "-") for item in inventory.variables)
    return asked or any(entry.value is None for entry in entries)


def _set_values(inventory: Inventory, variable: str) -> Iterator[str]:
    """The values that something gives the variable: Compose, env files, workflows, images, commands."""
    wanted = variable.upper()
    for service in inventory.services:
        yield from (str(entry.value) for entry in service.environment if entry.name.upper() == wanted and entry.value)
    for line in (line for file in inventory.env_files for line in file.lines if not line.commented):
        if line.name.upper() == wanted and line.value:
            yield str(line.value)
    yield from (pair.value for pair in deployment.workflow_variables(inventory) if pair.name.upper() == wanted)
    words = [word for command in deployment.commands(inventory) for word in command.words]
    words += [
        word
        for file in inventory.dockerfiles
        for item in file.instructions
        if item.keyword == "ENV"
        for word in item.words
    ]
    yield from (word.partition("=")[2].strip("\"'") for word in words if word.upper().startswith(f"{wanted}="))


def _set(inventory: Inventory, variable: str, names: list[str], file: str) -> str:
    """The variable at the service that runs the code."""
    built = [item for item in inventory.distinct_services if item.build and not item.build.outside]
    mine = [item for item in built if item.build and mounts.is_below(file, item.build.context.removeprefix("."))]
    line = f"environment:\n  {variable}: ${{{variable}:?{' or '.join(names)}}}"
    return compose_lines.of_service(mine[0], line) if mine else line


def _evidence(
    inventory: Inventory, variable: str, names: list[str], targets: tuple[str, ...], branches: list[EnvironmentBranch]
) -> Evidence:
    defaults = {
        item.location: Related(item.location, f"{variable} is set here, by default to `{item.default}`")
        for item in inventory.variables
        if item.name.upper() == variable.upper() and item.default is not None
    }
    return Evidence(
        f"{listed(targets)} is chosen by {variable} ({listed(names)}), and nothing in the repository sets "
        f"{variable} to any of these: unless the host does, deployments get what is meant for development.",
        branches[0].location,
        subject=f"{variable}/{'/'.join(targets)}",
        related=(
            *(Related(item.location, f"branch for {listed(item.values)}") for item in branches[1:]),
            *defaults.values(),
        ),
        recommendation=f"Set {variable} in the deployment ({listed(names)}), or read {listed(targets)} from a "
        "required variable.",
        example=_set(inventory, variable, names, branches[0].location.file),
    )
