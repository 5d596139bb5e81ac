"""A check in the pipeline can't fail.

Its exit status is thrown away, so the step is green whatever the check finds. It costs its minutes on every run and
protects nothing, and who reads the pipeline believes that the code passes it.

Anti-pattern:

    - run: flake8 app --exit-zero
    - run: npm run type-check || true

Better:

    - run: flake8 app
    - run: npm run type-check

Recommendation:

    Let the step fail. Where too much is wrong at first, check only what is new, or list the exceptions one by one in
    the tool's configuration.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepscontinue-on-error
- https://trivy.dev/latest/docs/configuration/others/#exit-code
- https://flake8.pycqa.org/en/latest/user/options.html#cmdoption-flake8-exit-zero
- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
- https://curl.se/docs/manpage.html#-f
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

import msgspec

from auditlib import pipeline
from auditlib.conventions import checks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _check_lines as check_lines
from auditlib.rules._check_lines import NO_STATUS, TOLERATED
from auditlib.rules._rule import Evidence, rule

_GATE = regex(r"\bgates?\b|\bfail|\bblock|\benforce|\béchec|\béchou|\brefus", re.I)
"""What the name of a step says of a scan that is meant to stop what follows."""
_PROBES = regex(r"test|check|health|smoke|verif|probe|valid", re.I)
_VALIDATES = regex(
    r"\bdocker[- ]compose\s(?:\S+\s)*config\s+(?:-q|--quiet)\b|\bpromtool\s+(?:check|test)\b|\bamtool\s+check-config\b|"
    r"\bnginx\s+-t\b|\bcaddy\s+validate\b|\bhaproxy\s+-c\b"
)
_OPTIONAL = regex(r"\boptional\b|\bnon[- ]?blocking\b|\badvisory\b|\binformational\b|\bnon[- ]bloqu", re.I)
"""What the name of a step says of a check that is meant to let everything pass."""
_READS = regex(r"^jq\s+(?:-\S+\s+)*(?:\.|empty)\s")
_HEALTH = regex(
    r"^(?:https?://)?(?:localhost|127\.0\.0\.1)(?::\d{1,5})?/(?:[\w-]{1,40}/){0,3}"
    r"(?:_?health\w{0,10}|ready\w{0,10}|live\w{0,10}|ping)/?$"
)
"""Where a server that the job has started says whether it is well."""
_ASKS = regex(r"^(?:curl|wget)\s")
_DECIDES = regex(r"\b(?:for|while|until|break|exit)\b")
"""What asks again and again, or ends the step by other means."""
_PIPED = regex(r"\|\s*(?:tee|cat|head|tail|ts)\b")
"""Programs that succeed whatever they are given to read."""
_OWN_STATUS = regex(r"\bpipefail\b|\bPIPESTATUS\b|\bexit\b|\bgrep\b")
_HARMLESS = frozenset({"echo", "printf", "true", ":"})
_RUNNERS = frozenset({"npm", "npx", "yarn", "pnpm", "bun", "make", "just", "task", "poetry", "uv", "python", "python3"})
"""Programs whose first words don't tell which check they start."""
_LINTS = regex(
    r"(?:^|/)(?:golangci-lint-action|ruff-action|hadolint-action|action-shellcheck|action-yamllint|ansible-lint|"
    r"markdownlint-cli2-action|super-linter|staticcheck-action)@"
)
"""Actions that run a linter and fail by what it finds."""
_KEEPS_STATUS = regex(r"\bexit\b|\bset\s+-\w*e|=\"?\$\?|\[\s.{0,200}\$\?|\bPIPESTATUS\b|GITHUB_OUTPUT")
_FAILS_ON_ERROR = regex(r"-[a-zA-Z]*[fw][a-zA-Z]*|--fail(?:-with-body|-early)?|--write-out")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every check whose failure a step, a script or a target throws away, as far as a workflow runs it."""
    for job in inventory.jobs:
        if job.continue_on_error and any(map(_checks, job.steps)):
            found = _evidence(job.location, job.id, f"The job {job.id} runs its checks", TOLERATED)
            advice = f"Remove {TOLERATED} from the job {job.id} of {job.workflow}, and mend or list what it then finds."
            yield msgspec.structs.replace(found, recommendation=advice)
            continue
        for step in job.steps:
            yield from _of_step(inventory, job, step)
        yield from _probes(job)
    yield from _called(inventory)


def _checks(step: Step) -> bool:
    """Whether a step is there to fail: a command of it, or the action that runs a linter."""
    return bool(_LINTS.search(step.uses)) or any(checks.is_check(item.words) for item in step.commands)


def _of_step(inventory: Inventory, job: Job, step: Step) -> Iterator[Evidence]:
    """One finding for a step, at its first check without teeth."""
    inputs = {pair.name: pair.value for pair in step.inputs}
    if switch := checks.toothless_input(step.uses, inputs):
        yield _of_input(job, step, switch)
    elif checks.action_passes_by_default(step.uses, inputs, _given(inventory, job, step)):
        yield _of_action(inventory, job, step)
    elif checks.zap_tells_nobody(step.uses, inputs):
        yield _of_zap(job, step)
    else:
        tolerated = step.continue_on_error and not _is_asked_later(job, step)
        checking = (item for item in step.commands if _is_check(step, item))
        found = (_of_command(inventory, job, step, item, tolerated) for item in checking)
        yield from itertools.islice(filter(None, found), 1)


def _of_input(job: Job, step: Step, switch: str) -> Evidence:
    what = f"The step {step.name or step.index + 1} of the job {job.id} runs {step.uses.partition('@')[0]}"
    subject = f"{job.id}/{step.name or step.index}"
    found = _evidence(
        step.location,
        subject,
        what,
        f"`{switch}`",
        audit="hadolint" not in step.uses,
        example=check_lines.of_input(step, switch),
    )
    return msgspec.structs.replace(found, recommendation=check_lines.turned(step, switch), change=("", ""))


def _of_command(inventory: Inventory, job: Job, step: Step, command: Command, tolerated: bool) -> Evidence | None:
    """What takes a check's teeth: the step's own tolerance, the command, or the shell around it."""
    reason = TOLERATED if tolerated else _reason(command)
    if not reason and (line := _piped(job, step, command)):
        return _of_pipe(job, step, command, line)
    if not reason and _goes_on(step, command):
        return _of_switch(job, step, command)
    others = (item for other in job.steps if not other.continue_on_error for item in other.commands)
    if not reason or (not tolerated and _is_strict_elsewhere(others, command)):
        return None
    optional = checks.is_audit(command.words) or _OPTIONAL.search(step.name) is not None
    return _evidence(
        command.location,
        f"{job.id}/{step.name or step.index}",
        f"The step {step.name or step.index + 1} of the job {job.id} runs {_shown(command)}",
        reason,
        audit=optional and not _is_gate(inventory, job, step, reason),
        change=check_lines.without_fallback(step, command) if "fallback" in reason else ("", ""),
        example=check_lines.of_step(step, command, reason),
    )


def _given(inventory: Inventory, job: Job, step: Step) -> set[str]:
    """The variables that a step is given, by itself, its job or its workflow."""
    mine = (pair for item in inventory.workflows if item.file == job.workflow for pair in item.env)
    return {pair.name for pair in (*step.env, *job.env, *mine)}


def _of_action(inventory: Inventory, job: Job, step: Step) -> Evidence:
    """Trivy's action without `exit-code`, which is 0 then."""
    uses, _, _ = step.uses.partition("@")
    what = f"The step {step.name or step.index + 1} of the job {job.id} runs {uses}"
    inputs = "".join(f"\n    {pair.name}: {pair.value}" for pair in step.inputs)
    return Evidence(
        f"{what} without `exit-code`, which is 0 then: it is green whatever is found.",
        step.location,
        subject=f"{job.id}/{step.name or step.index}",
        recommendation=f'Write `exit-code: "1"` under `with` of this step of {job.workflow}, and mend or list what it '
        "then finds.",
        severity=None if _is_gate(inventory, job, step, NO_STATUS) else Severity.LOW,
        example=f'- uses: {step.uses}\n  with:{inputs}\n    exit-code: "1"',
    )


