"""CI: the jobs, what they run, which test suites they leave out, and the scripts beside them."""

from __future__ import annotations

from auditlib.audit import Audit
from auditlib.inventory.delivery import Command, Job, Manifest, TestSuite
from auditlib.report import palette, wording
from auditlib.report.blocks import Blocks, Column, Picture, Prose, State, Table
from auditlib.report.charts import layered, matrix

_NONE = "No workflow of GitHub Actions was found."
_PREPARING = {
    "cd",
    "echo",
    "mkdir",
    "cp",
    "export",
    "set",
    "sleep",
    "exit",
    "test",
    "[",
    "true",
    "cat",
    "curl",
    "source",
}
_RUNNERS = {"npm", "yarn", "pnpm", "npx", "uv", "poetry", "python", "python3", "docker", "make", "bun", "go", "cargo"}
_LINES = 4
_LIMIT = 40


def ci_jobs(audit: Audit) -> Blocks:
    """The jobs of all workflows in the order in which they need each other, with what each runs."""
    jobs = audit.inventory.jobs
    if not jobs:
        return Blocks(Prose(_NONE))
    columns = _columns(jobs[:_LIMIT])
    boxes = [_box(job, columns[_id(job)]) for job in jobs[:_LIMIT]]
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
        (job.workflow, job.id, ", ".join(job.needs), ", ".join(_covers(job)), str(job.location)) for job in jobs
    )
    table = Table(
        "Jobs and what they run",
        (Column("Workflow", "code"), Column("Job", "code"), Column("Needs"), Column("Runs"), Column("Place", "code")),
        rows,
    )
    legend = [(palette.ACCENT_SOFT, "gates what follows"), ("dashed", "may fail, or runs under a condition")]
    caption = "A job starts when those on its left have passed; the lines name what it runs."
    return Blocks(Picture(layered.draw(boxes, links, (), legend).svg(words), caption, words, table))


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


def _box(job: Job, column: int) -> layered.Box:
    covers = _covers(job)
    lines = (
        tuple(covers[:_LINES])
        if len(covers) <= _LINES
        else (*covers[: _LINES - 1], f"and {len(covers) - _LINES + 1} more")
    )
    optional = job.continue_on_error or bool(job.condition)
    return layered.Box(
        _id(job), column, job.name or job.id, lines or ("runs nothing",), "accent" if lines else "bad", optional
    )


def _covers(job: Job) -> list[str]:
    """What a job runs, in short: the heads of its commands, and the actions that do more than prepare."""
    if job.uses:
        return [job.uses]
    found = [head for step in job.steps for command in step.commands if (head := _head(command))]
    found += [f"{service.image.partition('@')[0]} beside it" for service in job.services]
    found += [
        step.uses.partition("@")[0]
        for step in job.steps
        if step.uses and "setup" not in step.uses and "checkout" not in step.uses
    ]
    return list(dict.fromkeys(found))


def _head(command: Command) -> str:
    words = [word for word in command.words if not word.startswith("-")]
    if not words or words[0] in _PREPARING or "install" in words[:3] or "ci" in words[1:2]:
        return ""
    if words[0] in ("python", "python3") and "-m" in command.words:
        return " ".join(words[1:2])
    return " ".join(
        words[:3] if words[0] in _RUNNERS else words[:2] if len(words) > 1 and words[1].isalpha() else words[:1]
    )


def test_coverage(audit: Audit) -> Blocks:
    """Each test suite of the repository, and the jobs that run it."""
    suites, jobs = audit.inventory.test_suites, audit.inventory.jobs
    if not suites:
        return Blocks(Prose("No test suite (pytest, unittest, Playwright, Jest, Vitest, Cypress) was found."))
    if not jobs:
        return Blocks(Prose(f"{_NONE} No test suite runs by itself: {wording.listing(map(_suite_name, suites), 12)}."))
    running = {suite: [job for job in jobs if _runs(job, suite, audit.inventory.manifests)] for suite in suites}
    names = [job.name or job.id for job in jobs[:_LIMIT]]
    marks = {
        (row, jobs.index(job)): matrix.Mark("dot", "good")
        for row, suite in enumerate(suites)
        for job in running[suite]
        if job in jobs[:_LIMIT]
    }
    left_out = [_suite_name(suite) for suite in suites if not running[suite]]
    words = f"{wording.count(len(suites), 'test suite')}; run by no job: {wording.listing(left_out, 12)}."
    table = Table(
        "Test suites and the jobs that run them",
        (Column("Suite"), Column("Files", "number"), Column("Run by", "state"), Column("Place", "code")),
        tuple(
            (
                _suite_name(suite),
                len(suite.files),
                State(wording.listing(job.id for job in running[suite]), "good")
                if running[suite]
                else State("no job", "bad"),
                str(suite.location),
            )
            for suite in suites
        ),
    )
    canvas = matrix.draw(
        [_suite_name(suite) for suite in suites], names, marks, [(matrix.Mark("dot", "good"), "runs it")]
    )
    return Blocks(Picture(canvas.svg(words), words, words, table))


def _suite_name(suite: TestSuite) -> str:
    return f"{suite.framework} in {suite.folder or 'the root'}"


def _runs(job: Job, suite: TestSuite, manifests: tuple[Manifest, ...]) -> bool:
    """Whether a command of the job names the framework, itself or through a named command of the suite's manifest."""
    indirect = {
        target.name
        for manifest in manifests
        if manifest.path.rpartition("/")[0] == suite.folder
        for target in manifest.targets
        if any(suite.framework in command.words for command in target.commands)
    }
    return any(
        _fits(command, suite, indirect, step.working_directory or job.working_directory)
        for step in job.steps
        for command in step.commands
    )


def _fits(command: Command, suite: TestSuite, indirect: set[str], working_directory: str) -> bool:
    folder = (command.folder or working_directory).strip("./")
    near = (
        folder == suite.folder
        or suite.folder.startswith(f"{folder}/")
        or not folder
        or any(suite.folder and suite.folder in word for word in command.words)
    )
    named = suite.framework in command.words or any(word.endswith(f"/{suite.framework}") for word in command.words)
    through = command.words[:1] in (("npm",), ("yarn",), ("pnpm",), ("make",)) and bool(
        indirect & set(command.words[1:])
    )
    return near and (named or (through and folder == suite.folder))


def scripts(audit: Audit) -> Blocks:
    """The scripts of the repository, what they say of themselves, and what runs or documents them."""
    found = audit.inventory.scripts
    if not found:
        return Blocks(Prose("No script was found."))
    users: dict[str, list[str]] = {f"script:{script.path}": [] for script in found}
    for verb in ("runs", "documents"):
        for edge in audit.graph.edges_of(verb):
            if edge.target in users:
                users[edge.target].append(audit.graph.nodes[edge.source]["name"])
    rows = tuple(
        (
            script.path,
            script.summary or "says nothing of itself",
            State(wording.listing(users[f"script:{script.path}"], 4), "good")
            if users[f"script:{script.path}"]
            else State("nothing", "warn"),
        )
        for script in found
    )
    columns = (Column("Script", "code"), Column("What it says it does"), Column("Used or described by", "state"))
    return Blocks(Table("Scripts and what refers to them", columns, rows))
