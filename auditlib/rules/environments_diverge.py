"""The environment files of two environments have different keys.

Staging is there to find what would fail in production. A variable that only one of them sets is tested in neither, and
is usually one that somebody forgot to carry over.

Anti-pattern:

    # .env.staging
    DATABASE_URL=…
    SMTP_HOST=…
    # .env.production
    DATABASE_URL=…

Better:

    # the same keys in both files, an empty value where a feature is off
    DATABASE_URL=…
    SMTP_HOST=

Recommendation:

    Give both files the same keys, an empty value where an environment has none.

References:

- https://12factor.net/dev-prod-parity
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _files
from auditlib.rules._rule import Evidence, rule

_ENVIRONMENT = regex(r"(?<![a-z])(?P<name>production|prod|staging|stage|preprod|uat)(?![a-z])", re.I)

_OF_ONE = regex(
    r"(?:^|_)(?:PRODUCTION|PROD|STAGING|STAGE|PREPROD|UAT|DEBUG|MOCKS?|TESTS?|BASIC_AUTH|SANDBOX)(?:_|$)", re.I
)
"""Names that are one environment's own (`DOTENV_PUBLIC_KEY_PRODUCTION`), or for trials."""
_BASES = dict.fromkeys((".env.*", ".env.*.local"), (".env", ".env.common", ".env.shared", ".env.base"))
"""What is read before the file of an environment."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Files that differ in the name of the environment alone, of those that are to be like production."""
    groups: defaultdict[tuple[str, str], list[EnvFile]] = defaultdict(list)
    for file in inventory.env_files:
        if _environment(file):
            groups[_without(file.path)].append(file)
    bases = {file.path: _keys(file) for file in inventory.env_files}
    for (folder, name), files in groups.items():
        if len({_environment(file) for file in files}) == len(files) > 1 and all(map(_set, files)):
            shared = (posixpath.join(folder, base) for base in _BASES.get(name, ()))
            yield from _compared(files, set[str]().union(*(bases.get(path, set()) for path in shared)))


def _environment(file: EnvFile) -> str:
    """The environment that a file is of by its own name or that of its folder, whichever way it is written."""
    folder, name = posixpath.split(file.path)
    match = _ENVIRONMENT.search(name) or _ENVIRONMENT.fullmatch(posixpath.basename(folder))
    said = match["name"].lower() if match else ""
    return {"production": "prod", "staging": "stage"}.get(said, said)


def _without(path: str) -> tuple[str, str]:
    """The folder and name of a file with a star for its environment (`env/*/app.env`)."""
    folder, name = posixpath.split(path)
    if _ENVIRONMENT.search(name):
        return folder, _ENVIRONMENT.sub("*", name)
    return posixpath.join(posixpath.dirname(folder), "*"), name


def _set(file: EnvFile) -> set[str]:
    return {line.name for line in file.lines if line.name and not line.commented}


def _keys(file: EnvFile) -> set[str]:
    return {line.name for line in file.lines if line.name}


def _compared(files: list[EnvFile], shared: set[str]) -> Iterator[Evidence]:
    """One finding for the group, at the file that lacks most."""
    every = {name for name in set[str]().union(*map(_set, files)) - shared if not _OF_ONE.search(name)}
    lacking = {file.path: sorted(every - _keys(file)) for file in files}
    order = sorted(files, key=lambda file: (-len(lacking[file.path]), file.path))
    first = order[0]
    names = lacking[first.path]
    if not names:
        return
    related = tuple(
        Related(line.location, f"{line.name} is set here, and not in {', '.join(absent)}", member=True)
        for file in files
        for line in file.lines
        if line.name in every
        and not line.commented
        and (absent := [path for path, missing in lacking.items() if line.name in missing])
    )
    others = [file.path for file in files if file is not first]
    yield Evidence(
        f"{first.path} lacks {counted(len(names), 'variable')} that {listed(others)} "
        f"{'has' if len(others) == 1 else 'have'}: {listed(names)}, unless they differ on purpose.",
        first.location,
        subject=f"{first.path}/keys",
        related=related,
        recommendation=f"Add {listed(names, limit=4)} to {first.path}, with an empty value where it has none.",
        example=_files.into(first.path, "\n".join(f"{name}=" for name in names)),
    )
