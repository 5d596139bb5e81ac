"""An environment file is not kept out of the repository.

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
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.redaction import Value
from auditlib.rules import _files as files
from auditlib.rules import _login_lines as login_lines
from auditlib.rules._rule import Evidence, rule

_BUILT_IN = regex(r"(?:VITE|NEXT_PUBLIC|REACT_APP|VUE_APP|NUXT_PUBLIC|GATSBY|EXPO_PUBLIC|PUBLIC)_|NODE_ENV$")
"""Prefixes of what Vite, Next.js and the like write into the files that a browser loads."""
_MODE = regex(r"(?:^|/)\.env\.(?!local$)\w+$")
_NAME = regex(r"\w+")


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.MEDIUM, retired=True)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every environment file that is no template: what Git tracks or, less sure, `.gitignore` leaves in."""
    for file in inventory.env_files:
        if file.committed is not False and not file.template:
            secrets = [
                line for line in file.lines if line.value is not None and line.value.secret and not line.commented
            ]
            if not secrets and _is_of_a_mode(file):
                continue
            found = _evidence(inventory, file, secrets)
            yield found if file.committed else _untold(inventory, found, file, secrets)


def _is_of_a_mode(file: EnvFile) -> bool:
    """Whether a file configures one mode of a build (`.env.production`), which puts all of it into what browsers load:
    such a file is meant to be committed.
    """
    if not _MODE.search(file.path):
        return False
    names = [line.name for line in file.lines if line.value is not None and not line.commented]
    return bool(names) and all(_BUILT_IN.match(name) for name in names)


def _evidence(inventory: Inventory, file: EnvFile, secrets: list[EnvLine]) -> Evidence:
    guessable = all(line.value and _is_guessable(line.value) for line in secrets)
    if not secrets or (guessable and environments.is_for_development(file.path)):
        holds = "no real secret, but one" if secrets else "no secret, but the next one"
        return Evidence(
            f"{file.path} {_place(file)}; it holds {holds} may be added without notice.",
            file.location,
            subject=file.path,
            recommendation=f"Say in {file.path} that secrets don't belong there."
            if environments.is_for_development(file.path)
            else f"Rename {file.path} to a template, or say in it that secrets don't belong there.",
            severity=Severity.INFO,
            example=files.into(
                file.path, "# This file is committed: no secrets here, they belong into an ignored file."
            ),
        )
    first, *others = secrets
    readers = _readers(inventory, file.path)
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
        related=(
            *(Related(line.location, f"{line.name}: {line.value}", member=True) for line in others),
            *_holders(inventory, secrets),
        ),
        recommendation=f"Take {file.path} out with `git rm --cached`, ignore it, keep a template without the values of "
        f"{listed((line.name for line in secrets), limit=3)}, and replace what was used anywhere.{_awaited(readers)}",
        severity=severity,
        example=_renewed(inventory, secrets, _lines(inventory, file.path, [line.name for line in secrets], readers)),
    )


def _holders(inventory: Inventory, secrets: list[EnvLine]) -> Iterator[Related]:
    """The other files that hold one of the values, which go on with the old one."""
    known = [line.location for line in secrets]
    for line in secrets:
        for item in login_lines.elsewhere(inventory, line.name, line.value, (), known) if line.value else ():
            yield Related(item.location, f"holds the value of {line.name} too")


def _renewed(inventory: Inventory, secrets: list[EnvLine], lines: str) -> str:
    """Lines with what else is to be done where the passwords of databases are replaced."""
    values = [line.value for line in secrets if line.value]
    return login_lines.with_kept(lines, inventory, [line.name for line in secrets], values)


def _readers(inventory: Inventory, path: str) -> list[str]:
    """The services that name a file in `env_file`, and the projects that take their variables from it."""
    services = (item.name for item in inventory.distinct_services if path in (each.path for each in item.env_files))
    projects = (item.location.file for item in inventory.base_projects if item.env_file == path)
    return list(dict.fromkeys((*services, *projects)))


def _awaited(readers: list[str]) -> str:
    """What has to happen before what reads the file can start."""
    if not readers:
        return ""
    verb = "reads" if len(readers) == 1 else "read"
    return f" {listed(readers, limit=4)} {verb} it: CI and Compose need a copy of the template with values first."


def _lines(inventory: Inventory, path: str, names: list[str], readers: list[str]) -> str:
    """The commands that take a file out and leave a template, which is copied where a service reads the file."""
    template = f"{path}.example"
    quoted, kept, ignored = map(shlex.quote, (path, template, f"/{path}"))
    plain = "|".join(dict.fromkeys(name for name in names if _NAME.fullmatch(name)))
    emptied = shlex.quote(rf"s/^((export )?({plain})) *=.*/\1=<…>/")
    lines = [f"git rm --cached {quoted}", f"echo {ignored} >> .gitignore"]
    if template not in inventory.files:
        lines[1:1] = [f"sed -E {emptied} {quoted} > {kept}  # look it through", f"git add {kept}"]
    if readers:
        lines.append(f"# before each start of {listed(readers, limit=4)}, in CI too: cp -n {kept} {quoted}")
    return "\n".join(lines)


def _place(file: EnvFile) -> str:
    if file.committed:
        return "is part of the repository"
    return "lies in the folder (without Git's index nobody can tell whether it is committed)"


def _untold(inventory: Inventory, found: Evidence, file: EnvFile, secrets: list[EnvLine]) -> Evidence:
    """The same of a file in a folder that isn't known to be a repository, where Git has nothing to take out."""
    names = listed((line.name for line in secrets), limit=3)
    without = f", keep a template without the values of {names}" if names else ""
    return msgspec.structs.replace(
        found,
        recommendation=f"Have Git ignore {file.path}{without}, and replace what was ever committed.",
        confidence=Confidence.MEDIUM,
        example=_renewed(inventory, secrets, files.into(".gitignore", f"/{file.path}")),
    )


def _is_guessable(value: Value) -> bool:
    """Whether a secret protects nothing in any case: a placeholder, a well-known one, or one of a few letters."""
    return value.placeholder or value.weak or value.length < 8
