"""A config or secret of a Swarm stack keeps its name when its file changes, and Swarm refuses the change.

Swarm's configs and secrets can't be changed once they are there. A new content under the same name ends the deployment
with "only updates to Labels are allowed": the first change of the proxy's configuration, or of a password, can't be
brought out, and who is in a hurry removes the whole stack for it.

Anti-pattern:

    configs:
      nginx:
        file: ./nginx.conf

Better:

    configs:
      nginx:
        name: nginx_${NGINX_CONF_VERSION:?a part of the file's checksum}
        file: ./nginx.conf

Recommendation:

    Put a version or a checksum into `name`, by a variable that the deployment sets.

References:

- https://docs.docker.com/engine/swarm/configs/#example-rotate-a-config
- https://docs.docker.com/reference/compose-file/configs/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import FileObject, Project
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules._rule import Evidence, rule

_ELSEWHERE = frozenset({"external", "inline"})


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each stack one finding for all that it makes of files under names that stay."""
    versioned = {(item.project, item.target) for item in inventory.variables}
    for project in inventory.deployed_projects if any(item.for_swarm for item in inventory.projects) else ():
        mine = stacks.by_project(inventory.file_objects).get(project.name, []) if project.for_swarm else []
        used = {
            name for item in inventory.services_of(project.name).values() for name in (*item.secrets, *item.configs)
        }
        fixed = [
            item
            for item in mine
            if item.name in used
            and item.source not in _ELSEWHERE
            and (project.name, f"{item.kind}s.{item.name}.name") not in versioned
        ]
        if fixed:
            yield _evidence(project, sorted(fixed, key=lambda item: (item.kind, item.location)))


def _evidence(project: Project, fixed: list[FileObject]) -> Evidence:
    first, *others = fixed
    kinds = [(kind, sum(item.kind == kind for item in fixed)) for kind in ("config", "secret")]
    told = listed(counted(number, kind) for kind, number in kinds if number)
    one = not others
    keeps = "keeps its name when its file changes" if one else "keep their names when their files change"
    return Evidence(
        f"{told} of {first.location.file} ({listed(item.name for item in fixed)}) {keeps}: `docker stack deploy` then "
        'ends with "only updates to Labels are allowed".',
        first.location,
        subject=f"{project.name}/names",
        related=tuple(Related(item.location, f"{item.name} likewise", member=True) for item in others),
        recommendation=f"Put a version into the name of {first.name}{'' if one else ' and of the others'}, by a "
        "variable that the deployment sets.",
        example=f"{first.kind}s:\n  {first.name}:\n    name: {first.name}_${{{first.name.upper()}_VERSION:?}}\n"
        f"    file: <the file that stands there now>",
    )
