"""The environment file that people keep beside the code gets into the image.

`COPY . .` takes everything in the folder that no `.dockerignore` leaves out, files too that Git ignores. Whoever
builds the image where the program is set up, on a developer's machine or on the host, bakes the credentials into a
layer, and who can pull the image has them. A build of a clean checkout, into which nothing writes them before,
holds none, which is why nobody notices.

Anti-pattern:

    # compose.yaml: env_file: .env
    # Dockerfile, and no .dockerignore beside it
    COPY . .

Better:

    # .dockerignore
    .git
    **/.env*
    !**/.env.example

Recommendation:

    Leave environment files and `.git` out of the build context, and replace what an image may already hold.

References:

- https://docs.docker.com/build/concepts/context/#dockerignore-files
- https://docs.docker.com/build/building/secrets/
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import build_context, builds, environments, kept_env_files, services
from auditlib.conventions.kept_env_files import Kept, Written
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Build, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.paths import below
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


class _Taken(Struct, frozen=True):
    """An instruction that copies environment files into an image; `shipped` if their layer is one of it."""

    service: Service
    build: Build
    item: Instruction
    kept: list[Kept]
    shipped: bool
    history: bool
    """Whether it copies `.git` too."""


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each context of which images take an environment file with credentials along."""
    known = {item.path: item for item in kept_env_files.kept(inventory) if item.names}
    paths = sorted(known)
    found: defaultdict[str, list[_Taken]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    for service, build, file in builds.of(inventory) if known else ():
        context = posixpath.normpath(build.context or ".")
        if build.outside or (context, file.path) in seen:
            continue
        seen.add((context, file.path))
        shipped = services.shipped(file, build.target)
        inside = [known[path] for path in below(paths, context)]
        copies = builds.copies(file) if inside else []
        taken = (_taken(inventory, service, build, item, inside, shipped) for item in copies)
        found[context] += sorted(filter(None, taken), key=lambda item: not item.shipped)[:1]
    for context, items in found.items():
        if items:
            yield _evidence(inventory, context, sorted(items, key=lambda item: not item.shipped))


def _taken(
    inventory: Inventory,
    service: Service,
    build: Build,
    item: Instruction,
    known: list[Kept],
    shipped: list[Instruction],
) -> _Taken | None:
    """What an instruction takes along, besides what it names itself."""
    mine = [each for each in known if build_context.takes(inventory, build, item, each.path)]
    history = build_context.takes_history(inventory, build, item)
    return _Taken(service, build, item, mine, item in shipped, history) if mine else None


def _severity(first: _Taken, sure: bool) -> Severity:
    if not first.shipped or environments.is_for_development(first.item.location.file):
        return Severity.LOW
    return Severity.HIGH if sure else Severity.MEDIUM


def _held(inventory: Inventory) -> Iterator[EnvFile]:
    """The environment files that a clean checkout has."""
    return (item for item in inventory.env_files if item.committed is not False and not item.template)


def _credentials(file: EnvFile) -> list[str]:
    return [line.name for line in file.lines if line.value and line.value.secret and not line.commented]


def _lines(inventory: Inventory, path: str, context: str, first: _Taken) -> str:
    """The patterns for what is to be left out of the context, and for what a build takes its values from."""
    names = dict.fromkeys(posixpath.basename(item.path) for item in first.kept)
    others = [f"**/{name}" for name in names if not name.startswith(".env")]
    inside = (item.path for item in _held(inventory) if not _credentials(item))
    wanted = {posixpath.basename(file) for file in below(sorted(inside), context)} - set(names)
    back = [f"!**/{name}" for name in sorted({".env.example", *(each for each in wanted if each.startswith(".env."))})]
    return files.into(path, "\n".join([*([".git"] if first.history else []), "**/.env*", *back, *others]))


def _along(inventory: Inventory, first: _Taken) -> list[str]:
    """The environment files with credentials that are in the repository and that every build takes along."""
    held = (item.path for item in _held(inventory) if _credentials(item))
    return [path for path in held if build_context.takes(inventory, first.build, first.item, path)]


def _what_happens(first: _Taken, held: bool, written: list[Written], along: list[str]) -> str:
    """What of the files is left where, and by which builds."""
    names = listed((name for each in first.kept for name in each.names), limit=4)
    where = "a layer of the image" if first.shipped else "the build cache, in a stage that isn't shipped"
    jobs = listed(dict.fromkeys(item.job.id for item in written))
    there = "where that file is, on a developer's machine or on the host,"
    made = listed(dict.fromkeys(item.path for item in written))
    there = f"of the job {jobs}, which writes {made} before," if written else there
    when = "Every build" if held else f"A build {there}"
    clean = "" if held or written else "; one of a clean checkout, where nothing writes it before, does not"
    if along and clean:
        clean = f"; every build takes {listed(along)} along, which {'is' if len(along) == 1 else 'are'} committed"
    history = ". `.git`, with all that was ever committed, goes along" if first.history else ""
    return f"{when} leaves {names} in {where}{clean}{history}."


def _evidence(inventory: Inventory, context: str, items: list[_Taken]) -> Evidence:
    first, *others = items
    kept = dict.fromkeys(each.path for item in items for each in item.kept)
    ignore = build_context.ignore_file(inventory, first.build)
    path = ignore.path if ignore else posixpath.normpath(posixpath.join(context, ".dockerignore"))
    sure = any(each.sure for each in first.kept)
    signs = [Related(place, text) for each in first.kept for place, text in list(each.signs.items())[:3]]
    written = [item for item in kept_env_files.written(inventory) if item.path in kept]
    held = any(each.path in inventory.file_set for each in first.kept)
    happens = _what_happens(first, held, written, _along(inventory, first))
    signs[:0] = [Related(item.location, f"the job {item.job.id} writes it, and builds then") for item in written[:1]]
    return Evidence(
        f"{first.item.keyword} in {first.item.location.file} takes {listed(kept)} along, which "
        f"{path if ignore else 'no .dockerignore'} {'does not exclude' if ignore else 'excludes'}. {happens}",
        first.item.location,
        subject=context,
        service=first.service.name or None,
        related=(*(Related(item.item.location, "takes it along too", member=True) for item in others), *signs[:5]),
        recommendation=f"Exclude {listed([*kept, *(['.git'] if first.history else [])])} in {path}, and replace the "
        "credentials that an image may hold.",
        severity=_severity(first, sure),
        confidence=None if sure else Confidence.MEDIUM,
        example=_lines(inventory, path, context, first),
    )
