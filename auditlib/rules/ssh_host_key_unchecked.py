"""A deployment logs in to whatever host answers.

SSH proves by the host's key that it talks to the right machine. Where that check is off, whoever can answer in its
place (a wrong DNS entry, an address that somebody else has now, a network in between) gets the commands with the
secrets in them, and a password.

Anti-pattern:

    sshpass -p "$SERVER_PASS" ssh -o StrictHostKeyChecking=no "deploy@$SERVER"
    # or in a workflow
    - uses: appleboy/ssh-action@v1.2.0
      with:
        host: ${{ secrets.HOST }}
        key: ${{ secrets.SSH_KEY }}

Better:

    - uses: appleboy/ssh-action@v1.2.0
      with:
        host: ${{ secrets.HOST }}
        key: ${{ secrets.SSH_KEY }}
        fingerprint: ${{ vars.SSH_HOST_FINGERPRINT }}

Recommendation:

    Give the workflow the fingerprint of the host's key, and scripts a `known_hosts` with that key.

References:

- https://github.com/appleboy/ssh-action
- https://man.openbsd.org/ssh_config#StrictHostKeyChecking
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Step
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_ACTIONS = ("appleboy/ssh-action@", "appleboy/scp-action@")
"""Actions that ask no host for its key unless they are given its fingerprint."""
_OFF = regex(r"\b(StrictHostKeyChecking[= ](?:no|off)|UserKnownHostsFile[= ]/dev/null)\b")
_KNOWN = "known_hosts"
_ASKED_FIRST = "ssh-keyscan"


class _Place(Struct, frozen=True):
    """Where a host isn't asked who it is: in words, and what goes to it that is secret."""

    location: Location
    what: str
    given: str = ""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all steps of workflows, and one for all scripts."""
    steps = [(step, place) for step in inventory.steps for place in _of_step(step)]
    if steps:
        yield _of_workflows(steps)
    scripts = [
        _Place(item.location, f"`{item.name}`", "the password" if item.value else "")
        for script in inventory.scripts
        for item in script.unchecked_hosts
    ]
    if scripts:
        yield _of_scripts(scripts)


def _of_step(step: Step) -> Iterator[_Place]:
    """The one place of a step: its action without a fingerprint, or a command that asks nobody or asks the host."""
    if step.uses.startswith(_ACTIONS):
        told = {pair.name: pair.value for pair in step.inputs}
        if not told.get("fingerprint"):
            yield _Place(step.location, f"{step.uses.partition('@')[0]} without a fingerprint", _handed_over(told))
        return
    for command in step.commands:
        text = " ".join(command.words)
        if found := _OFF.search(text):
            yield _Place(command.location, f"`{found[1]}`", "the password" if "sshpass" in text else "")
            return
        if command.words[:1] == (_ASKED_FIRST,) and (_KNOWN in step.run):
            yield _Place(command.location, "`ssh-keyscan`, which takes the key of whoever answers")
            return


def _handed_over(told: dict[str, str]) -> str:
    """What an action hands over to whoever answers."""
    if told.get("password"):
        return "the password"
    return "the secrets in its script" if "secrets." in told.get("script", "") or told.get("envs") else ""


def _of_workflows(found: list[tuple[Step, _Place]]) -> Evidence:
    (step, first), *others = sorted(found, key=lambda item: not item[1].given)
    named = step.uses.startswith(_ACTIONS)
    advice = (
        f"Give the step{'s' if others else ''} the `fingerprint` of the host's own key"
        if named
        else "Keep the host's key in a variable of the repository and write that to `known_hosts`"
    )
    lines = (
        f"- uses: {step.uses}\n  with:  # beside what is there\n    fingerprint: ${{{{ vars.SSH_HOST_FINGERPRINT }}}}  "
        "# on the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f2, else of the ecdsa key"
        if named
        else '- run: echo "${{ vars.SSH_KNOWN_HOSTS }}" >> ~/.ssh/known_hosts  # the line of the host\'s own key'
    )
    return Evidence(
        f"The step {step.name or step.index + 1} of the job {step.job} takes any host that answers for the right one "
        f"({first.what}){_gets(first)}.",
        first.location,
        subject=f"{step.job}/ssh",
        related=tuple(Related(place.location, place.what, member=True) for _, place in others),
        recommendation=f"{advice}.",
        severity=Severity.MEDIUM if first.given else None,
        example=workflow_lines.step(step.workflow, step.job, lines),
    )


def _of_scripts(found: list[_Place]) -> Evidence:
    first, *others = sorted(found, key=lambda item: not item.given)
    names = listed((place.location.file for place in (first, *others)), limit=4)
    return Evidence(
        f"{names} {'log' if ' and ' in names else 'logs'} in to any host that answers ({first.what}){_gets(first)}.",
        first.location,
        subject="scripts/ssh",
        related=tuple(Related(place.location, place.what, member=True) for place in others),
        recommendation="Put the host's key in `known_hosts` once, compared with the host's own, and remove the option.",
        severity=Severity.MEDIUM if first.given else None,
        example="ssh-keyscan -t ed25519 <host> >> ~/.ssh/known_hosts\n"
        "ssh-keygen -lF <host>  # compare with: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub, on its console",
    )


def _gets(place: _Place) -> str:
    return f": whoever answers in its place gets {place.given}" if place.given else ""