def _of_zap(job: Job, step: Step) -> Evidence:
    """A scan of ZAP's whose alerts stay in an artifact that somebody has to look for."""
    inputs = "".join(f"\n    {pair.name}: {pair.value}" for pair in step.inputs if pair.name != "fail_action")
    return Evidence(
        f"The step {step.name or step.index + 1} of the job {job.id} runs {step.uses.partition('@')[0]} without "
        "`fail_action`, and has it write no issue: it is green whatever is found, and nobody is told.",
        step.location,
        subject=f"{job.id}/{step.name or step.index}",
        recommendation=f"Write `fail_action: true` under `with` of this step of {job.workflow}, and list what is to "
        "pass in `rules_file_name`.",
        severity=Severity.LOW,
        example=f"- uses: {step.uses}\n  with:{inputs}\n    fail_action: true",
    )


def _is_gate(inventory: Inventory, job: Job, step: Step, reason: str) -> bool:
    """Whether a scan without teeth is meant to stop what follows: by its name, or as another job waits for it."""
    waiting = (item for item in inventory.jobs if item.workflow == job.workflow and job.id in item.needs)
    meant = _GATE.search(step.name) or next(waiting, None) is not None
    return reason == NO_STATUS and bool(meant) and not _OPTIONAL.search(step.name)


