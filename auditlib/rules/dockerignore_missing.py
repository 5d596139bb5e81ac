"""A build's context has no `.dockerignore`, or has it in another folder.

`COPY . .` takes all that lies in the folder: the history of Git, tests, documents, and on a developer's machine caches
and local files that Git ignores. The image or the build's cache grows by them, and each change of any of these files
builds all that follows anew. Docker looks for the file in the root of the context: beside a Dockerfile that is built
from a folder above, it is read by nobody.

Anti-pattern:

    # Dockerfile, and no .dockerignore beside it
    COPY . .

Better:

    # .dockerignore
    .git
    .github
    docs
    **/*.md

Recommendation:

    Write a `.dockerignore` that leaves out what the build doesn't need.

References:

- https://docs.docker.com/build/concepts/context/#dockerignore-files
- https://docs.docker.com/build/cache/optimize/#keep-the-context-small
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from auditlib.conventions import (
    build_context,
    builds,
    deployment,
    environments,
    kept_env_files,
    package_installs,
    services,
)
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Build, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import below
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NEEDLESS = frozenset({
    ".github", ".gitlab", ".gitlab-ci.yml", ".circleci", ".vscode", ".idea", ".devcontainer", "docs", "doc", "test",
    "tests", "e2e", "__tests__", "coverage", "monitoring", "k8s", "terraform", "helm", "charts",
})  # fmt: skip
"""What a program doesn't need that lies in the root of a repository, by its usual names."""
_RUNNERS = frozenset({"pytest", "unittest", "jest", "vitest", "mocha", "rspec", "phpunit", "playwright", "tox", "nox"})
"""Programs that run tests, which their image has to hold then."""
_READERS = frozenset({"pyproject.toml", "setup.py", "setup.cfg", "Cargo.toml"})
"""Files of packages whose builds read the README and the licence that they name."""
_SHOWN = 5


class _Copy(Struct, frozen=True):
    service: Service
    item: Instruction
    history: bool
    shipped: bool


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each context without a `.dockerignore` of which builds copy everything, and for each such file
    that no build reads.
    """
    credentials = sorted(item.path for item in kept_env_files.kept(inventory) if item.names)
    found: defaultdict[str, list[_Copy]] = defaultdict(list)
    told: set[str] = set()
    seen: set[tuple[str, str]] = set()
    every = list(builds.of(inventory))
    for service, build, file in every:
        context = posixpath.normpath(build.context or ".")
        aside = build.outside or environments.is_for_development(file.path)
        if aside or (context, file.path) in seen or build_context.ignore_file(inventory, build):
            continue
        seen.add((context, file.path))
        item = _whole(file)
        if item is not None:
            found[context].append(_copy(inventory, service, build, file, item))
            if _is_told(inventory, build, file, item, below(credentials, context)):
                told.add(context)
    for context, copies in found.items():
        needless = _needless(inventory, context, _used(inventory, context, every))
        if context not in told and needless:
            kept = [item.path for item in inventory.env_files if item.path not in credentials]
            ordered = sorted(copies, key=lambda each: not each.shipped)
            yield _evidence(context, needless, below(sorted(kept), context), ordered)
    yield from _unread(inventory, {posixpath.normpath(build.context or ".") for _, build, _ in every}, set(found))


def _unread(inventory: Inventory, contexts: set[str], told: set[str]) -> Iterator[Evidence]:
    """The files beside Dockerfiles that are built from other folders alone."""
    contexts = contexts | set(_of_commands(inventory))
    for item in inventory.docker_ignores:
        folder = posixpath.dirname(item.path) or "."
        if posixpath.basename(item.path) == ".dockerignore" and folder not in contexts:
            users = [each for each in inventory.services if _lies_in(inventory, each, folder)]
            if users and not told & {posixpath.normpath(each.build.context) for each in users if each.build}:
                yield _of_unread(item.path, users)


def _of_commands(inventory: Inventory) -> Iterator[str]:
    """The folders that commands and actions build in; the root where one builds in a folder that a variable names."""
    for command in deployment.commands(inventory):
        if "build" in command.words[1:4] and command.words:
            yield posixpath.normpath(posixpath.join(command.folder, command.words[-1]))
            yield posixpath.normpath(command.words[-1])
    for step in inventory.steps:
        yield from (posixpath.normpath(pair.value) for pair in step.inputs if pair.name == "context")


def _lies_in(inventory: Inventory, service: Service, folder: str) -> bool:
    """Whether a service's Dockerfile lies in a folder and its context is another, with no such file of its own."""
    build, file = service.build, services.dockerfile(inventory, service)
    if build is None or build.inline or build_context.ignore_file(inventory, build):
        return False
    if build.outside:  # the repository is then one of the folders in the context
        above = build.context.strip("/") and set(build.context.strip("/").split("/")) == {".."}
        return bool(above) and folder == "." and posixpath.basename(build.dockerfile) in inventory.file_set
    context = posixpath.normpath(build.context or ".")
    return file is not None and (posixpath.dirname(file.path) or ".") == folder != context


