"""The file that is to hold the secrets is one that Git would take in.

The deployment wants an environment file beside the code, and no `.gitignore` leaves it out. The first `git add .` on
that host commits the passwords, and the next push shows them to everybody who can read the repository, for good.

Anti-pattern:

    # compose.yaml
    services:
      api:
        env_file: .env      # JWT_SECRET, POSTGRES_PASSWORD
    # no .gitignore, or one that says nothing of .env

Better:

    # .gitignore
    .env
    .env.*
    !.env.example

Recommendation:

    Name the files with secrets in `.gitignore` before somebody fills them in.

References:

- https://git-scm.com/docs/gitignore
- https://docs.docker.com/compose/how-tos/environment-variables/best-practices/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import env_readers, environments, git_ignores
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


class _Wanted(Struct, frozen=True):
    """An environment file that the repository lacks, the credentials it is to hold, and who wants it."""

    path: str
    names: tuple[str, ...]
    place: Location
    who: str


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all environment files with credentials that are to lie where Git would take them in."""
    found: dict[str, _Wanted] = {}
    told = sorted((*_of_services(inventory), *_of_projects(inventory)), key=lambda item: not item.names)
    for item in told:
        if item.path not in inventory.file_set and not git_ignores.left_out_by(inventory, item.path):
            found.setdefault(item.path, item)
    known = list(found.values())
    if known and known[0].names:  # those of which nobody knows what they hold are told beside one that holds secrets
        yield _evidence(inventory, known)


def _of_services(inventory: Inventory) -> Iterator[_Wanted]:
    """What `env_file` names; of one that no template tells of, all that is known is its name."""
    for service in inventory.distinct_services:
        for item in service.env_files if not environments.only_for_development(service) else ():
            path = posixpath.normpath(item.path)
            if not path.startswith(("..", "/")) and "$" not in path:
                names = env_readers.credentials(env_readers.of_file(inventory, path))
                yield _Wanted(path, names, item.location, f"{service.name} is given it")


def _of_projects(inventory: Inventory) -> Iterator[_Wanted]:
    """The `.env` beside a Compose file that takes credentials from its variables."""
    for project in inventory.base_projects:
        wanted = [item for item in inventory.variables if item.project == project.name and _is_asked_for(item.operator)]
        names = env_readers.credentials(dict.fromkeys(item.name for item in wanted))
        given = project.env_file not in ("", ".env") and posixpath.basename(project.env_file) != ".env"
        if names and not given and not environments.in_development_file(inventory, project.location.file):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(project.location.file), ".env"))
            place = next(item.location for item in wanted if item.name == names[0])
            yield _Wanted(path, names, place, f"{project.location.file} takes its variables from it")


def _is_asked_for(operator: str) -> bool:
    """Whether a variable has to be set: it has no default."""
    return operator in ("", ":?", "?")


def _evidence(inventory: Inventory, found: list[_Wanted]) -> Evidence:
    first, *others = found
    names = listed(item.path for item in found)
    holding, unknown = [item for item in found if item.names], [item for item in found if not item.names]
    beside = f", beside {listed(item.path for item in unknown)}" if unknown else ""
    keys = listed(dict.fromkeys(name for item in found for name in item.names), limit=4)
    none = "there is no .gitignore" if not inventory.git_ignores else "no .gitignore leaves it out"
    none = none.replace("it out", "them out") if others else none
    return Evidence(
        f"{listed(item.path for item in holding)} {'is' if len(holding) == 1 else 'are'} to hold {keys}{beside}, and "
        f"{none}: the next `git add .` on that host takes {'it' if not others else 'them'} along.",
        first.place,
        subject="environment",
        related=tuple(Related(item.place, f"{item.path}: {item.who}", member=True) for item in others),
        recommendation=f"Name {names} in .gitignore, before somebody fills {'it' if not others else 'them'} in.",
        example=files.into(".gitignore", "\n".join(_patterns(found))),
    )


def _patterns(found: list[_Wanted]) -> Iterator[str]:
    names = dict.fromkeys(posixpath.basename(item.path) for item in found)
    yield from names
    yield from (f"!{name}.example" for name in names)
