"""CI: the jobs, in the order in which they need each other, and what each covers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from auditlib import pipeline
from auditlib.audit import Audit
from auditlib.conventions import tools
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.pipeline import Run
from auditlib.report import palette, wording
from auditlib.report.blocks import Blocks, Column, Prose, State, Table
from auditlib.report.charts import layered
from auditlib.report.faults import Broken, Faults

_NONE = "No workflow of GitHub Actions was found."
_PREPARING = {"cd", "echo", "mkdir", "cp", "export", "set", "sleep", "exit", "cat", "curl", "source", "git", "apt-get"}
_CHECKERS = regex(f"{tools.PRE_COMMIT.pattern}|{tools.ALL_LINTERS.pattern}")
_NEVER = {"job-unreachable": "never starts"}
_NOTHING = {"deploy-does-nothing": "deploys nothing"}
_TOOTHLESS = {"step-cannot-fail": "can't fail"}
_MEANINGS = {"warn": "with a check that can't fail", "bad": "does nothing"}
_LINES = 4
_LIMIT = 40


def ci_jobs(audit: Audit) -> Blocks:
    """The jobs of all workflows in the order in which they need each other, with what each covers."""
    jobs = audit.inventory.jobs
    if not jobs:
        return Blocks(Prose(_NONE))
    faults = _JobFaults(audit)
    covers = _covers(audit, faults)
    columns = _columns(jobs[:_LIMIT])
    boxes = [_box(job, columns[_id(job)], covers[job], faults) for job in jobs[:_LIMIT]]
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
        (job.workflow, job.id, ", ".join(job.needs), faults.state(job, "; ".join(covers[job])), str(job.location))
        for job in jobs
    )
    table = Table(
        "Jobs and what they cover",
        (
            Column("Workflow", "code"),
            Column("Job", "code"),
            Column("Needs"),
            Column("Covers", "state"),
            Column("Place", "code"),
        ),
        rows,
    )
    legend = [
        (palette.TONES[tone][1], words) for tone, words in _MEANINGS.items() if tone in {box.tone for box in boxes}
    ]
    legend += [("dashed", "may fail, or runs under a condition")] if any(box.dashed for box in boxes) else []
    caption = "A job starts when those on its left have passed; the lines say what it covers."
    canvas = layered.draw(boxes, links, (), legend)
    if canvas.is_large:
        canvas.brief = layered.brief(boxes, links, ("job",), (), legend)
    return Blocks(canvas.picture(caption, words, table))


class _JobFaults:
    """What findings say of jobs: one never starts, deploys nothing, or has a check that can't fail."""

    def __init__(self, audit: Audit) -> None:
        self._never, self._nothing, self._toothless = (
            Faults(audit.findings, words) for words in (_NEVER, _NOTHING, _TOOTHLESS)
        )

    def never(self, job: Job) -> Broken | None:
        """Why a job never starts."""
        return self._never.at(job.location)

    def idle(self, job: Job) -> tuple[Broken, ...]:
        """Why a job does nothing at all."""
        return tuple(filter(None, (self.never(job), self._nothing.at(*_places(job)))))

    def toothless(self, place: Location) -> Broken | None:
        """Why what runs there can't fail."""
        return self._toothless.at(place)

    def state(self, job: Job, words: str) -> State:
        """A cell on what a job covers, which leads to what speaks against that."""
        if idle := self.idle(job):
            return State(words, "bad", idle[0].fingerprint)
        found = self._toothless.at(*_places(job))
        return State(words, "warn", found.fingerprint) if found else State(words)


def _places(job: Job) -> Iterator[Location]:
    """Where a job, its steps and their commands stand."""
    yield job.location
    for step in job.steps:
        yield from (step.location, *(command.location for command in step.commands))


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


def _box(job: Job, column: int, covers: Sequence[str], faults: _JobFaults) -> layered.Box:
    more = len(covers) - _LINES
    lines = tuple(covers) if more <= 0 else (*covers[: _LINES - 1], f"and {more + 1} more")
    optional = (job.continue_on_error or bool(job.condition)) and not faults.never(job)
    tone = faults.state(job, "").tone or ("accent" if lines else "")
    return layered.Box(_id(job), column, job.name or job.id, lines or ("only prepares",), tone, optional)


def _covers(audit: Audit, faults: _JobFaults) -> dict[Job, list[str]]:
    """What each job covers, its commands followed through make, npm and scripts."""
    runs: defaultdict[Job, list[Run]] = defaultdict(list)
    for run in pipeline.of(audit.inventory, audit.inventory.workflows).runs:
        runs[run.job].append(run)
    return {
        job: [broken.words for broken in faults.idle(job)]
        + (list(_coverage(audit.inventory, runs[job], faults)) or _first_commands(job))
        for job in audit.inventory.jobs
    }


def _coverage(inventory: Inventory, every: Sequence[Run], faults: _JobFaults) -> Iterator[str]:
    runs = [run for run in every if not faults.toothless(run.location)]
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
    toothless = {run.location: run.text for run in reversed(every) if run not in runs}
    yield from (f"can't fail: {_checker(text)}" for text in reversed(toothless.values()))


def _checker(text: str) -> str:
    """The tool that a command checks by, or its first words."""
    known = {**tools.LINTERS, **tools.TEST_FRAMEWORKS}
    return next((name for name, pattern in known.items() if pattern.search(text)), " ".join(text.split()[:3]))


def _first_commands(job: Job) -> list[str]:
    """Of a job that covers nothing that we know, what it runs, so that the reader knows."""
    if job.uses:
        return [f"calls {job.uses}"]
    words = [command.words for step in job.steps for command in step.commands]
    actions = [step.uses.partition("@")[0] for step in job.steps]
    found = [f"runs {' '.join(item[:2])}" for item in words if item and item[0] not in _PREPARING]
    found += [f"uses {name}" for name in actions if name and "checkout" not in name and "setup" not in name]
    return list(dict.fromkeys(found))[:2]
