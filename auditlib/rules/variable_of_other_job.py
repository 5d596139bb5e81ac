"""A job reads a variable that only another job writes to its environment.

What a step appends to `$GITHUB_ENV` holds for the later steps of the same job. Each job runs on a machine of its own,
and there the expression is an empty text: a deployment connects to no host, an image gets an empty tag.

Anti-pattern:

    jobs:
      provision:
        steps:
          - run: echo "SERVER=$(terraform output -raw ip)" >> "$GITHUB_ENV"
      deploy:
        needs: provision
        steps:
          - run: ./deploy.sh ${{ env.SERVER }}

Better:

    jobs:
      provision:
        outputs:
          server: ${{ steps.address.outputs.server }}
        steps:
          - id: address
            run: echo "server=$(terraform output -raw ip)" >> "$GITHUB_OUTPUT"
      deploy:
        needs: provision
        steps:
          - run: ./deploy.sh ${{ needs.provision.outputs.server }}

Recommendation:

    Hand the value on as an output of the job, and read it through `needs`.

References:

- https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/pass-job-outputs
- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-environment-variable
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_WRITES = regex(r"\b(?P<name>[A-Za-z_]\w{0,99})=[^\n]{0,500}>>[ \t]*[\"']?\$\{?GITHUB_ENV\b")
_MAY_SET = regex(r"\b(?P<name>[A-Za-z_]\w{0,99})(?:=|<<)")
_READS = regex(r"\$\{\{[^}\n]{0,200}?\benv\.(?P<name>[A-Za-z_]\w{0,99})")


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each job every variable that it reads and that only steps of other jobs set."""
    for workflow in inventory.workflows:
        writers = {name: step for job in workflow.jobs for step in job.steps for name in _names(step)}
        for job in workflow.jobs if writers else ():
            reads = {name: step for step in reversed(job.steps) for name in _read(step)}
            for name, step in reads.items():
                writer = writers.get(name)
                if writer is not None and writer.job != job.id and not _is_set(workflow, job, name):
                    yield _evidence(workflow, job, name, step, writer)


def _names(step: Step) -> set[str]:
    return {match["name"] for match in _WRITES.finditer(step.run)}


def _read(step: Step) -> set[str]:
    texts = [step.run, step.condition, *(pair.value for pair in (*step.inputs, *step.env))]
    return {match["name"] for text in texts for match in _READS.finditer(text)}


def _is_set(workflow: Workflow, job: Job, name: str) -> bool:
    """Whether something of the job, or of all jobs, may set the variable; an action of the repository may set any."""
    given = {pair.name for step in job.steps for pair in step.env} | {pair.name for pair in (*workflow.env, *job.env)}
    written = {match["name"] for step in job.steps if "GITHUB_ENV" in step.run for match in _MAY_SET.finditer(step.run)}
    unknown = any(step.uses.startswith("./") or _copies(step) for step in job.steps)
    return name in given | written or unknown


def _copies(step: Step) -> bool:
    """Whether a step writes to GITHUB_ENV what its text doesn't show (`cat build.env >> "$GITHUB_ENV"`)."""
    return "GITHUB_ENV" in step.run and not _MAY_SET.search(step.run)


_LINES = """\
jobs:
  {writer}:
    outputs:
      {output}: ${{{{ steps.{step}.outputs.{output} }}}}
    steps:
      - id: {step}
        run: echo "{output}=<value>" >> "$GITHUB_OUTPUT"
  {reader}:
    needs: [{needs}]
    env:
      {name}: ${{{{ needs.{writer}.outputs.{output} }}}}"""


def _passed_on(job: Job, name: str, writer: Step) -> str:
    """The variable as an output of the job that knows it, and where the other one gets it."""
    needs = ", ".join(dict.fromkeys((*job.needs, writer.job)))
    return _LINES.format(
        writer=writer.job, reader=job.id, name=name, output=name.lower(), step=writer.id or name.lower(), needs=needs
    )


def _evidence(workflow: Workflow, job: Job, name: str, step: Step, writer: Step) -> Evidence:
    return Evidence(
        f"The job {job.id} reads env.{name}, which only the job {writer.job} writes to GITHUB_ENV: it is empty here.",
        step.location,
        subject=f"{workflow.file}/{job.id}/{name}",
        related=(Related(writer.location, f"the job {writer.job} sets {name} for its own later steps"),),
        recommendation=f"Make {name} an output of the job {writer.job}, and read it as "
        f"`${{{{ needs.{writer.job}.outputs.{name.lower()} }}}}`.",
        example=files.into(workflow.file, _passed_on(job, name, writer)),
    )
