"""Compose refuses the project.

What Compose refuses, nobody can start: `docker compose config` fails, and so does every command after it, on every
machine and in every pipeline.

Anti-pattern:

    services:
      api:
        image: ghcr.io/acme/api:1.4
        networks: [backend]  # no network is declared so

Better:

    services:
      api:
        image: ghcr.io/acme/api:1.4
        networks: [backend]
    networks:
      backend:

Recommendation:

    Mend the lines named; have the pipeline run `docker compose config --quiet`, which finds such faults at once.

References:

- https://docs.docker.com/reference/cli/docker/compose/config/
- https://docs.docker.com/compose/how-tos/multiple-compose-files/merge/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib.conventions import compose_calls, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.merging import Problem
from auditlib.inventory.stack import Project
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.rules import _problem_lines as problem_lines
from auditlib.rules._rule import Evidence, rule

_NAMED_ELSEWHERE = frozenset({
    "missing-file", "env-file", "cycle", "disabled-service", "variable-required", "empty", "named-copies",
})  # fmt: skip
"""Faults that rules of their own describe."""
_OUR_LIMITS = frozenset({"outside-root", "unreadable", "too-large", "too-deep", "encoding"})
"""What this audit doesn't read; Compose may."""

_FILLED_IN = regex(r"\{[{%]|(?:^|/)templates?/")
"""Paths of files that Ansible, cookiecutter and the like fill in, before which they needn't be YAML."""
_WITHOUT_IMAGE = regex(r"\(at services\.(?P<name>[^)]+)\)")


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each base project that was read in full one finding for all that Compose would refuse."""
    for project in inventory.base_projects:
        errors = _errors(inventory, project)
        if any(item.code in _OUR_LIMITS for item in errors):
            continue  # what seems to be missing may stand in the part that wasn't read
        if _FILLED_IN.search(project.location.file) or any(_changes_other(inventory, project, item) for item in errors):
            continue
        found = [
            item
            for item in errors
            if item.code not in _NAMED_ELSEWHERE
            and not _is_healed(inventory, project, item)
            and not _lacks_value(inventory, project, item)
        ]
        if found:
            yield _evidence(project, found)


def _changes_other(inventory: Inventory, project: Project, fault: Problem) -> bool:
    """Whether a service without an image is one of another file of the folder, which this one is to be laid over."""
    found = _WITHOUT_IMAGE.search(fault.message) if fault.code == "no-image" else None
    folder = posixpath.dirname(project.location.file)
    return found is not None and any(
        item.name == found["name"] and (item.image or item.build) and item.project != project.name
        and posixpath.dirname(item.location.file) == folder
        for item in inventory.services
    )  # fmt: skip


def _errors(inventory: Inventory, project: Project) -> list[Problem]:
    return [item for item in inventory.problems if item.project == project.name and item.kind == "error"]


def _lacks_value(inventory: Inventory, project: Project, fault: Problem) -> bool:
    """Whether the fault stands where a variable does that no file of the repository sets, and a person has to."""
    at = re.sub(r"\[(\d+)\]", r".\1", fault.message.rpartition("(at ")[2].removesuffix(")"))
    return any(
        item.project == project.name and item.source == "unset" and item.target.startswith(at)
        for item in inventory.variables
    )


def _is_healed(inventory: Inventory, project: Project, fault: Problem) -> bool:
    """Whether an overlay, or a file that all calls name too, supplies what the base lacks: it is used with it only."""
    overlays = [item for item in inventory.projects if item.base == project.name]
    taken = fault.code.startswith("undefined-") and compose_calls.take_more(inventory, project)
    return taken or any(
        all((item.code, item.message) != (fault.code, fault.message) for item in _errors(inventory, overlay))
        for overlay in overlays
    )


def _evidence(project: Project, found: list[Problem]) -> Evidence:
    first, *others = found
    more = f" and {counted(len(others), 'further fault')}" if others else ""
    return Evidence(
        f"Compose refuses {project.name}: {first.message}{more}.",
        first.location,
        subject=project.name,
        related=tuple(Related(item.location, item.message, member=True) for item in others),
        recommendation="Mend the lines named, then run `docker compose config --quiet` in the pipeline.",
        example=problem_lines.mending(first),
        severity=Severity.MEDIUM if environments.is_for_development(project.location.file) else None,
    )
