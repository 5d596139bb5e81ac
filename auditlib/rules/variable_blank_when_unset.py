"""A Compose file uses variables that become blank when nobody sets them.

For `${NAME}` without an operator Compose prints a warning and goes on with an empty string. The service starts with
an empty key, host or password and fails later, somewhere else, or doesn't fail and is open.

Anti-pattern:

    environment:
      OPENAI_API_KEY: ${OPENAI_API_KEY}

Better:

    environment:
      OPENAI_API_KEY: ${OPENAI_API_KEY:?set it in .env}
      # or, where empty is a value that the software is ready for:
      SENTRY_DSN: ${SENTRY_DSN:-}

Recommendation:

    Demand the variable with `:?`, or say with `:-` that it may be empty.

References:

- https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import pairwise

from auditlib import compose_command
from auditlib.compose.discovery import BASES
from auditlib.conventions import deployment, env_file_uses, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Variable
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import remote
from auditlib.redaction import is_credential_name
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_VARIABLE = regex(r"\$\{?\w+\}?")
_REFERENCE = regex(r"[a-z\d]+(?:[._:/-]{1,2}[a-z\d]+)*(?::[\w.-]+)?(?:@sha256:[a-f\d]+)?", re.I)
"""About what an image may be called, by https://pkg.go.dev/github.com/distribution/reference."""
_PORT = regex(r"\.ports\.\d+$")
_READS = frozenset({"up", "run", "build", "config", "pull", "create"})
"""Verbs for which Compose fills in all variables of a file."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For the Compose files of a folder one finding for all variables that they use without an operator and that
    nothing sets; those for development apart.

    Where a file or a deployment sets one in the wrong place, that is a finding of its own; and where Compose doesn't go
    on with an empty one, nobody needs telling.
    """
    blank: defaultdict[str, dict[Location, Variable]] = defaultdict(dict)
    passed = _passed(inventory)
    told = {item.location for found in _set_elsewhere(inventory) for item in found}
    demanded = {(item.location.file, item.name) for item in inventory.variables if item.operator in (":?", "?")}
    stops = {(item.project, item.name) for item in inventory.variables if _is_refused_port(inventory, item)}
    conditions = {_place(item) for item in inventory.variables if item.operator in (":+", "+")}
    for item in inventory.variables:
        if _place(item) in conditions:  # `${NAME:+--password ${NAME}}` counts only where it is set
            continue
        unset = item.operator == "" and item.source == "unset" and not environments.comes_from_the_host(item.name)
        known = item.name in passed or (item.location.file, item.name) in demanded or item.location in told
        known = known or (item.project, item.name) in stops
        if unset and not known and not _is_refused(inventory, item):
            blank[item.location.file].setdefault(item.location, item)
    folders: defaultdict[tuple[str, Severity | None], list[Variable]] = defaultdict(list)
    for file, found in blank.items():
        folders[posixpath.dirname(file), _severity(inventory, file, found.values())].extend(found.values())
    for (_, severity), uses in folders.items():
        yield _evidence(inventory, uses, severity)


def _is_refused(inventory: Inventory, variable: Variable) -> bool:
    """Whether Compose stops at an empty value: as the source of a mount, or where it leaves no image's name."""
    service = inventory.services_of(variable.project).get(variable.service or "")
    if service is None:
        return False
    alone = f"${{{variable.name}}}", f"${variable.name}"
    mounted = ".volumes." in variable.target and any(item.source in alone for item in service.mounts)
    if mounted or not variable.target.endswith(f"services.{service.name}.image"):
        return mounted
    return not _REFERENCE.fullmatch(_VARIABLE.sub("", service.image))


def _is_refused_port(inventory: Inventory, variable: Variable) -> bool:
    """Whether Compose stops at an empty value as nothing is left for the container's side of a port (`${A}:${A}`)."""
    service = inventory.services_of(variable.project).get(variable.service or "")
    if service is None or variable.operator or variable.source != "unset" or not _PORT.search(variable.target):
        return False
    return all(port.location.line != variable.location.line or not port.target for port in service.ports)


def _set_elsewhere(inventory: Inventory) -> Iterator[tuple[Variable, ...]]:
    yield from (item.variables for item in env_file_uses.missed(inventory))
    yield from (item.variables for item in remote.exported(inventory))


def _place(variable: Variable) -> tuple[str, str, int]:
    return variable.name, variable.location.file, variable.location.line


def _passed(inventory: Inventory) -> frozenset[str]:
    """The names that environment files of the repository set which some command gives to Compose (`--env-file`)."""
    words = (command.words for command in deployment.commands(inventory))
    files = {after for found in words for word, after in pairwise(found) if word == "--env-file"}
    names = {posixpath.basename(file) for file in files}
    chosen = any("$" in name for name in names)  # one of those that are there
    return frozenset(
        line.name
        for item in inventory.env_files
        if not item.template and (chosen or posixpath.basename(item.path) in names)
        for line in item.lines
    )


def _severity(inventory: Inventory, file: str, uses: Collection[Variable]) -> Severity | None:
    """Low for what a template has everybody set, and where developers see the warning."""
    templates = {line.name for item in inventory.env_files if item.template for line in item.lines}
    known = all(item.name in templates and not is_credential_name(item.name) for item in uses)
    return Severity.LOW if known or environments.is_for_development(file) else None


def _evidence(inventory: Inventory, uses: list[Variable], severity: Severity | None) -> Evidence:
    names = list(dict.fromkeys(item.name for item in uses))
    files = list(dict.fromkeys(item.location.file for item in uses))
    first, *others = uses
    swarm = {item.name for item in inventory.projects if item.for_swarm}
    silent = all(item.project in swarm for item in uses)
    goes_on = "`docker stack deploy` says nothing of it" if silent else "Compose warns and goes on"
    demand = f":?{compose_lines.set_in(inventory, first.project)}"
    where = f" in {len(files)} Compose files" if len(files) > 1 else ""
    return Evidence(
        f"{listed(names)} {'becomes' if len(names) == 1 else 'become'} an empty string{where} when nobody sets "
        f"{'it' if len(names) == 1 else 'them'}: {goes_on}.",
        first.location,
        subject=f"{first.location.file}/blank",
        service=first.service,
        related=tuple(Related(item.location, f"{item.name} is used here", member=True) for item in others),
        recommendation=f"Write `${{{names[0]}{demand}}}`, or `${{{names[0]}:-}}` if it may be empty"
        f"{'' if len(names) == 1 else '; likewise for the others'}.{_in_workflow(inventory, files[0], names)}",
        severity=severity,
        change=(f"${{{first.name}}}", f"${{{first.name}{demand}}}"),
    )


def _in_workflow(inventory: Inventory, file: str, names: list[str]) -> str:
    """What else has to be done where a workflow calls Compose for the file and gives it none of the variables."""
    name = posixpath.basename(file)
    given = {pair.name for pair in deployment.workflow_variables(inventory)}
    for step in inventory.steps:
        calls = filter(None, (compose_command.of(command.words) for command in step.commands))
        asked = any(
            call.verb in _READS and name in ([posixpath.basename(item) for item in call.files] or BASES)
            for call in calls
        )
        if asked and given.isdisjoint(names) and not any(".env" in other.run for other in inventory.steps):
            return f" {step.location.file} has to set it too: it calls Compose without."
    return ""
