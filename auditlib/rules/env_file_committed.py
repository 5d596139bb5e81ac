"""An environment file is part of the repository instead of being ignored.

A committed environment file has its secrets in the history, where they stay after they are deleted from the file.
Everybody with a clone has them, and so has every fork and every backup. A line in `.gitignore` doesn't take out a file
that was committed before.

Anti-pattern:

    # .env, committed
    POSTGRES_PASSWORD=s3cure-and-real

Better:

    # .gitignore
    .env
    # .env.example, committed
    POSTGRES_PASSWORD=

Recommendation:

    Take the file out of Git, ignore it, commit a template without values in its place, and replace every secret that
    was in it.

References:

- https://docs.github.com/en/code-security/secret-scanning/introduction/about-secret-scanning
- https://docs.docker.com/compose/how-tos/environment-variables/best-practices/
- https://cwe.mitre.org/data/definitions/540.html
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import msgspec

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.redaction import Value
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every environment file that is no template: what Git tracks or, less sure, `.gitignore` leaves in."""
    for file in inventory.env_files:
        if file.committed is not False and not file.template:
            secrets = [
                line for line in file.lines if line.value is not None and line.value.secret and not line.commented
            ]
            found = _evidence(file, secrets)
            yield found if file.committed else _untold(found, file, secrets)


def _evidence(file: EnvFile, secrets: list[EnvLine]) -> Evidence:
    if not secrets:
        return Evidence(
            f"{file.path} {_place(file)}; it holds no secret, but the next one may be added without notice.",
            file.location,
            subject=file.path,
            recommendation=f"Rename {file.path} to a template, or say in it that secrets don't belong there.",
            severity=Severity.INFO,
            example=files.into(
                file.path, "# This file is committed: no secrets here, they belong into an ignored file."
            ),
        )
    first, *others = secrets
    guessable = all(line.value and _is_guessable(line.value) for line in secrets)
    kind = (
        "placeholders or easily guessed values, which run wherever nobody replaces them"
        if guessable
        else "values that may be real"
    )
    severity = Severity.MEDIUM if guessable or environments.is_for_development(file.path) else None
    return Evidence(
        f"{file.path} {_place(file)} and gives {listed(line.name for line in secrets)}: {kind}.",
        first.location,
        subject=file.path,
        related=tuple(Related(line.location, f"{line.name}: {line.value}", member=True) for line in others),
        recommendation=f"Take {file.path} out with `git rm --cached`, ignore it, keep a template without the values of "
        f"{listed((line.name for line in secrets), limit=3)}, and replace what was used anywhere.",
        severity=severity,
        example=f"git rm --cached {shlex.quote(file.path)}\necho {shlex.quote(f'/{file.path}')} >> .gitignore",
    )


def _place(file: EnvFile) -> str:
    if file.committed:
        return "is part of the repository"
    return "lies in the folder (without Git's index nobody can tell whether it is committed)"


def _untold(found: Evidence, file: EnvFile, secrets: list[EnvLine]) -> Evidence:
    """The same of a file in a folder that isn't known to be a repository, where Git has nothing to take out."""
    names = listed((line.name for line in secrets), limit=3)
    without = f", keep a template without the values of {names}" if names else ""
    return msgspec.structs.replace(
        found,
        recommendation=f"Have Git ignore {file.path}{without}, and replace what was ever committed.",
        confidence=Confidence.MEDIUM,
        example=files.into(".gitignore", f"/{file.path}"),
    )


def _is_guessable(value: Value) -> bool:
    """Whether a secret protects nothing in any case: a placeholder, a well-known one, or one of a few letters."""
    return value.placeholder or value.weak or value.length < 8
