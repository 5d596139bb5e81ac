"""An expression of a workflow names what GitHub doesn't know at that place, so that it refuses the whole file.

Each key of a workflow may use some contexts and no others: `secrets` can't be asked in a condition, `env` not in the
image of a service or the `runs-on` of a job. Nor can one expression stand inside another, hold a text in double quotes,
`and` for `&&`, or a function that there isn't. No job of such a file starts, and the run ends with "Unrecognized
named-value" or "Unexpected symbol" before anything was checked.

Anti-pattern:

    jobs:
      deploy:
        if: secrets.DEPLOY_KEY != ''
        steps:
          - run: echo ${{ secrets.HOST_${{ matrix.environment }} }}

Better:

    jobs:
      deploy:
        steps:
          - if: env.DEPLOY_KEY != ''
            env: {DEPLOY_KEY: "${{ secrets.DEPLOY_KEY }}"}
            run: ./deploy.sh
          - run: echo ${{ secrets[format('HOST_{0}', matrix.environment)] }}

Recommendation:

    Use a context that the key has, join names with `format` inside one expression, and write texts in single quotes.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#context-availability
- https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#format
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import workflow_expressions
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NESTED = regex(r"\$\{\{(?P<outer>(?:(?!\}\}|\$\{\{).){0,200})\$\{\{(?P<inner>(?:(?!\}\}).){0,200})\}\}")
_NAMED = regex(r"(?<![\w.\]-])(secrets|env|matrix|strategy|steps|needs|job|runner)(?=\s*[.\[])")
_SECRET = regex(r"secrets\.(\w+)")
_JOB = frozenset({"github", "needs", "strategy", "matrix", "vars", "inputs"})
_WORKFLOW_ENV = frozenset({"github", "secrets", "inputs", "vars"})
_JOB_IF = frozenset({"github", "needs", "vars", "inputs"})
_MOST = 20
_WRITTEN = "Write texts in single quotes, `&&`, `||` and `!`, and the functions that GitHub has."
_STEP_IF = _JOB | {"job", "runner", "env", "steps"}


class _Use(Struct, frozen=True):
    """An expression that GitHub refuses: what is wrong with it, and where."""

    text: str
    reason: str
    location: Location
    instead: str
    advice: str = ""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each workflow, at its first such expression."""
    for workflow in inventory.workflows:
        found = [*_unknown(workflow), *_nested(workflow), *_malformed(workflow)]
        if found:
            yield _evidence(workflow, found)


def _unknown(workflow: Workflow) -> Iterator[_Use]:
    """The contexts that their key doesn't have."""
    for pair in workflow.env:
        yield from _uses(pair.value, _WORKFLOW_ENV, "`env` of the workflow", pair.location)
    for job in workflow.jobs:
        yield from _uses(f"${{{{{job.condition}}}}}", _JOB_IF, f"`if` of the job {job.id}", job.location)
        yield from _uses(job.runs_on, _JOB, f"`runs-on` of the job {job.id}", job.location)
        yield from _uses(job.environment, _JOB, f"`environment` of the job {job.id}", job.location)
        yield from _uses(job.container, _JOB, f"`container` of the job {job.id}", job.location)
        for service in job.services:
            yield from _uses(service.image, _JOB, f"`image` of the service {service.name}", service.location)
        for pair in job.env:
            yield from _uses(pair.value, _JOB | {"secrets"}, f"`env` of the job {job.id}", pair.location)
        for pair in job.inputs if job.uses else ():
            yield from _uses(pair.value, _JOB, f"`with` of the job {job.id}", pair.location)
        for step in job.steps:
            yield from _uses(f"${{{{{step.condition}}}}}", _STEP_IF, f"`if` of a step of {job.id}", step.location)


def _uses(text: str, known: frozenset[str], key: str, location: Location) -> Iterator[_Use]:
    for expression in workflow_expressions.of_text(text):
        for name in _NAMED.findall(workflow_expressions.without_texts(expression)):
            if name not in known:
                text = expression.strip()
                yield _Use(text, f"{key} doesn't know `{name}`", location, _instead(text, name))


def _instead(expression: str, context: str) -> str:
    """Where a secret can be asked for, and what a key may use in place of `env`."""
    if context == "secrets" and (match := _SECRET.search(expression)):
        name = match[1]
        return f"env:\n  {name}: ${{{{ secrets.{name} }}}}   # of the job\nsteps:\n  - if: env.{name} != ''"
    if context == "env":
        return f"${{{{ {expression.replace('env.', 'vars.')} }}}}   # a variable of the repository, or the value itself"
    return f"# without `{context}`, in a step where it is known"


def _nested(workflow: Workflow) -> Iterator[_Use]:
    """The expressions that stand inside another one."""
    pairs = [*workflow.env]
    for job in workflow.jobs:
        pairs += job.env
        for step in job.steps:
            pairs += (*step.env, *step.inputs)
            yield from _inside(step.run, step.location)
    for pair in pairs:
        yield from _inside(pair.value, pair.location)


def _inside(text: str, location: Location) -> Iterator[_Use]:
    for match in _NESTED.finditer(text) if text.count("${{") > 1 else ():
        context, _, name = match["outer"].strip().rpartition(".")
        joined = f"${{{{ {context}[format('{name}{{0}}', {match['inner'].strip()})] }}}}" if context else ""
        yield _Use(match[0], "one expression can't stand inside another", location, joined)


def _malformed(workflow: Workflow) -> Iterator[_Use]:
    """The expressions that no parser takes."""
    for job in workflow.jobs:
        texts = [(each, job.location) for each in workflow_expressions.of_condition(job.condition)]
        for step in job.steps:
            texts += [(each, step.location) for each in workflow_expressions.of_condition(step.condition)]
            pairs = ((pair.value, pair.location) for pair in (*step.env, *step.inputs))
            for value, location in (*pairs, (step.run, step.location)):
                texts += [(each, location) for each in workflow_expressions.of_text(value)]
        for text, location in texts:
            reason, instead = workflow_expressions.refused(text)
            if reason:
                yield _Use(text.strip(), reason, location, instead, _WRITTEN)


def _evidence(workflow: Workflow, found: list[_Use]) -> Evidence:
    first, *others = found
    return Evidence(
        f"GitHub refuses {workflow.file}, so that none of its jobs starts: {first.reason} (`{first.text[:100]}`).",
        first.location,
        subject=workflow.file,
        related=tuple(
            Related(use.location, f"{use.reason} (`{use.text[:60]}`)", member=True) for use in others[:_MOST]
        ),
        recommendation=first.advice
        or (
            "Join the names with `format` inside one expression."
            if "format(" in first.instead
            else "Use a context that the key has, or decide in a step that has the value in `env`."
        ),
        example=files.into(workflow.file, first.instead),
    )
