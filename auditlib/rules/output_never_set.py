"""An expression asks for an output that nothing sets.

GitHub puts an empty text in the place of what there isn't, without a word. The tag of an image, the version of a
release or the answer of a check is empty then, and the job that uses it builds, deploys or skips something else than
is meant.

Anti-pattern:

    build:
      steps:
        - id: meta
          run: echo "tag=1.4" >> "$GITHUB_OUTPUT"
    deploy:
      needs: build
      steps:
        - run: ./deploy.sh ${{ needs.build.outputs.tag }}

Better:

    build:
      outputs:
        tag: ${{ steps.meta.outputs.tag }}

Recommendation:

    Declare the output in the job that has it, name that job in `needs`, and give the step its `id`.

References:

- https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/pass-job-outputs
- https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#needs-context
- https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#steps-context
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import workflow_expressions
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_OF_JOB = regex(r"(?<![\w.-])needs\.(?P<job>[\w-]{1,100})\.outputs\.(?P<name>[\w-]{1,100})")
_OF_STEP = regex(r"(?<![\w.-])steps\.(?P<step>[\w-]{1,100})\.(?:outputs|outcome|conclusion)\b")


class _Lack(Struct, frozen=True):
    """Why an expression is empty, and the lines that would give it its value."""

    reason: str
    home: str
    lines: str


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each job one finding for all outputs that its expressions ask for and that nothing sets."""
    for workflow in inventory.workflows:
        for job in workflow.jobs:
            found: defaultdict[str, list[tuple[_Lack, Location]]] = defaultdict(list)
            for text, place in _texts(job):
                for asked, lack in _lacks(workflow, job, text):
                    found[asked].append((lack, place))
            if found:
                yield _evidence(job, found)


def _texts(job: Job) -> Iterator[tuple[str, Location]]:
    """The expressions of a job, each with its place."""
    conditions = [(job.condition, job.location), *((step.condition, step.location) for step in job.steps)]
    pairs = [*job.env, *job.outputs, *job.inputs, *(pair for step in job.steps for pair in (*step.env, *step.inputs))]
    texts = [
        *((_uncommented(pair.value), pair.location) for pair in pairs),
        *((_uncommented(step.run), step.location) for step in job.steps),
    ]
    for text, place in conditions:
        yield from ((each, place) for each in workflow_expressions.of_condition(text) if "." in text)
    for text, place in texts:
        yield from ((each, place) for each in workflow_expressions.of_text(text))


def _uncommented(run: str) -> str:
    """A step's commands without its comments, in which an expression does no harm."""
    return "\n".join(line for line in run.splitlines() if not line.lstrip().startswith(("#", "//")))


def _lacks(workflow: Workflow, job: Job, expression: str) -> Iterator[tuple[str, _Lack]]:
    if "needs." not in expression and "steps." not in expression:
        return
    text = workflow_expressions.without_texts(expression)
    jobs = {item.id.lower(): item for item in workflow.jobs}
    for match in _OF_JOB.finditer(text):
        home = jobs.get(match["job"].lower())
        if home and not home.uses and (lack := _of_job(job, home, match["name"])):
            yield match[0], lack
    ids = {step.id.lower() for step in job.steps}
    for match in _OF_STEP.finditer(text) if job.steps else ():
        if match["step"].lower() not in ids:
            yield match[0], _of_step(workflow, job, match["step"])


def _of_job(job: Job, home: Job, name: str) -> _Lack | None:
    """Why a job doesn't get an output of another one."""
    if home.id.lower() not in {item.lower() for item in job.needs}:
        needs = ", ".join((*job.needs, home.id))
        return _Lack(f"{job.id} doesn't need {home.id}", job.id, f"needs: [{needs}]")
    if name.lower() not in {pair.name.lower() for pair in home.outputs}:
        value = f"${{{{ steps.<the step that sets it>.outputs.{name} }}}}"
        return _Lack(f"{home.id} declares no output {name}", home.id, f"outputs:\n  {name}: {value}")
    return None


def _of_step(workflow: Workflow, job: Job, name: str) -> _Lack:
    elsewhere = next((item.id for item in workflow.jobs for step in item.steps if step.id == name), "")
    where = f"; that is one of the job {elsewhere}" if elsewhere else ""
    return _Lack(
        f"no step of {job.id} has the id {name}{where}", job.id, f"steps:\n  - id: {name}\n    # the step that sets it"
    )


def _evidence(job: Job, found: dict[str, list[tuple[_Lack, Location]]]) -> Evidence:
    uses = [(asked, lack, place) for asked, items in found.items() for lack, place in items]
    (asked, lack, place), *others = uses
    reasons = listed(dict.fromkeys(item.reason for _, item, _ in uses), limit=3)
    return Evidence(
        f"The job {job.id} asks for {listed((f'`{name}`' for name in found), limit=4)}, and {reasons}: it gets an "
        "empty text, without an error.",
        place,
        subject=f"{job.workflow}/{job.id}",
        related=tuple(Related(where, f"asks for `{name}`", member=True) for name, _, where in others if where != place),
        recommendation=f"Give the job {lack.home} what the example shows, or take `{asked}` out of {job.id}.",
        example=workflow_lines.of_job(job.workflow, lack.home, lack.lines),
    )
