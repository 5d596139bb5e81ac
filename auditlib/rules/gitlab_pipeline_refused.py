"""GitLab refuses the pipeline, since it names what isn't there.

A stage that `stages` doesn't list, a job that another one needs or extends, a file to include: with one of them wrong
GitLab starts no job at all. Merges go through unchecked where nobody demands a pipeline, and nothing is deployed.

Anti-pattern:

    stages: [build, test]
    deploy:
      stage: deploy
      script: [./deploy.sh]

Better:

    stages: [build, test, deploy]

Recommendation:

    Name what there is, and have GitLab's CI lint look at the file before it is merged.

References:

- https://docs.gitlab.com/ci/yaml/#stages
- https://docs.gitlab.com/ci/yaml/#needs
- https://docs.gitlab.com/ci/yaml/#includelocal
- https://docs.gitlab.com/ci/yaml/lint/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import PipelineFault
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_FILE = ".gitlab-ci.yml"


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all that a pipeline names and that isn't there."""
    if inventory.pipeline_faults:
        first, *others = inventory.pipeline_faults
        names = list(dict.fromkeys(map(_said, inventory.pipeline_faults)))
        yield Evidence(
            f"GitLab refuses the pipeline of {_FILE}, so that none of its jobs starts: {listed(names, limit=3)}.",
            first.location,
            subject=_FILE,
            related=tuple(Related(item.location, _said(item), member=True) for item in others),
            recommendation=_advice(first),
            example=_lines(first),
        )


def _said(fault: PipelineFault) -> str:
    if fault.kind == "include":
        return f"it includes {fault.name}, which the repository lacks"
    if fault.kind == "stage":
        return f"{fault.job} is of the stage {fault.name}, which isn't among {listed(_named(fault), limit=6)}"
    return f"{fault.job} {fault.kind} {fault.name}, which is no job"


def _named(fault: PipelineFault) -> list[str]:
    """The stages that there are, without the two that nobody has to list."""
    return [stage for stage in fault.stages if stage not in (".pre", ".post")]


def _advice(fault: PipelineFault) -> str:
    file = fault.location.file
    if fault.kind == "include":
        return f"Add {fault.name}, or take it out of {file}."
    if fault.kind == "stage":
        return f"Add {fault.name} to `stages` of {_FILE}, or name one of those for {fault.job}."
    return f"Name a job that there is in `{fault.kind}` of {fault.job} in {file}."


def _lines(fault: PipelineFault) -> str:
    if fault.kind == "include":
        return files.committed([fault.name])
    if fault.kind == "stage":
        return files.into(_FILE, f"stages: [{', '.join((*_named(fault), fault.name))}]")
    return files.into(fault.location.file, f"{fault.job}:\n  {fault.kind}: [<a job that there is>]")
