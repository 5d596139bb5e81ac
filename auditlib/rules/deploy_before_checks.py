"""A job deploys or publishes without waiting for a check of the same run.

Jobs that don't need each other run side by side. The deployment is over before the check fails, or goes on although it
has failed: the run is red, and what it found is with the users.

Anti-pattern:

    jobs:
      test: {...}
      manifests: {...}          # validates what is deployed
      deploy:
        needs: test

Better:

    deploy:
      needs: [test, manifests]

Recommendation:

    Let the job need every check of the run that may still say no.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idneeds
- https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/control-deployments
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from auditlib import pipeline
from auditlib.conventions import checks, deploy_hooks, tools, workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step, Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import Pipeline, deploying, order, publishing
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_CHECKING_ACTION = regex(
    r"hadolint-action|super-linter|megalinter|gitleaks-action|snyk/actions|"
    r"anchore/scan-action|dependency-review-action|kubeconform|kubeval|yamllint|actionlint|golangci-lint-action|"
    r"ruff-action|pre-commit/action|semgrep|kube-linter|checkov-action|tfsec|tflint|cypress-io/github-action|pip-audit|"
    r"trufflehog|bandit|datree"
)
_CHECKING_COMMAND = regex(
    r"\bkubectl\b.*\s--dry-run|\bhelm\s+(?:lint|template)\b|\bkustomize\s+build\b|\bkubectl\s+kustomize\b|"
    r"\bdocker[- ]compose\b.*\sconfig\b|\b(?:kubeconform|kubeval|kube-score|kube-linter|conftest|promtool|amtool|trivy|"
    r"hadolint|nginx\s+-t)\b"
)
"""Checks of what is deployed: manifests, charts, configurations."""
_CALLED_CHECK = regex(r"(?:^|[^a-z])(?:tests?|lint|checks?|scan|validate|verify|quality|security|ci)(?![a-z])")
_NO_CHECK = regex(
    r"(?:^|[^a-z])(?:smoke|load|performance|benchmark|lighthouse|report|notify|summary|post|after)(?![a-z])"
)
_ALWAYS = frozenset({"", "always()", "${{ always() }}", "success()", "${{ success() }}"})
_GENERIC = frozenset({
    "test", "tests", "testing", "lint", "build", "deploy", "push", "publish", "release", "ci", "cd", "check", "checks",
    "unit", "image", "images", "docker", "job", "scan", "security", "validate", "verify", "quality", "code", "and",
    "to", "the", "of", "run", "prod", "production", "staging", "main", "integration", "e2e", "type", "types", "static",
    "analysis", "audit", "container", "containers", "registry", "ghcr", "hub", "app", "application", "all", "on",
})  # fmt: skip
"""Words of a job's name that say what is done, and not with which part of the repository."""
_WORD = regex(r"[a-z0-9]+")
_JOBS = 200
"""Jobs of a workflow that are compared with each other; people write a tenth."""


class _Release(Struct, frozen=True):
    """A job that deploys or publishes, and where; what it publishes."""

    job: Job
    place: Location
    publishes: str = ""


class _Flow(Struct, frozen=True):
    """The jobs of a workflow: what they run, and which others each waits for."""

    workflow: Workflow
    found: Pipeline
    needed: dict[str, set[str]]
    releases: list[_Release]

    def conditions(self, job: Job) -> set[str]:
        """What stands before a job: its own condition, and those of the jobs that it waits for."""
        return {item.condition.strip() for item in self.workflow.jobs if item is job or item.id in self.needed[job.id]}

    def checks_of(self, jobs: Iterable[Job]) -> set[tuple[str, str | None]]:
        """What these jobs run to check something, and where."""
        runs = (run for job in jobs for run in self.found.of_job(job))
        return {(run.text, run.folder) for run in runs if _is_check(run.text)}


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job that deploys or pushes a release, with the checks of the run that it doesn't wait for."""
    for workflow in inventory.workflows:
        yield from (_of_order(*found) for found in order.late_checks(inventory, workflow))
        if not 2 <= len(workflow.jobs) <= _JOBS or not _releases_something(workflow):
            continue
        found = pipeline.of(inventory, [workflow])
        releases = [item for job in workflow.jobs if (item := _release(workflow, job, found))]
        if releases:
            needed = {job.id: deploying.all_needed(workflow, job) for job in workflow.jobs}
            yield from _of_workflow(_Flow(workflow, found, needed, releases))


def _of_order(job: Job, place: Location, late: Step) -> Evidence:
    called = late.name or " ".join(late.commands[0].words)
    return Evidence(
        f"The job {job.id} deploys, and checks in a later step ({called[:80]}): what that finds is deployed already.",
        place,
        subject=f"{job.id}/order",
        related=(Related(late.location, "checks after the deployment"),),
        recommendation=f"Put the step that deploys behind the checks of the job {job.id} in {job.workflow}.",
        example=workflow_lines.step(
            job.workflow, job.id, f"- run: {' '.join(late.commands[0].words)}\n# the deployment"
        ),
    )


def _of_workflow(flow: _Flow) -> Iterator[Evidence]:
    """What a job misses that another release misses before it is said once, at the first."""
    releasing = {item.job.id for item in flow.releases}
    checking = [job for job in flow.workflow.jobs if job.id not in releasing and _checks(job, flow.found)]
    missed = {item.job.id: [job for job in checking if _is_missed(flow, item, job)] for item in flow.releases}
    for item in flow.releases:
        told = {job.id for name in flow.needed[item.job.id] for job in missed.get(name, ())}
        lost = [job for job in missed[item.job.id] if job.id not in told]
        if lost and not _is_ungated(flow, item):
            yield _evidence(flow, item, lost)


