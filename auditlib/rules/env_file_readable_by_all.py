"""A deployment writes secrets into a file that every user of the host may read.

A redirection makes its file with the usual rights, which let everybody read. Every account of the server, also that of
a program somebody has broken into, finds the passwords in it; Docker and Compose need no more than its owner's right.

Anti-pattern:

    script: |
      cat > /srv/shop/.env <<EOF
      DB_PASSWORD=${{ secrets.DB_PASSWORD }}
      EOF

Better:

    script: |
      umask 077
      cat > /srv/shop/.env <<EOF
      DB_PASSWORD=${{ secrets.DB_PASSWORD }}
      EOF
      chmod 600 /srv/shop/.env

Recommendation:

    Begin the text with `umask 077`, and change the rights of the file that is there already.

References:

- https://man7.org/linux/man-pages/man2/umask.2.html
- https://docs.docker.com/compose/how-tos/use-secrets/
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from auditlib import stages
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Step
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_LIMITS = regex(r"\bumask\b|\bchmod\b|\binstall\b.*\s-m|\bsetfacl\b")
_SECRET = regex(r"\$\{\{\s*secrets\.(?!GITHUB_TOKEN\b)")
_OF_LOGIN = frozenset({"host", "username", "key", "password", "port", "passphrase", "fingerprint"})
"""Inputs by which an action logs in, and which its script doesn't see."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each step that has another host write an environment file out of secrets, and says nothing of its rights."""
    for job in inventory.jobs:
        for step in job.steps:
            written = [item for item in step.remote if _file(item)]
            limited = any(_LIMITS.search(" ".join(item.words)) for item in step.remote)
            if written and not limited and _has_secrets(step):
                yield _evidence(job.workflow, job.id, step, written)


def _file(command: Command) -> str:
    """The environment file that a command writes; a template is no secret."""
    return next(
        (
            path
            for path in command.writes
            if posixpath.basename(path).startswith(".env") and not stages.is_template(path)
        ),
        "",
    )


def _has_secrets(step: Step) -> bool:
    """Whether the script of a step is given secrets: by variables, or in its own words."""
    told = [pair.value for pair in step.inputs if pair.name not in _OF_LOGIN]
    return any(_SECRET.search(text) for text in (*told, *(pair.value for pair in step.env)))


def _evidence(workflow: str, job: str, step: Step, written: list[Command]) -> Evidence:
    first, *others = written
    path = _file(first)
    return Evidence(
        f"The step {step.name or step.index + 1} of the job {job} has the host write secrets to {path}, and no line of "
        "its script takes the right to read from others, unless the folder or the host's umask does.",
        first.location,
        subject=f"{workflow}/{job}/{path}",
        related=tuple(Related(item.location, f"writes {_file(item)}", member=True) for item in others),
        recommendation=f"Begin the script with `umask 077`, and run `chmod 600 {path}` for the file that is there.",
        example=workflow_lines.step(
            workflow,
            job,
            f"- uses: {step.uses}\n  with:\n    script: |\n      umask 077\n      <what stands there now>\n"
            f"      chmod 600 {shlex.quote(path)}",
        ),
    )
