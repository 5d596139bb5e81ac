"""A loop waits until a service answers, and goes on if it never does.

After the last attempt the loop ends like after the first success. What comes next takes the service for ready: the
pipeline is green with a program that doesn't start, or the script reports that all is well.

Anti-pattern:

    for i in $(seq 1 30); do
      curl -fsS http://localhost:8000/health && break
      sleep 2
    done
    docker push example/api

Better:

    curl --fail --silent --show-error --retry 30 --retry-delay 2 --retry-all-errors http://localhost:8000/health
    docker push example/api

Recommendation:

    Ask once more after the loop, so that its failure counts, or let `curl --retry` wait.

References:

- https://curl.se/docs/manpage.html#--retry
- https://www.gnu.org/software/bash/manual/html_node/Looping-Constructs.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import waiting
from auditlib.conventions import environments, tools
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Script, Step
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_AFTERWARDS = ("failure()", "always()", "cancelled()")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The first such loop of each job after which nothing asks the service, and of each script."""
    for job in inventory.jobs:
        found = ((step, wait) for step in job.steps for wait in waiting.passing(step.run))
        asked = next(((step, wait) for step, wait in found if not _is_asked_later(job, step, wait)), None)
        if asked:
            yield _of_job(job, *asked)
    for script in inventory.scripts:
        if script.passing_waits and not environments.is_for_development(script.path):
            yield _of_script(script)


def _is_asked_later(job: Job, step: Step, wait: waiting.Wait) -> bool:
    """Whether a later step fails where the service never came: it asks it, or runs tests."""
    host = "/".join(wait.asked.split("/")[:3])
    for later in job.steps[step.index + 1 :]:
        if later.continue_on_error or any(word in later.condition for word in _AFTERWARDS):
            continue
        for command in later.commands:
            text = " ".join(command.words)
            if not command.cannot_fail and (host in text or tools.test_framework(text)):
                return True
    return False


def _of_job(job: Job, step: Step, wait: waiting.Wait) -> Evidence:
    host = wait.asked
    place = next((item.location for item in step.commands if host in " ".join(item.words)), step.location)
    return Evidence(
        f"The step {step.name or step.index + 1} of the job {job.id} waits for {wait.asked} and is green as well if "
        "that never answers, and no later step asks it.",
        place,
        subject=f"{job.id}/{step.name or step.index}",
        recommendation="Ask once more after the loop, so that its failure counts.",
        example=_asking(place, wait.asked),
    )


def _of_script(script: Script) -> Evidence:
    first, *others = script.passing_waits
    return Evidence(
        f"{script.path} waits for {first.name} and goes on as well if that never answers"
        f"{f', and so it does with {len(others)} more' if others else ''}.",
        first.location,
        subject=f"{script.path}/{first.name}",
        related=tuple(Related(item.location, f"{item.name} may never have answered either", member=True)
                      for item in others),
        recommendation="Ask once more after the loop, so that its failure counts.",
        severity=Severity.LOW,
        example=_asking(first.location, first.name),
    )  # fmt: skip


def _asking(place: Location, asked: str) -> str:
    """The line after the loop: the request again, whose failure ends a step or a script."""
    again = f'curl --fail --silent --show-error "{asked}" > /dev/null' if "/" in asked else "<what the loop asks>"
    return files.into(place.file, f"# after the loop\n{again} || exit 1")