def _is_strict_elsewhere(others: Iterable[Command], command: Command) -> bool:
    """Whether the same tool runs with teeth too: what an option lets pass are its lesser remarks alone, and an audit
    without teeth, or what is written to a file, is a report."""
    reports = bool(command.writes) and command.words[0] not in _RUNNERS
    if not (reports or checks.never_fails_by(command.words) or checks.is_audit(command.words)):
        return False
    tool = _tool(command)
    fine = ("",) if _reason(command) == NO_STATUS else ("", NO_STATUS)  # which is a finding of its own
    return any(
        _tool(item) == tool and checks.is_check(item.words) and _reason(item) in fine
        for item in others
        if item is not command
    )


def _tool(command: Command) -> tuple[str, ...]:
    """The linter that a command starts, with what it looks at."""
    if checks.passes_by_default(command.words) or "trivy" in " ".join(command.words):
        return ("trivy",)
    words = [word for word in command.words if not word.startswith("-")]
    return tuple(words[:2])


def _validates(step: Step, command: Command) -> bool:
    """Whether a command looks at a configuration, or asks a server in a step that is called a check."""
    text = " ".join(command.words)
    if _ASKS.search(text) and (command.caught or _DECIDES.search(step.run)):
        return False
    looks = _READS.search(text) or _ASKS.search(text)
    return bool(_VALIDATES.search(text) or (_PROBES.search(step.name) and looks))


def _reason(command: Command) -> str:
    if flag := checks.never_fails_by(command.words):
        return f"`{flag}`"
    if command.cannot_fail:
        return "a fallback that always succeeds"
    kept = command.writes or command.caught
    return NO_STATUS if not kept and checks.passes_by_default(command.words) else ""


def _piped(job: Job, step: Step, command: Command) -> str:
    """The line in which a pipe takes a command's status, where a runner starts Bash by itself: without `pipefail`."""
    if not command.caught or step.shell or "windows" in job.runs_on or _OWN_STATUS.search(step.run):
        return ""
    start = " ".join(command.words[:2])
    lines = step.run.replace("\\\n", " ").split("\n")
    return next((line.strip() for line in lines if start in line and _PIPED.search(line.partition(start)[2])), "")


def _of_pipe(job: Job, step: Step, command: Command, line: str) -> Evidence:
    return Evidence(
        f"The step {step.name or step.index + 1} of the job {job.id} pipes {_shown(command)} into another program. "
        "GitHub starts Bash without `pipefail` here: the step is green whatever is found.",
        command.location,
        subject=f"{job.id}/{step.name or step.index}",
        recommendation="Write `shell: bash` at this step: where it is written, GitHub adds `pipefail`.",
        severity=Severity.LOW if checks.is_audit(command.words) else None,
        example=f"- shell: bash\n  run: {line}",
    )


def _goes_on(step: Step, command: Command) -> bool:
    """Whether a step goes on after a failure (`set +e`) and ends with a command that always succeeds."""
    own = list(step.commands)
    before = own[: own.index(command)]
    if not before or not own[-1].words or own[-1].words[0] not in _HARMLESS or command.caught or command.tested:
        return False
    switches = [item.words for item in before if item.words[:1] == ("set",)]
    return bool(switches) and switches[-1] == ("set", "+e") and not _KEEPS_STATUS.search(step.run)


def _of_switch(job: Job, step: Step, command: Command) -> Evidence:
    return Evidence(
        f"The step {step.name or step.index + 1} of the job {job.id} runs {_shown(command)} after `set +e`, and ends "
        "with a command that always succeeds: it is green whatever is found.",
        command.location,
        subject=f"{job.id}/{step.name or step.index}",
        recommendation="Take `set +e` out of the step, or end it with the status of the check.",
        severity=Severity.LOW if checks.is_audit(command.words) else None,
        example=f"- run: {' '.join(command.words)}",
    )


def _shown(command: Command) -> str:
    return f"`{' '.join(command.words)[:80]}`"


