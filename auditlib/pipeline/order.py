"""The order of steps in a job: what is deployed before it is checked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import tools
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step, Workflow
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.pipeline import deploying

_AFTERWARDS = regex(
    r"smoke|e2e|end-to-end|post|after|verif|health|integration|acceptance|load|perf|lighthouse|live|prod|staging|url",
    re.I,
)
"""What a test of that which was deployed is called."""
_JOBS = 200
"""Jobs of a workflow that are looked at; people write a tenth."""


def late_checks(inventory: Inventory, workflow: Workflow) -> Iterator[tuple[Job, Location, Step]]:
    """The jobs whose own checks come after their deployment: the place of that, and the first step that checks."""
    found = pipeline.of(inventory, [workflow]) if len(workflow.jobs) <= _JOBS else None
    for job in workflow.jobs if found else ():
        place = deploying.place(job, found.of_job(job)) if found else None
        at = next((step for step in job.steps if place and _stands_in(step, place)), None)
        before = [item for step in job.steps for item in step.commands if at and step.index <= at.index]
        late = next((step for step in job.steps if at and step.index > at.index and _tests_code(step, before)), None)
        if place and late:
            yield job, place, late


def _stands_in(step: Step, place: Location) -> bool:
    return step.location == place or any(item.location == place for item in step.commands)


def _tests_code(step: Step, before: list[Command]) -> bool:
    """Whether a step that runs after a success tests or lints the code, by a tool that nothing before it starts."""
    if step.condition or step.continue_on_error or _AFTERWARDS.search(step.name):
        return False
    ran = {name for item in before for name in _tools(item)}
    return any(name for item in step.commands for name in _tools(item) if name not in ran)


def _tools(command: Command) -> list[str]:
    """The linters and the frameworks for tests of code that a command starts."""
    text = " ".join(command.words)
    known = {**tools.TEST_FRAMEWORKS, **tools.LINTERS}
    if tools.INSTALLS.search(text) or _AFTERWARDS.search(text):
        return []
    return [name for name, pattern in known.items() if name not in tools.END_TO_END and pattern.search(text)]