def _of_unread(path: str, users: Sequence[Service]) -> Evidence:
    first, *others = users
    build = first.build
    context = build.context if build else ""
    outside = build is not None and build.outside
    place = "" if outside else f"to {posixpath.join(context or '.', '.dockerignore')}, or "
    return Evidence(
        f"{path} is read by no build: {listed(item.name for item in users)} {'is' if not others else 'are'} built from "
        f"{context or '.'}, and Docker looks for it there.",
        Location(path),
        subject=f"{path}/unread",
        service=first.name,
        related=tuple(Related(item.build.location, f"{item.name} is built from there") for item in users if item.build),
        recommendation=f"Move {path} {place}beside the Dockerfile as `Dockerfile.dockerignore`, with its patterns as "
        "seen from the context.",
        confidence=Confidence.MEDIUM if outside else None,
        example=f"git mv {path} {posixpath.join(posixpath.dirname(path), 'Dockerfile.dockerignore')}"
        "  # and its patterns as seen from the context",
    )


def _whole(file: Dockerfile) -> Instruction | None:
    """The first instruction that copies the whole context."""
    return next(filter(build_context.copies_everything, file.instructions), None)


def _copy(inventory: Inventory, service: Service, build: Build, file: Dockerfile, item: Instruction) -> _Copy:
    history = build_context.takes_history(inventory, build, item)
    return _Copy(service, item, history, item in services.shipped(file, build.target))


def _is_told(inventory: Inventory, build: Build, file: Dockerfile, item: Instruction, kept: Sequence[str]) -> bool:
    """Whether another finding advises the same file: for credentials, or for packages that are copied over others."""
    before = file.instructions[: file.instructions.index(item)]
    installed = any(package_installs.of_node(command) for each in before for command in each.commands)
    packages = installed and build_context.path_outside(build, "package.json") in inventory.file_set
    return packages or any(build_context.takes(inventory, build, item, path) for path in kept)


def _used(inventory: Inventory, context: str, every: Sequence[tuple[Service, Build, Dockerfile]]) -> set[str]:
    """The first parts of the paths that commands name of services which are built from the context, such as `pytest
    tests` of a stack for tests, and those that builds name; all of the tests where such a command names none.
    """
    words = {
        word.removeprefix("./").partition("/")[0]
        for service in inventory.services
        if service.build and posixpath.normpath(service.build.context or ".") == context
        for command in services.commands(inventory, service)
        for word in command.words
    }
    for item in (item for _, build, file in every for item in file.instructions
                 if posixpath.normpath(build.context or ".") == context):  # fmt: skip
        named = item.words[:-1] if item.copies_context else [word for each in item.commands for word in each.words]
        words |= {posixpath.normpath(word.lstrip("/")).partition("/")[0] for word in named}
    return words | ({"test", "tests", "__tests__", "e2e"} if words & _RUNNERS else set())


def _needless(inventory: Inventory, context: str, used: set[str]) -> list[str]:
    """What lies in the context that no program needs: `.git` in the root, tests, documents, what CI reads."""
    first = {path.partition("/")[0] for path in build_context.files(inventory, context)} - used
    known = sorted(_NEEDLESS & first)
    read = not _READERS.isdisjoint(first)
    documents = sorted(
        name for name in first
        if name.lower().endswith((".md", ".rst")) and not (read and name.lower().startswith(("readme", "license")))
    )  # fmt: skip
    return [*([".git"] if context == "." else []), *known, *documents]


def _evidence(context: str, needless: list[str], kept: Sequence[str], copies: list[_Copy]) -> Evidence:
    first, *others = copies
    path = posixpath.normpath(posixpath.join(context, ".dockerignore"))
    where = "the image" if first.shipped else "a stage of the build"
    named = listed(needless, limit=_SHOWN)
    grave = first.shipped and first.history
    consequence = (
        "Who has the image has all that was ever committed"
        if grave
        else "A change of any of them builds all that follows anew"
    )
    return Evidence(
        f"{first.item.keyword} in {first.item.location.file} copies the whole "
        f"{'repository' if context == '.' else f'folder {context}'} into {where}, and there is no .dockerignore: "
        f"{named} {'goes' if len(needless) == 1 else 'go'} along. {consequence}.",
        first.item.location,
        subject=f"{context}/.dockerignore",
        service=first.service.name or None,
        related=tuple(Related(each.item.location, "copies the same", member=True) for each in others),
        recommendation=f"Write {path} that leaves out {listed(needless, limit=_SHOWN)}.",
        severity=Severity.MEDIUM if grave else None,
        example=files.into(path, "\n".join([*needless, "**/.env*", *_brought(context, kept)])),
    )


def _brought(context: str, kept: Sequence[str]) -> list[str]:
    """The environment files of the repository, which a build may read: they hold no credentials."""
    return [f"!{posixpath.relpath(path, context)}" for path in kept] or ["!**/.env.example"]