def _releases_something(workflow: Workflow) -> bool:
    """Whether anything but a pull request or a time starts it."""
    return any(item.event not in ("pull_request", "pull_request_target", "schedule") for item in workflow.triggers)


def _release(workflow: Workflow, job: Job, found: Pipeline) -> _Release | None:
    if deploying.is_preview(job) or any(deploying.ASKS_OTHERS.search(f"{step.uses} {step.run}") for step in job.steps):
        return None
    place = deploying.place(job, found.of_job(job)) or deploy_hooks.place(workflow, job)
    if place:
        return _Release(job, place)
    published = publishing.of_job(workflow, job)
    return _Release(job, published.location, published.what) if published else None


def _checks(job: Job, found: Pipeline) -> bool:
    """Whether a job is there to fail when something is wrong, before anything is released."""
    name = f"{job.id} {job.name}".lower()
    if job.continue_on_error or _NO_CHECK.search(name):
        return False
    if job.uses:
        return bool(_CALLED_CHECK.search(name))
    firm = [step for step in job.steps if not step.continue_on_error]
    commands = [item for step in firm for item in step.commands]
    if any(_CHECKING_ACTION.search(step.uses) or _fails_on_findings(step) for step in firm):
        return True
    toothed = (item for item in commands if not (item.cannot_fail or checks.passes_by_default(item.words)))
    own = any(_is_check(" ".join(item.words)) for item in toothed)
    weak = any(step.continue_on_error for step in job.steps) or any(
        item.cannot_fail or checks.passes_by_default(item.words) for item in commands
    )
    return own or (not weak and any(_is_check(run.text) for run in found.of_job(job) if "@" not in run.text))


def _fails_on_findings(step: Step) -> bool:
    """Whether Trivy is told to end with an error where it finds something; by itself it only lists."""
    told = {pair.name.lower(): pair.value for pair in (*step.inputs, *step.env)}
    code = told.get("exit-code") or told.get("trivy_exit_code") or "0"
    return "trivy-action" in step.uses and (code != "0" or "trivy-config" in told)


def _is_check(text: str) -> bool:
    return checks.is_check(text.split()) or bool(_CHECKING_COMMAND.search(text) and not tools.INSTALLS.search(text))


def _is_missed(flow: _Flow, release: _Release, job: Job) -> bool:
    """Whether a check of the same part runs whenever the release does, and the release doesn't wait for it."""
    mine = flow.needed[release.job.id]
    after = any(item.job.id in flow.needed[job.id] for item in flow.releases)  # it looks at what was released
    if job.id in mine or after or not flow.conditions(job) <= _ALWAYS | flow.conditions(release.job):
        return False
    if _is_of_another_part(flow, release.job, job):
        return False
    own = flow.checks_of([job])
    before = (item for item in flow.workflow.jobs if item is release.job or item.id in mine)
    return not own or not own <= flow.checks_of(before)


def _is_of_another_part(flow: _Flow, release: Job, job: Job) -> bool:
    """Whether the names of the jobs part the repository, so that a check is about what another release brings."""
    mine, theirs = _parts(release), _parts(job)
    if not mine or not theirs or mine & theirs:
        return False
    released = [item.job for item in flow.releases if item.job is not release]
    others = [item for item in flow.workflow.jobs if item is not release and item not in released]
    return any(_parts(item) & theirs for item in released) or any(_parts(item) & mine for item in others)


def _parts(job: Job) -> set[str]:
    """The words of a job's id that may name a part of the repository."""
    return set(_WORD.findall(job.id.lower())) - _GENERIC


def _is_ungated(flow: _Flow, release: _Release) -> bool:
    """Whether the deployment waits for nothing at all, which is a finding of its own."""
    pushes = any(item.event == "push" for item in flow.workflow.triggers)
    gated = deploying.is_gated(flow.workflow, release.job, (*flow.found.runs, *flow.found.opaque))
    known = deploying.place(release.job, flow.found.of_job(release.job))
    return bool(known) and pushes and not gated and not workflow_events.is_started_by_person(flow.workflow)


def _is_held(flow: _Flow, release: _Release, lost: list[Job]) -> bool:
    """Whether an image is pushed early, and what deploys it waits for the checks."""
    wanted = {release.job.id, *(job.id for job in lost)}
    return bool(release.publishes) and any(
        not item.publishes and wanted <= flow.needed[item.job.id] for item in flow.releases
    )


def _evidence(flow: _Flow, release: _Release, lost: list[Job]) -> Evidence:
    job = release.job
    names = listed(item.id for item in lost)
    needs = ", ".join(dict.fromkeys((*job.needs, *(item.id for item in lost))))
    waits = f"waits for {listed(job.needs)} alone" if job.needs else "waits for no other job"
    published = "pushes a release image" if release.publishes == "an image" else f"publishes {release.publishes}"
    does = published if release.publishes else "deploys"
    which = "a check" if len(lost) == 1 else "checks"
    return Evidence(
        f"The job {job.id} {does} and {waits}: {names}, {which} of the same run, may fail while it goes on.",
        release.place,
        subject=f"{job.id}/{'/'.join(sorted(item.id for item in lost))}",
        related=tuple(
            Related(item.location, f"{item.id} checks, and {job.id} doesn't wait for it") for item in lost[:6]
        ),
        recommendation=f"Add {names} to the `needs` of the job {job.id} in {job.workflow}.",
        severity=Severity.LOW if _is_held(flow, release, lost) else None,
        example=workflow_lines.of_job(job.workflow, job.id, f"needs: [{needs}]"),
    )
