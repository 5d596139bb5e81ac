"""A job downloads an artifact that nothing uploads.

Artifacts belong to one run of a workflow. A name that no job before has uploaded, or one of another workflow without
its run's number, is not found, and the step fails.

Anti-pattern:

    jobs:
      image:
        steps:
          - uses: actions/download-artifact@v4
            with: { name: jar }
    # no job has actions/upload-artifact with that name

Better:

    jobs:
      build:
        steps:
          - uses: actions/upload-artifact@v4
            with: { name: jar, path: target/shop.jar }
      image:
        needs: build
        steps:
          - uses: actions/download-artifact@v4
            with: { name: jar }

Recommendation:

    Upload the artifact in a job that this one needs, or name the run that has it by `run-id`.

References:

- https://github.com/actions/download-artifact#inputs
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import known_actions, names
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Step, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_OPAQUE = regex(
    r"^\./|^(?!actions/(?:upload|download)-artifact@).*(?:artifact|upload)|"
    r"^(?:hynek/build-and-inspect-python-package|anchore/|zaproxy/|treosh/lighthouse|gradle/)",
    re.I,
)
"""Actions that may upload artifacts themselves: those of the repository, others that say so, and some known to."""

_MAJOR = regex(r"v[1-4]")
"""Releases that there are of both actions."""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every download by name of an artifact that no step of the same workflow uploads."""
    for workflow in inventory.workflows:
        steps = [step for job in workflow.jobs for step in job.steps]
        opaque = any(job.uses for job in workflow.jobs) or any(_OPAQUE.search(step.uses) for step in steps)
        called = any(trigger.event == "workflow_call" for trigger in workflow.triggers)
        uploaded = {_name(step) for step in steps if step.uses.startswith("actions/upload-artifact@")}
        if opaque or called or any("$" in name for name in uploaded):
            continue
        for step in steps:
            if _downloads(step) and _name(step) not in uploaded and _counts(workflow, step):
                yield _evidence(workflow, step, uploaded)


def _name(step: Step) -> str:
    return next((pair.value for pair in step.inputs if pair.name == "name"), "artifact")


def _downloads(step: Step) -> bool:
    """Whether a step takes one artifact of its own run, and its failure counts."""
    names = {pair.name for pair in step.inputs}
    own = "name" in names and not names & {"run-id", "repository", "artifact-ids"}
    plain = own and "$" not in _name(step) and not step.continue_on_error
    return step.uses.startswith("actions/download-artifact@") and plain


def _counts(workflow: Workflow, step: Step) -> bool:
    """Whether the job of a step runs, and its failure is one."""
    job = next(job for job in workflow.jobs if job.id == step.job)
    return not job.continue_on_error and not known_actions.is_switched_off(job)


def _example(workflow: Workflow, step: Step, uploaded: set[str]) -> str:
    """The download by the name that was probably meant, or what uploads it in a job before."""
    name = _name(step)
    near = sorted(other for other in uploaded if names.is_near(name, other))
    if near:
        lines = f"- uses: {step.uses}\n  with: {{name: {near[0]}}}"
        return workflow_lines.step(workflow.file, step.job, lines)
    if _waits(workflow):
        given = 'run-id: "${{ github.event.workflow_run.id }}", github-token: "${{ github.token }}"'
        return workflow_lines.step(workflow.file, step.job, f"- uses: {step.uses}\n  with: {{name: {name}, {given}}}")
    job = next(job for job in workflow.jobs if job.id == step.job)
    before = next(iter(job.needs), "<a job that this one needs>")
    version = step.uses.partition("@")[2]  # what one release uploads another one may not find
    version = version if _MAJOR.fullmatch(version) else "v4"
    lines = f"- uses: actions/upload-artifact@{version}\n  with: {{name: {name}, path: <what it makes>}}"
    return workflow_lines.step(workflow.file, before, lines)


def _waits(workflow: Workflow) -> bool:
    """Whether another workflow's end alone starts it, whose run then has the artifact."""
    return bool(workflow.triggers) and all(item.event == "workflow_run" for item in workflow.triggers)


def _strange(workflow: Workflow) -> list[str]:
    """The actions of which nobody knows here whether they upload something."""
    steps = (step for job in workflow.jobs for step in job.steps if not known_actions.is_plain(step))
    return list(dict.fromkeys(step.uses.partition("@")[0] for step in steps))


def _evidence(workflow: Workflow, step: Step, uploaded: set[str]) -> Evidence:
    name = _name(step)
    strange = _strange(workflow)
    doubt = f" unless {listed(strange, 3)} {'does' if len(strange) == 1 else 'do'}" if strange else ""
    return Evidence(
        f"The job {step.job} downloads the artifact {name}, which no step of {workflow.file} uploads{doubt}: the step "
        "fails.",
        step.location,
        subject=f"{step.job}/{name}",
        related=(Related(workflow.location, "the workflow"),),
        recommendation=f"Give the step `run-id`, and a token, so that it takes {name} from the run before."
        if _waits(workflow)
        else f"Upload {name} in a job that {step.job} needs, or give the step `run-id` of the run that has it.",
        confidence=Confidence.MEDIUM if strange else None,
        example=_example(workflow, step, uploaded),
    )
