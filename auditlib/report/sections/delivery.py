"""CI: the jobs, in the order in which they need each other, and what each covers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from auditlib import pipeline
from auditlib.audit import Audit
from auditlib.conventions import tools
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job
from auditlib.patterns import regex
from auditlib.pipeline import Run
from auditlib.report import wording
from auditlib.report.blocks import Blocks, Column, Prose, Table
from auditlib.report.charts import layered

_NONE = "No workflow of GitHub Actions was found."
_PREPARING = {"cd", "echo", "mkdir", "cp", "export", "set", "sleep", "exit", "cat", "curl", "source", "git", "apt-get"}
_CHECKERS = regex(f"{tools.PRE_COMMIT.pattern}|{tools.ALL_LINTERS.pattern}")
_LINES = 4
_LIMIT = 40


def ci_jobs(audit: Audit) -> Blocks:
    """The jobs of all workflows in the order in which they need each other, with what each covers."""
    jobs = audit.inventory.jobs
    if not jobs:
        return Blocks(Prose(_NONE))
    covers = _covers(audit)
    columns = _columns(jobs[:_LIMIT])
    boxes = [_box(job, columns[_id(job)], covers[job]) for job in jobs[:_LIMIT]]
    links = [
        layered.Link(f"{job.workflow}:{needed}", _id(job), "accent")
        for job in jobs[:_LIMIT]
        for needed in job.needs
        if f"{job.workflow}:{needed}" in columns
    ]
    words = (
        f"{wording.count(len(jobs), 'job')} in {wording.count(len(audit.inventory.workflows), 'workflow')}: "
        f"{wording.listing((job.id for job in jobs), 10)}."
    )
    rows = tuple(
        (job.workflow, job.id, ", ".join(job.needs), "; ".join(covers[job]), str(job.location)) for job in jobs
    )
    table = Table(
        "Jobs and what they cover",
        (Column("Workflow", "code"), Column("Job", "code"), Column("Needs"), Column("Covers"), Column("Place", "code")),
        rows,
    )
    legend = [("dashed", "may fail, or runs under a condition")] if any(box.dashed for box in boxes) else []
    caption = "A job starts when those on its left have passed; the lines say what it covers."
    canvas = layered.draw(boxes, links, (), legend)
    if canvas.is_large:
        canvas.brief = layered.brief(boxes, links, ("job",), (), legend)
    return Blocks(canvas.picture(caption, words, table))


def _id(job: Job) -> str:
    return f"{job.workflow}:{job.id}"


def _columns(jobs: tuple[Job, ...]) -> dict[str, int]:
    """The length of the longest chain of needs before each job; a circle of needs stays in one column."""
    needs = {_id(job): [f"{job.workflow}:{needed}" for needed in job.needs] for job in jobs}
    found = dict.fromkeys(needs, 0)
    for _ in needs:
        deeper = {
            name: max((found[other] + 1 for other in before if other in found), default=0)
            for name, before in needs.items()
        }
        if deeper == found:
            break
        found = {name: min(depth, len(needs) - 1) for name, depth in deeper.items()}
    return found


def _box(job: Job, column: int, covers: Sequence[str]) -> layered.Box:
    more = len(covers) - _LINES
    lines = tuple(covers) if more <= 0 else (*covers[: _LINES - 1], f"and {more + 1} more")
    optional = job.continue_on_error or bool(job.condition)
    return layered.Box(
        _id(job), column, job.name or job.id, lines or ("only prepares",), "accent" if lines else "", optional
    )


def _covers(audit: Audit) -> dict[Job, list[str]]:
    """What each job covers, its commands followed through make, npm and scripts."""
    runs: defaultdict[Job, list[Run]] = defaultdict(list)
    for run in pipeline.of(audit.inventory, audit.inventory.workflows).runs:
        runs[run.job].append(run)
    return {job: list(_coverage(audit.inventory, runs[job])) or _first_commands(job) for job in audit.inventory.jobs}


def _coverage(inventory: Inventory, runs: Sequence[Run]) -> Iterator[str]:
    for label, patterns in (("checks by", tools.LINTERS), ("tests by", tools.TEST_FRAMEWORKS)):
        names = [name for name, pattern in patterns.items() if any(pattern.search(run.text) for run in runs)]
        if label == "checks by" and any(_CHECKERS.search(run.text) for run in runs):
            names.append("hooks")
        if names:
            yield f"{label} {', '.join(names)}"
    if any(pipeline.builds_images(run, inventory) for run in runs):
        yield "builds images"
    if any(tools.REPORTING.search(run.text) for run in runs):
        yield "keeps reports"


def _first_commands(job: Job) -> list[str]:
    """Of a job that covers nothing that we know, what it runs, so that the reader knows."""
    if job.uses:
        return [f"calls {job.uses}"]
    words = [command.words for step in job.steps for command in step.commands]
    actions = [step.uses.partition("@")[0] for step in job.steps]
    found = [f"runs {' '.join(item[:2])}" for item in words if item and item[0] not in _PREPARING]
    found += [f"uses {name}" for name in actions if name and "checkout" not in name and "setup" not in name]
    return list(dict.fromkeys(found))[:2]