def _is_asked_later(job: Job, step: Step) -> bool:
    """Whether a later step decides by the outcome of this one."""
    wanted = f"steps.{step.id}.outcome"
    later = job.steps[step.index + 1 :]
    texts = (text for item in later for text in (item.condition, item.run, *(pair.value for pair in item.env),
                                                 *(pair.value for pair in item.inputs)))  # fmt: skip
    return bool(step.id) and any(wanted in text for text in texts)


def _probes(job: Job) -> Iterator[Evidence]:
    """The steps of a job that ask a server whether it is well and don't look at the status of its answer."""
    probes = [(step, command) for step in job.steps for command in step.commands if _is_probe(step, command)]
    if probes:
        names = listed(step.name or f"the step {step.index + 1}" for step, _ in probes)
        first, *others = (command.location for _, command in probes)
        yield Evidence(
            f"The job {job.id} checks with `curl` without `--fail` ({names}): an answer that reports an error passes.",
            first,
            subject=f"{job.id}/curl",
            related=tuple(Related(place, "without `--fail` too", member=True) for place in others),
            recommendation=f"Add `--fail` to the `curl` of {names}.",
            severity=Severity.LOW,
            change=("curl ", "curl --fail "),
        )


def _is_probe(step: Step, command: Command) -> bool:
    """Whether a command asks a server whether it is well, by the only command of such a step or by its address, and
    nothing looks at the answer.
    """
    called = len(step.commands) == 1 and _PROBES.search(step.name) is not None
    plain = not (command.caught or command.writes or command.cannot_fail or _DECIDES.search(step.run))
    return _ignores_status(command) and (called or (plain and _asks_for_health(command)))


def _asks_for_health(command: Command) -> bool:
    return bool(_ASKS.match(" ".join(command.words))) and any(map(_HEALTH.search, command.words))


def _is_check(step: Step, command: Command) -> bool:
    """Whether a command is there to fail; one that asks for a server's health is, where nothing asks again."""
    probes = _asks_for_health(command) and not _DECIDES.search(step.run)
    return checks.is_check(command.words) or _validates(step, command) or probes


def _ignores_status(command: Command) -> bool:
    """Whether it is a curl that also succeeds when the server answers with an error."""
    return command.words[:1] == ("curl",) and not any(_FAILS_ON_ERROR.fullmatch(word) for word in command.words)


def _called(inventory: Inventory) -> Iterator[Evidence]:
    """Checks without teeth in npm scripts, make targets and shell scripts that a workflow calls."""
    own_words = {(" ".join(item.words), item.location.file, item.location.line) for step in inventory.steps
                 for item in step.commands}  # fmt: skip
    runs = {run.text: run.location for run in pipeline.of(inventory, inventory.workflows).runs
            if (run.text, run.location.file, run.location.line) not in own_words}  # fmt: skip
    targets = ((f"{item.path}: {target.name}", target.commands) for item in inventory.manifests
               for target in item.targets)  # fmt: skip
    scripts = ((item.path, item.commands) for item in inventory.scripts)
    for name, commands in (*targets, *scripts):
        for command in commands:
            caller = runs.get(" ".join(command.words))
            own = name.startswith(command.location.file)
            reason = _reason(command) if caller and own and checks.is_check(command.words) else ""
            if reason and not _is_strict_elsewhere(commands, command):
                audit = checks.is_audit(command.words)
                yield _evidence(command.location, name, f"{name} runs {_shown(command)}", reason, caller, audit,
                                example=check_lines.failing(" ".join(command.words), reason))  # fmt: skip


def _evidence(
    location: Location,
    subject: str,
    what: str,
    reason: str,
    caller: Location | None = None,
    audit: bool = False,
    change: tuple[str, str] = ("", ""),
    example: str = "",
) -> Evidence:
    """Of audits, and of what is called optional, some only want to see the results, so they count less."""
    if reason == NO_STATUS:
        advice = "Give it `--exit-code 1`"
    else:
        advice = "Remove the fallback" if "fallback" in reason else f"Remove {reason}"
    place = f"from this step of {location.file}" if reason == TOLERATED else f"in {location.file}:{location.line}"
    return Evidence(
        f"{what} with {reason}: it is green whatever is found.",
        location,
        subject=subject,
        related=(Related(caller, "a workflow runs it here"),) if caller else (),
        recommendation=f"{advice} {place}, and mend or list what it then finds.",
        severity=Severity.LOW if audit else None,
        change=(f" {reason[1:-1]}", "") if reason.startswith("`") else change,
        example=example,
    )
