"""A job calls Compose without a variable that the Compose file demands.

`${NAME:?message}` makes Compose refuse each call, `config` included, while nothing gives the variable. On a developer's
machine `.env` does; the runner's checkout has none.

Anti-pattern:

    # compose.yaml: image: ${APP_IMAGE:?set APP_IMAGE}
    jobs:
      check:
        steps:
          - uses: actions/checkout@v4
          - run: docker compose config --quiet

Better:

          - run: docker compose config --quiet
            env:
              APP_IMAGE: example/app:ci

Recommendation:

    Give the job a value for each variable that the file demands; for a check any one will do.

References:

- https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import known_actions
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Workflow
from auditlib.inventory.stack import Variable
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import composing
from auditlib.pipeline.composing import ComposeCall
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_DEMANDS = (":?", "?")
_EXPORTS = regex(r"GITHUB_ENV|exportVariable|\bexport \$\(|\bset -a\b|\beval\b|\benv \$\(|<\(")
"""What gives variables whose names don't stand there."""
_LOADS_NOTHING = frozenset({"version", "ls", "help"})
_OF_FILES = frozenset({"COMPOSE_ENV_FILES", "COMPOSE_FILE"})


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The first call of each job that nothing gives a variable which its files demand."""
    demanded = [item for item in inventory.variables if item.operator in _DEMANDS and item.source == "unset"]
    for workflow in inventory.workflows if demanded else ():
        for job in filter(known_actions.is_on_fresh_runner, workflow.jobs):
            workspace = Workspace(inventory, job)
            calls = (call for call in composing.of_job(inventory, workspace) if _counts(workspace, call))
            found = ((call, _missing(workflow, job, call, demanded)) for call in calls)
            first = next(((call, missing) for call, missing in found if missing), None)
            if first:
                yield _evidence(workflow, job, *first)


def _counts(workspace: Workspace, call: ComposeCall) -> bool:
    """Whether a call's failure counts, and surely no step before it makes the file that gives variables."""
    tolerated = call.command.cannot_fail or call.step.continue_on_error
    return (
        call.certain
        and not tolerated
        and call.call.verb not in _LOADS_NOTHING
        and all(map(known_actions.is_plain, workspace.job.steps[: call.step.index]))
        and {"--no-interpolate", "--variables"}.isdisjoint(call.command.words)
        and workspace.lacks(".env", call.step)
    )


def _missing(workflow: Workflow, job: Job, call: ComposeCall, demanded: list[Variable]) -> list[Variable]:
    """The variables of the files that a call takes, each once, without those that an environment or a step names."""
    files = call.files or call.project.files
    given = {pair.name for pair in (*workflow.env, *job.env, *call.step.env)} | set(call.command.assignments)
    steps = job.steps[: call.step.index + 1]
    before = "\n".join(text for step in steps for text in (step.run, *(pair.value for pair in step.inputs)))
    if not given.isdisjoint(_OF_FILES) or _EXPORTS.search(before):
        return []
    wanted = {item.name: item for item in demanded if item.location.file in files and item.name not in given}
    return [item for name, item in wanted.items() if name not in before]


def _evidence(workflow: Workflow, job: Job, call: ComposeCall, missing: list[Variable]) -> Evidence:
    names = [item.name for item in missing]
    command = " ".join(call.command.words)
    lines = "".join(f"\n  {name}: <a value for this job>" for name in names)
    return Evidence(
        f"The job {job.id} calls `{command[:100]}` without {listed(names)}, which the Compose file demands: Compose "
        "refuses.",
        call.command.location,
        subject=f"{workflow.file}/{job.id}",
        related=tuple(Related(item.location, f"demands {item.name}") for item in missing),
        recommendation=f"Set {listed(names)} in `env` of the job {job.id}.",
        example=workflow_lines.of_job(workflow.file, job.id, f"env:{lines}"),
    )
